"""Whether a claim is another at a part of the budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from priorscope.claims.arm_scores import ArmScores
from priorscope.claims.claim_scores import claim_scores
from priorscope.claims.inference import Settings, infer
from priorscope.claims.terms import Claim
from priorscope.study.given import given_models

BUDGET_STABLE, CHANGES, NOT_KNOWN = "budget-stable", "changes with the budget", "not known"


@dataclass(frozen=True)
class Stability:
    """How the estimate of a claim changes from a part of the budget to the whole.

    Attributes
    ----------
    budget : the part of the epochs, each with a whole schedule of its own
    margin : within which a change counts as none, declared in the study
    status : `budget-stable`, `changes with the budget` or `not known`
    estimate, low, high : of the change, whole minus part, with a 95 % interval; None where runs
        at the part of the budget are missing
    p_value : of "the change is not within the margin"
    text : the same as a clause
    """

    budget: float
    margin: float
    status: str
    estimate: float | None
    low: float | None
    high: float | None
    p_value: float | None
    text: str


def change_with_budget(
    study: Mapping[str, Any],
    claim: Claim,
    arms: Sequence[ArmScores],
    settings: Settings,
    name: str,
) -> Stability | None:
    """Test whether a claim's estimate is the same at a part of the budget, within a margin.

    *Budget-stable* where two one-sided tests at 5 % put the change within the margin; *changes with
    the budget* where they do not, and the 95 % interval of the change leaves out zero; *not known*
    otherwise. What comes of training longer than the whole budget is not known in any case.

    Parameters
    ----------
    study : as recorded in `study.json`; without `stability` there is nothing to test
    name : of the claim, for its random numbers
    """
    declared = study.get("stability")
    if not declared:
        return None
    budget, margin = float(declared["budget"]), float(declared["margin"])
    part = f"{budget:g} of it"
    if given := [model for model in claim.models if model in given_models(study)]:
        named = f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} evaluated as given"
        why = f"whether the effect is the same at {part} is not known: {named}"
        return Stability(budget, margin, NOT_KNOWN, None, None, None, None, why)
    unknown = f"whether the effect is the same at {part} is not known"
    scores = claim_scores(claim.change_with_budget(budget), arms)
    if scores is None:
        return Stability(budget, margin, NOT_KNOWN, None, None, None, None, unknown)
    change = infer(scores, settings, "stability", name, confidence=0.95)
    estimate, p_value = change.contrast.estimate, change.within(margin)
    low, high = change.contrast.interval(0.95)
    moved = (
        f"{scores.scale.amount(estimate, signed=True)} from {part} to all of it, 95 % "
        f"{scores.scale.interval(low, high, signed=True)}"
    )
    status, text = NOT_KNOWN, f"{unknown} ({moved})"
    if p_value < settings.alpha:
        status, text = BUDGET_STABLE, f"the effect is {BUDGET_STABLE} ({moved})"
    elif change.varied and not low <= 0 <= high:
        status, text = CHANGES, f"the effect {CHANGES} ({moved})"
    return Stability(budget, margin, status, estimate, low, high, p_value, text)

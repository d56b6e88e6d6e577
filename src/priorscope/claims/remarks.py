"""What a verdict's reason says beside what decides it: of seeds, training, weights and warnings."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from priorscope.claims.claim_scores import ClaimScores
from priorscope.claims.evidence import Evidence
from priorscope.claims.stability import Stability
from priorscope.claims.terms import Claim
from priorscope.claims.training import FITTED_ACCURACY, Training
from priorscope.claims.words import split_text
from priorscope.study.given import given_models, initial_models
from priorscope.study.levels import trained_name


def trained_names(claim: Claim) -> list[str]:
    """Name what must be trained for a claim: models, each with its levels."""
    return [trained_name(model, dict(levels)) for model, levels in claim.trained]


def of_weights(claim: Claim, study: Mapping[str, Any]) -> list[str]:
    """Say which networks, or what their training began at, were trained elsewhere.

    Parameters
    ----------
    study : as `study.json` keeps it
    """
    return [*_given(claim, given_models(study)), *_begun(claim, initial_models(study))]


def _given(claim: Claim, given: Sequence[str]) -> list[str]:
    """Say of which models the training is not known, and what follows for a comparison."""
    models = list(dict.fromkeys(claim.models))
    named = [model for model in models if model in given]
    if not named:
        return []
    is_are, its = ("is", "its") if len(named) == 1 else ("are", "their")
    text = f"{' and '.join(named)} {is_are} evaluated as given, and {its} training (data, recipe, "
    text += "budget, seeds) is not known"
    if len(models) == 1:
        return [text]
    differs = "training may differ too" if len(named) == len(models) else "training differs too"
    return [f"{text}: {differs}, so the difference is not that of the architectures alone"]


def _begun(claim: Claim, initial: Sequence[str]) -> list[str]:
    """Say whose training began elsewhere."""
    named = [model for model in dict.fromkeys(claim.models) if model in initial]
    if not named:
        return []
    return [
        f"training of {' and '.join(named)} began at weights that were trained elsewhere, by what "
        "is not known"
    ]


def fitted_words(claim: Claim, training: Mapping[str, Training]) -> str:
    """Name the accuracy on training images of all models where any has not fitted its own."""
    found = {
        name: training[name].train_accuracy for name in trained_names(claim) if name in training
    }
    fits = {name: fit for name, fit in found.items() if fit is not None and not isnan(fit)}
    if not any(fit < FITTED_ACCURACY for fit in fits.values()):
        return ""
    listed = ", ".join(f"{name} {100 * fit:.0f} %" for name, fit in fits.items())
    return f"; training images fitted: {listed}"


def of_seeds(claim: Claim, scores: ClaimScores | None, evidence: Evidence | None) -> list[str]:
    """Name seeds that stand apart, and models of one seed."""
    if scores is None or evidence is None:
        return []
    clauses = split_text(evidence.inference.split, scores.seed_scores(), scores.scale)
    alone = [group.name for group in scores.groups if group.is_fixed]
    if not alone:
        return clauses
    if claim.of_pairs:
        text = "so few pairs do not tell how networks differ: of {} this speaks as trained, not of "
        text += "the architecture" if len(alone) == 1 else "the architectures"
        return [*clauses, text.format(" and ".join(alone))]
    if len(claim.models) == 1:
        text = "with one seed this speaks of this trained network, not of its architecture"
    elif len(alone) < len(scores.groups):
        have, them = ("has", "it") if len(alone) == 1 else ("have", "them")
        named = " and ".join(alone)
        text = f"{named} {have} one seed: of {them} this speaks as trained, not of its architecture"
    else:
        text = "with one seed this speaks of these trained networks, not of their architectures"
    return [*clauses, text]


def of_budget(
    claim: Claim, training: Mapping[str, Training], stability: Stability | None
) -> list[str]:
    """Say what budget the verdict is about, and whether the claim is another at a part of it."""
    found = [training[name] for name in trained_names(claim) if name in training]
    found = [each for each in found if each.num_epochs and not each.unfinished]
    if not found:
        return []
    epochs, images = (
        _span([getattr(each, key) for each in found]) for key in ("num_epochs", "num_images")
    )
    text = f"at this budget ({epochs} epochs of {images} training images)"
    return [text if stability is None else f"{text}; {stability.text}"]


def _span(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def of_warnings(claim: Claim, warnings: Mapping[str, Sequence[str]]) -> list[str]:
    """List what runs of a claim's models warn of."""
    return [
        f"warning on {name}: {text}"
        for name in trained_names(claim)
        for text in warnings.get(name, ())
    ]

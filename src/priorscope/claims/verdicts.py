"""Verdicts on declared hypotheses: supported, refuted or inconclusive, with the reason.

The rules, all of them declared before the data:

1. *Supported* is a hypothesis whose claim the data show: the p-value of the claim, adjusted by
   Holm's method over all hypotheses of the study, is below its alpha. So at most a share alpha of
   studies calls any false claim supported.
2. *Refuted* is one whose contrary the data show, by a p-value adjusted in the same way among the
   contraries. The contrary of a direction is the opposite direction, not "no difference"; that of
   `equivalent` is a difference larger than the margin; that of `different` is equivalence within
   its margin, and without a margin it cannot be refuted. `evidence.p_values` has the tests.
3. *Inconclusive* is everything else: no evidence for a difference is no evidence against one.
   Where scores did not vary at all, a standard error of zero shows nothing either; an exact test
   still may.
4. Whatever the numbers, a verdict is inconclusive while predictions of a planned run are missing,
   while a seed of a model has not gone through its schedule or has not learnt anything
   (`training.judge_training`), or where its models differ in something that the fairness lint calls
   an error and the study does not declare.
5. Where a model has one seed, images alone are random: the verdict speaks of these trained
   networks, not of the architectures, and says so. Where a model has fewer than five, or its seeds
   fall into groups, every seed is shown and no p-value below 0.01 is claimed.
6. Every verdict is about the budget that models were trained for, and says so. `stability` of a
   study asks whether the claim is another at a part of it; that never changes the verdict.

A hypothesis without any estimate counts in the correction, with p = 1. Hypotheses with alphas of
their own are each held to it; the family's error rate is then at most the largest of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.claims.arm_scores import ArmScores
from priorscope.claims.claim_scores import claim_scores
from priorscope.claims.evidence import deciding_interval, gather
from priorscope.claims.inference import Settings
from priorscope.claims.record import Row, row_of
from priorscope.claims.remarks import (
    fitted_words,
    of_budget,
    of_seeds,
    of_warnings,
    of_weights,
    trained_names,
)
from priorscope.claims.stability import change_with_budget
from priorscope.claims.terms import Claim, claim_of
from priorscope.claims.training import Training
from priorscope.claims.words import INCONCLUSIVE, REFUTED, SUPPORTED, reason
from priorscope.stats import holm, holm_steps
from priorscope.study.hypotheses import changed_late
from priorscope.study.measures import measures_of
from priorscope.study.spec import Hypothesis


@dataclass(frozen=True)
class Measured:
    """Where the values of a measure come from.

    Attributes
    ----------
    file : of every run, relative to its folder
    failed : why there are none at all, as a clause; empty where there are
    undefined : the levels of a cell and the one or two models of a term -> why there is no value
        of some of their networks, as a clause
    """

    file: str
    failed: str = ""
    undefined: Mapping[tuple[frozenset, frozenset], str] = field(default_factory=dict)

    def obstacles(self, claim: Claim) -> list[str]:
        """Say why a claim cannot be judged."""
        keys = ((frozenset(term.levels), frozenset(term.models)) for term in claim.terms)
        found = [self.undefined[key] for key in keys if key in self.undefined]
        return [self.failed] if self.failed else list(dict.fromkeys(found))


def decide(p_adjusted: float, p_contrary_adjusted: float, alpha: float) -> str:
    """Return the verdict that adjusted p-values of a claim and of its contrary allow."""
    if p_adjusted < alpha:
        return SUPPORTED
    return REFUTED if p_contrary_adjusted < alpha else INCONCLUSIVE


def judge(
    record: Mapping[str, Any],
    arms: Sequence[ArmScores],
    missing_files: Sequence[str],
    training: Mapping[str, Training],
    settings: Settings,
    *,
    warnings: Mapping[str, Sequence[str]] | None = None,
    measured: Mapping[str, Measured] | None = None,
    data_warnings: Sequence[str] = (),
) -> list[Row]:
    """Judge every hypothesis of the study, as rows of `verdicts.json`.

    Parameters
    ----------
    record : `study.json`
    arms : of all probes, those at a part of the budget among them
    missing_files : predictions and measurements of planned runs that are not there, relative to the
        output folder
    training : how each model's training ended, by its trained name
    warnings : of a model's runs, by its trained name: what makes its numbers mean something else
    measured : by the name of a measure, where its values come from, and what stands in their way
    data_warnings : of the images, likewise, for all models
    """
    declared = [Hypothesis(**each) for each in record["study"].get("hypotheses") or []]
    family, claims = len(declared), [claim_of(hypothesis) for hypothesis in declared]
    scores = [claim_scores(claim, arms) for claim in claims]
    found = [
        None if each is None else gather(hypothesis, each, family, settings)
        for hypothesis, each in zip(declared, scores, strict=True)
    ]
    pairs = [(1.0, 1.0) if each is None else (each.p_value, each.p_contrary) for each in found]
    raw = np.array(pairs).reshape(-1, 2)
    adjusted = np.stack([holm(raw[:, side]) for side in (0, 1)], axis=1)
    steps = np.stack([holm_steps(raw[:, side]) for side in (0, 1)], axis=1)
    late = changed_late(record.get("history", []))
    before_training = {
        name
        for name, measure in measures_of(record["study"]).items()
        if measure.state == "untrained"
    }
    rows = []
    for hypothesis, claim, of_scores, evidence, p, step in zip(
        declared, claims, scores, found, adjusted.tolist(), steps.tolist(), strict=True
    ):
        runs = planned_runs(record, claim)
        # What networks are before their training says nothing of how that ended.
        ended = {} if hypothesis.measure in before_training else training
        source = (measured or {}).get(claim.probe, Measured(f"predictions/{claim.probe}.parquet"))
        files = [f"runs/{run['run_id']}/{source.file}" for run in runs]
        there = [file for file in files if file not in missing_files]
        obstacles = [
            *_missing(runs, files, there, source.file),
            *source.obstacles(claim),
            *_not_trained(claim, ended),
            *undeclared(record.get("fairness", []), claim.models),
        ]
        if evidence is None:
            what = "predictions" if hypothesis.measure is None else "measurements"
            obstacles = obstacles or [f"there are no {what} to judge it by"]
        verdict, text, interval = INCONCLUSIVE, "; ".join(obstacles), None
        if evidence is not None:
            by_numbers = decide(p[0], p[1], hypothesis.alpha)
            interval = deciding_interval(hypothesis, evidence, by_numbers, step)
            if not obstacles:
                verdict = by_numbers
                text = reason(hypothesis, evidence, verdict, interval, p, family)
                text += fitted_words(claim, ended)
        stability = None
        if hypothesis.measure not in before_training:
            stability = change_with_budget(record["study"], claim, arms, settings, hypothesis.id)
        more = [
            *of_seeds(claim, of_scores, evidence),
            *of_weights(claim, record["study"]),
            *of_budget(claim, ended, stability),
            *of_warnings(claim, warnings or {}),
            *record.get("overlaps", {}).get(claim.probe, ()),
            *(f"warning on the data: {text}" for text in data_warnings),
        ]
        rows.append(
            row_of(hypothesis, of_scores, evidence, interval)
            | {"p_adjusted": None if evidence is None else p[0]}
            | {"p_contrary_adjusted": None if evidence is None else p[1]}
            | {"verdict": verdict, "reason": _sentence("; ".join([text, *more]), hypothesis)}
            | {"stability": None if stability is None else asdict(stability)}
            | {"runs": [Path(file).parts[1] for file in there], "predictions": there}
            | {"changed_after_results": late.get(hypothesis.id)}
        )
    return rows


def planned_runs(record: Mapping[str, Any], claim: Claim) -> list[Row]:
    """List the planned runs of a claim: of its models in its cells, in the order of its terms."""
    return [
        run
        for model in claim.models
        for run in record["plan"]
        if (model, run.get("levels", {})) in [(name, dict(cell)) for name, cell in claim.trained]
        and run["model"] == model
    ]


def undeclared(fairness: Sequence[Mapping[str, Any]], models: Sequence[str]) -> list[str]:
    """Say in what models differ without the study declaring it.

    `fairness` is the lint's list in `study.json`.
    """
    differing = [
        difference["property"]
        for difference in fairness
        if difference["severity"] == "error"
        and len({difference["values"].get(model) for model in models}) > 1
    ]
    if not differing:
        return []
    named = " and ".join(models)
    return [f"{named} differ in {', '.join(differing)}, which the study does not declare"]


def _missing(
    runs: Sequence[Row], files: Sequence[str], there: Sequence[str], source: str
) -> list[str]:
    lost = [
        f"{run['model']} seed {run['seed']} ({run['run_id']})"
        for run, file in zip(runs, files, strict=True)
        if file not in there
    ]
    if not lost:
        return []
    folder, _, name = source.rpartition(".")[0].partition("/")
    if folder == "measurements":
        return [f"values of {name} are missing for planned runs: {', '.join(lost)}"]
    return [f"predictions on {name} of planned runs are missing: {', '.join(lost)}"]


def _not_trained(claim: Claim, training: Mapping[str, Training]) -> list[str]:
    return [
        f"{name}: {training[name].obstacle}"
        for name in trained_names(claim)
        if name in training and training[name].obstacle
    ]


def _sentence(text: str, hypothesis: Hypothesis) -> str:
    """End with a full stop, and begin with a capital unless a model's name stands first."""
    claim = claim_of(hypothesis)
    first = text.partition(" ")[0].rstrip(":")
    named = first in (*claim.models, *claim.arms, hypothesis.measure) or first[0].isdigit()
    return f"{text}." if named else f"{text[0].upper()}{text[1:]}."

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
   while a model has not converged by the study's criterion (`convergence.judge_training`), or where
   its models differ in something that the fairness lint calls an error and the study does not
   declare.
5. Where a model has one seed, images alone are random: the verdict speaks of these trained
   networks, not of the architectures, and says so.

A hypothesis without any estimate counts in the correction, with p = 1. Hypotheses with alphas of
their own are each held to it; the family's error rate is then at most the largest of them.
"""

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.analysis.compare import Row, Settings
from priorscope.analysis.contrasts import Contrasted, by_name, contrast_scores
from priorscope.analysis.convergence import FITTED_ACCURACY, Training
from priorscope.analysis.evidence import Evidence, gather, interval_confidence
from priorscope.analysis.reasons import INCONCLUSIVE, REFUTED, SUPPORTED, reason
from priorscope.analysis.scores import ArmScores
from priorscope.stats import VarianceComponents, holm
from priorscope.study.hypotheses import changed_late
from priorscope.study.levels import trained_name
from priorscope.study.spec import Contrast, Hypothesis


def decide(p_adjusted: float, p_contrary_adjusted: float, alpha: float) -> str:
    """Give the verdict that adjusted p-values of a claim and of its contrary allow."""
    if p_adjusted < alpha:
        return SUPPORTED
    return REFUTED if p_contrary_adjusted < alpha else INCONCLUSIVE


def judge(
    record: Mapping[str, Any],
    arms: list[ArmScores],
    missing_files: Sequence[str],
    training: Mapping[str, Training],
    settings: Settings,
) -> list[Row]:
    """Give one verdict a hypothesis of the study, as rows of `verdicts.json`.

    Parameters
    ----------
    record : `study.json`
    arms : of all probes
    missing_files : predictions of planned runs that are not there, relative to the output folder
    training : how each model's training ended
    """
    declared = [Hypothesis(**each) for each in record["study"].get("hypotheses") or []]
    family, named = len(declared), by_name(arms)
    scores = [contrast_scores(hypothesis, named) for hypothesis in declared]
    found = [
        None if each is None else gather(hypothesis, each, family, settings)
        for hypothesis, each in zip(declared, scores, strict=True)
    ]
    adjusted = _adjusted([1.0 if each is None else each.p_value for each in found])
    contrary = _adjusted([1.0 if each is None else each.p_contrary for each in found])
    late = changed_late(record.get("history", []))
    rows = []
    for hypothesis, of_scores, evidence, p_adjusted, p_contrary in zip(
        declared, scores, found, adjusted, contrary, strict=True
    ):
        runs = planned_runs(record, hypothesis)
        files = [f"runs/{run['run_id']}/predictions/{hypothesis.probe}.parquet" for run in runs]
        there = [file for file in files if file not in missing_files]
        obstacles = [
            *_missing(runs, files, there, hypothesis.probe),
            *_not_converged(runs, training),
            *undeclared(record.get("fairness", []), hypothesis.contrast),
        ]
        if evidence is None:
            obstacles = obstacles or ["there are no predictions to judge it by"]
        verdict, text = INCONCLUSIVE, "; ".join(obstacles)
        if evidence is not None and not obstacles:
            verdict = decide(p_adjusted, p_contrary, hypothesis.alpha)
            text = reason(hypothesis, evidence, verdict, p_adjusted, p_contrary, family)
            text += _fitted(runs, training)
        if of_scores is not None and of_scores.one_seed:
            text += f"; {_one_seed(hypothesis.contrast, of_scores)}"
        rows.append(
            _declared(hypothesis)
            | {"arms": None if of_scores is None else list(of_scores.arms)}
            | {"largest_score": None if of_scores is None else of_scores.largest}
            | _measured(hypothesis, evidence)
            | {"p_adjusted": None if evidence is None else p_adjusted}
            | {"p_contrary_adjusted": None if evidence is None else p_contrary}
            | {"verdict": verdict, "reason": _sentence(text, hypothesis.contrast)}
            | {"runs": [Path(file).parts[1] for file in there], "predictions": there}
            | {"changed_after_results": late.get(hypothesis.id)}
        )
    return rows


def planned_runs(record: Mapping[str, Any], hypothesis: Hypothesis) -> list[Row]:
    """List the planned runs of a hypothesis: of its models, `a` first, in its cells."""
    return [
        run
        for model in hypothesis.contrast.models
        for run in record["plan"]
        if run["model"] == model and run.get("levels", {}) in hypothesis.cells()
    ]


def undeclared(fairness: Sequence[Mapping[str, Any]], contrast: Contrast) -> list[str]:
    """Say in what the models of a contrast differ without the study declaring it.

    `fairness` is the lint's list in `study.json`.
    """
    differing = [
        difference["property"]
        for difference in fairness
        if difference["severity"] == "error"
        and len({difference["values"].get(model) for model in contrast.models}) > 1
    ]
    if not differing:
        return []
    models = " and ".join(contrast.models)
    return [f"{models} differ in {', '.join(differing)}, which the study does not declare"]


def _missing(
    runs: Sequence[Row], files: Sequence[str], there: Sequence[str], probe: str
) -> list[str]:
    lost = [
        f"{run['model']} seed {run['seed']} ({run['run_id']})"
        for run, file in zip(runs, files, strict=True)
        if file not in there
    ]
    if not lost:
        return []
    return [f"predictions on {probe} of planned runs are missing: {', '.join(lost)}"]


def _not_converged(runs: Sequence[Row], training: Mapping[str, Training]) -> list[str]:
    names = dict.fromkeys(trained_name(run["model"], run.get("levels", {})) for run in runs)
    return [
        f"{name} {training[name].reason}"
        for name in names
        if name in training and not training[name].converged
    ]


def _fitted(runs: Sequence[Row], training: Mapping[str, Training]) -> str:
    """Give the accuracy on training images of all models where any has not fitted its own."""
    names = dict.fromkeys(trained_name(run["model"], run.get("levels", {})) for run in runs)
    found = {name: training[name].train_accuracy for name in names if name in training}
    fits = {name: fit for name, fit in found.items() if fit is not None and not isnan(fit)}
    if not any(fit < FITTED_ACCURACY for fit in fits.values()):
        return ""
    listed = ", ".join(f"{name} {100 * fit:.0f} %" for name, fit in fits.items())
    return f"; training images fitted: {listed}"


def _sentence(text: str, contrast: Contrast) -> str:
    """End with a full stop, and begin with a capital unless a model's name stands first."""
    named = text.partition(" ")[0] in (*contrast.models, *(contrast.conditions or ()))
    return f"{text}." if named else f"{text[0].upper()}{text[1:]}."


def _one_seed(contrast: Contrast, scores: Contrasted) -> str:
    if len(contrast.models) == 1:
        return "with one seed this speaks of this trained network, not of its architecture"
    parts = [scores] if scores.other is None else [scores, scores.other]
    # Groups go model by model, and where two levels share their scenes once more.
    seeds = [len(group) for part in parts for group in part.groups]
    alone = [model for place, model in enumerate(contrast.models) if min(seeds[place::2]) == 1]
    if len(alone) == 1:
        return f"{alone[0]} has one seed: of it this speaks as trained, not of its architecture"
    return "with one seed this speaks of these trained networks, not of their architectures"


def _adjusted(p_values: list[float]) -> list[float]:
    return holm(np.array(p_values)).tolist()


def _declared(hypothesis: Hypothesis) -> Row:
    contrast = hypothesis.contrast
    conditions = None if contrast.conditions is None else list(contrast.conditions)
    return {
        "id": hypothesis.id,
        "statement": hypothesis.statement,
        "contrast": {"a": contrast.a, "b": contrast.b}
        | {"level": contrast.level, "conditions": conditions}
        | ({} if contrast.between is None else {"between": contrast.between}),
        "probe": hypothesis.probe,
        "metric": hypothesis.metric,
        "condition": hypothesis.condition,
        **({} if hypothesis.at is None else {"at": hypothesis.at}),
        "expect": hypothesis.expect,
        "margin": hypothesis.margin,
        "alpha": hypothesis.alpha,
    }


def _measured(hypothesis: Hypothesis, found: Evidence | None) -> Row:
    """Give the numbers of a hypothesis, or the same keys without numbers."""
    names = ("estimate", "low", "high", "p_value", "p_contrary", "method", "num_seeds", "n")
    names += ("standard_error", "df", "detectable", "bootstrap_low", "bootstrap_high", "components")
    confidence: Row = {"confidence": round(interval_confidence(hypothesis), 6)}
    if found is None:
        return confidence | dict.fromkeys(names)
    contrast = found.contrast
    return confidence | {
        "estimate": contrast.estimate,
        "low": found.low,
        "high": found.high,
        "p_value": found.p_value,
        "p_contrary": found.p_contrary,
        "method": found.method,
        "num_seeds": min(contrast.num_seeds),
        "n": contrast.n,
        "standard_error": contrast.standard_error,
        "df": contrast.df if np.isfinite(contrast.df) else None,
        "detectable": found.detectable,
        "bootstrap_low": found.bootstrap[0],
        "bootstrap_high": found.bootstrap[1],
        "components": _plain(contrast.components),
    }


def _plain(components: VarianceComponents) -> Row:
    """Give variances as values that JSON can hold; what is not known is none."""
    return {
        "seed": [None if isnan(value) else value for value in components.seed],
        "image": components.image,
        "residual": [None if isnan(value) else value for value in components.residual],
        "images_per_unit": components.images_per_unit,
    }

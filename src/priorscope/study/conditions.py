"""What hypotheses and controls need of the probes that were built: arms, a metric that applies."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from priorscope.components import companion, errors_at, resolve
from priorscope.errors import InputError, unknown_name
from priorscope.evaluation import Predictions
from priorscope.metrics import Chance
from priorscope.probes import ProbeSet
from priorscope.study.controls import Control
from priorscope.study.spec import Contrast, Hypothesis, Study


def check_conditions(study: Study, probes: Mapping[str, ProbeSet]) -> None:
    """Refuse a hypothesis or a control that its probe cannot answer.

    Raises
    ------
    InputError : an arm that the probe does not produce, a metric that does not apply to it, arms
        that cannot be compared, a level or a range that no model can reach, or a margin that no
        difference can exceed
    """
    for index, control in enumerate(study.controls):
        _check_control(control, probes[control.probe], f"controls.{index}", study.base)
    for index, hypothesis in enumerate(study.hypotheses):
        where, probe = f"hypotheses.{index}", probes[hypothesis.probe]
        conditions = hypothesis.contrast.conditions
        keys = {f"{where}.condition": hypothesis.condition}
        if conditions is not None:
            keys = {f"{where}.contrast.conditions.{i}": arm for i, arm in enumerate(conditions)}
        for key, arm in keys.items():
            _check_arm(arm, hypothesis.probe, probe, key)
        chances = [
            chance_of(hypothesis.metric, probe, arm, where=f"{where}.metric", base=study.base)
            for arm in tested_arms(hypothesis, probe)
        ]
        largest = [largest_score(chance) for chance in chances]
        if conditions is not None:
            _check_pair(conditions, probe, largest, f"{where}.contrast.conditions")
        _check_margin(hypothesis, largest[0], f"{where}.margin")
        level = hypothesis.contrast.level
        if level is not None and not 0 <= level <= largest[0]:
            raise InputError(
                "a level that no model can reach",
                where=f"{where}.contrast.level",
                found=level,
                allowed=f"0 .. {largest[0]} ({hypothesis.metric} on {hypothesis.probe})",
            )


def tested_arms(hypothesis: Hypothesis, probe: ProbeSet) -> tuple[str, ...]:
    """List the one or two arms that a hypothesis is about."""
    if hypothesis.contrast.conditions is not None:
        return hypothesis.contrast.conditions
    return (hypothesis.condition or probe.arms[0],)


def chance_of(metric: str, probe: ProbeSet, arm: str, *, where: str, base: Path) -> Chance:
    """Give a metric's chance on one arm; that also shows whether the metric applies to it.

    Raises
    ------
    InputError : no such metric, or it refuses the arm's targets
    """
    rows = probe.conditions["arm"] == arm
    silent = Predictions(
        logits=np.zeros((int(rows.sum()), len(probe.class_names)), dtype=np.float32),
        targets=probe.targets[rows],
        ids=probe.ids[rows],
        conditions={key: column[rows] for key, column in probe.conditions.items()},
        class_names=probe.class_names,
    )
    chance = companion(resolve("metrics", metric, base=base, where=where), "chance")
    if chance is None:
        raise InputError(
            "the metric does not say what chance scores",
            where=where,
            found=metric,
            hint="define `chance(predictions) -> Chance` beside it",
        )
    with errors_at(where):
        return chance(silent)


def largest_score(chance: Chance) -> int:
    """Give the best score that an example can reach."""
    return 1 if chance.pmf is None else len(chance.pmf) - 1


def metric_for(targets: np.ndarray) -> str:
    """Name the metric that fits targets: top_k_matching for bool [n, num_classes], else top1."""
    return "top_k_matching" if targets.ndim == 2 else "top1"


def _check_arm(arm: str | None, name: str, probe: ProbeSet, where: str) -> None:
    if arm is not None and arm not in probe.arms:
        raise unknown_name(f"arm of {name}", arm, probe.arms, where=where)


def _check_control(control: Control, probe: ProbeSet, where: str, base: Path) -> None:
    """Refuse a control whose score would never be measured, or could not lie in its range."""
    _check_arm(control.condition, control.probe, probe, f"{where}.condition")
    metric, arm = control.metric or metric_for(probe.targets), control.condition or probe.arms[0]
    largest = largest_score(chance_of(metric, probe, arm, where=f"{where}.metric", base=base))
    low, high = control.within
    if high > largest:
        in_percent = largest == 1 and high <= 100
        raise InputError(
            "a range of scores that no model can reach",
            where=f"{where}.within",
            found=[low, high],
            allowed=f"0 .. {largest} ({metric} on {control.probe})",
            hint=f"in fractions, not percent: [{low / 100:g}, {high / 100:g}]"
            if in_percent
            else None,
        )


def largest_difference(contrast: Contrast, largest: int) -> int:
    """Give the largest difference that a contrast can have, where scores are 0 .. `largest`.

    A difference of two differences can be twice as large.
    """
    within = contrast.conditions is not None or contrast.between is not None
    return largest * (2 if within and contrast.b is not None else 1)


def _check_margin(hypothesis: Hypothesis, largest: int, where: str) -> None:
    most = largest_difference(hypothesis.contrast, largest)
    if hypothesis.margin is not None and hypothesis.margin >= most:
        percent = " (a share: 0.02 is two points)" if largest == 1 else ""
        raise InputError(
            "a margin that no difference can exceed",
            where=where,
            found=hypothesis.margin,
            allowed=f"above 0, below {most}: {hypothesis.metric} on {hypothesis.probe}{percent}",
        )


def _check_pair(
    conditions: tuple[str, str], probe: ProbeSet, largest: list[int], where: str
) -> None:
    if largest[0] != largest[1]:
        raise InputError(
            "scores of the two conditions have different ranges",
            where=where,
            found=", ".join(
                f"{arm}: 0 .. {most}" for arm, most in zip(conditions, largest, strict=True)
            ),
            allowed="two arms whose scores mean the same",
        )
    first, second = (probe.ids[probe.conditions["arm"] == arm] for arm in conditions)
    if not len(np.intersect1d(first, second)):
        raise InputError(
            "the two conditions show no scene in common", where=where, found=list(conditions)
        )

"""What hypotheses and controls need of the probes that were built: arms, a metric that applies."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from priorscope.claims.terms import Claim, claim_of
from priorscope.components import errors_at, resolve
from priorscope.errors import InputError, unknown_name
from priorscope.evaluation import Predictions
from priorscope.metrics import Scale, chance_of, main_metric, scale_of
from priorscope.probes import ProbeSet
from priorscope.study.spec import Control, Hypothesis, Study


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
        if hypothesis.measure is None:
            _check_hypothesis(hypothesis, probes, f"hypotheses.{index}", study.base)


def _check_hypothesis(
    hypothesis: Hypothesis, probes: Mapping[str, ProbeSet], where: str, base: Path
) -> None:
    claim = claim_of(hypothesis)
    probe, arms = probes[claim.probe], tested_arms(claim, probes[claim.probe])
    for key, arm in arm_keys(hypothesis, where).items():
        check_arm(arm, claim.probe, probe.arms, key)
    scales = [_scale(claim.metric, probe, arm, where=f"{where}.metric", base=base) for arm in arms]
    scale, chance = scales[0]
    if len(arms) > 1:
        _check_pair(arms, probe, [each for each, _ in scales], where)
    check_numbers(hypothesis, scale, chance, f"{claim.metric} on {claim.probe}", where)


def arm_keys(hypothesis: Hypothesis, where: str) -> dict[str, str]:
    """Return the arms that a hypothesis names, by their key."""
    conditions = hypothesis.contrast.conditions
    if conditions is not None:
        return {f"{where}.contrast.conditions.{i}": arm for i, arm in enumerate(conditions)}
    return {} if hypothesis.condition is None else {f"{where}.condition": hypothesis.condition}


def check_numbers(
    hypothesis: Hypothesis, scale: Scale, chance: float, what: str, where: str
) -> None:
    """Refuse a margin that no difference can exceed, and a level that no model can reach.

    Parameters
    ----------
    what : is scored, in words

    Raises
    ------
    InputError : names the key, and what may stand there
    """
    least, most = claim_of(hypothesis).range(scale, chance)
    most = max(-least, most)
    if hypothesis.margin is not None and hypothesis.margin >= most:
        percent = " (a share: 0.02 is two points)" if scale.symbol == "%" else ""
        raise InputError(
            "a margin that no difference can exceed",
            where=f"{where}.margin",
            found=hypothesis.margin,
            allowed=f"above 0, below {most:g}: {what}{percent}",
        )
    level = hypothesis.contrast.level
    if level is not None and not _lies_in(level, scale):
        raise InputError(
            "a level that no model can reach",
            where=f"{where}.contrast.level",
            found=level,
            allowed=f"{_range(scale)} ({what})",
        )


def tested_arms(claim: Claim, probe: ProbeSet) -> tuple[str, ...]:
    """List the one or two arms that a claim is about."""
    return tuple(arm or probe.arms[0] for arm in claim.arms)


def silent_answers(probe: ProbeSet, arm: str) -> Predictions:
    """Answer one arm of a probe by logits that are all alike."""
    rows = probe.conditions["arm"] == arm
    return Predictions(
        logits=np.zeros((int(rows.sum()), len(probe.class_names)), dtype=np.float32),
        targets=probe.targets[rows],
        ids=probe.ids[rows],
        conditions={key: column[rows] for key, column in probe.conditions.items()},
        class_names=probe.class_names,
    )


def _scale(
    metric: str, probe: ProbeSet, arm: str, *, where: str, base: Path
) -> tuple[Scale, float]:
    """Return a metric's scale and chance on one arm; that shows whether it applies to it.

    Raises
    ------
    InputError : no such metric, or it refuses the arm's targets
    """
    function = resolve("metrics", metric, base=base, where=where)
    answers = silent_answers(probe, arm)
    with errors_at(where):
        function(answers)
        return scale_of(function, answers, metric), chance_of(function, answers).expected


def check_arm(arm: str, name: str, arms: Sequence[str], where: str) -> None:
    """Refuse an arm that a probe, or a measure, does not have.

    Raises
    ------
    InputError : names the key, and the nearest arm
    """
    if arm not in arms:
        raise unknown_name(f"arm of {name}", arm, arms, where=where)


def _check_control(control: Control, probe: ProbeSet, where: str, base: Path) -> None:
    """Refuse a control whose score would never be measured, or could not lie in its range."""
    if control.condition is not None:
        check_arm(control.condition, control.probe, probe.arms, f"{where}.condition")
    metric, arm = control.metric or main_metric(probe.targets), control.condition or probe.arms[0]
    scale, _ = _scale(metric, probe, arm, where=f"{where}.metric", base=base)
    low, high = control.within
    if not (_lies_in(low, scale) and _lies_in(high, scale)):
        in_percent = scale.high == 1 and 0 <= low <= high <= 100
        raise InputError(
            "a range of scores that no model can reach",
            where=f"{where}.within",
            found=[low, high],
            allowed=f"{_range(scale)} ({metric} on {control.probe})",
            hint=f"in fractions, not percent: [{low / 100:g}, {high / 100:g}]"
            if in_percent
            else None,
        )


def _lies_in(value: float, scale: Scale) -> bool:
    return (scale.low is None or value >= scale.low) and (scale.high is None or value <= scale.high)


def _range(scale: Scale) -> str:
    """Write what a mean can be: "0 .. 4", "0 or more"."""
    if scale.high is None:
        return "any number" if scale.low is None else f"{scale.low:g} or more"
    return f"{scale.high:g} or less" if scale.low is None else f"{scale.low:g} .. {scale.high:g}"


def _check_pair(
    conditions: tuple[str, ...], probe: ProbeSet, scales: list[Scale], where: str
) -> None:
    where = f"{where}.contrast.conditions"
    if scales[0] != scales[1]:
        raise InputError(
            "scores of the two conditions have different ranges",
            where=where,
            found=", ".join(
                f"{arm}: {scale.phrase}, {_range(scale)}"
                for arm, scale in zip(conditions, scales, strict=True)
            ),
            allowed="two arms whose scores mean the same",
        )
    first, second = (probe.ids[probe.conditions["arm"] == arm] for arm in conditions)
    if not len(np.intersect1d(first, second)):
        raise InputError(
            "the two conditions show no scene in common", where=where, found=list(conditions)
        )

"""Refuse hypotheses and controls that cannot be meant, and say which hypotheses changed late."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from priorscope.components import listing
from priorscope.errors import InputError, unknown_name
from priorscope.study.levels import written
from priorscope.study.plain import digest
from priorscope.study.spec import (
    CHANCE,
    TEST_PROBE,
    Hypothesis,
    Operand,
    Study,
    networks_of,
)
from priorscope.study.weights import GIVEN

_ROUNDING = 1e-9  # of weights: 1/3 has no end


def check_hypotheses(study: Study) -> None:
    """Refuse what no run could answer, before anything else is read or built.

    Whether a probe produces the conditions, and a metric applies to it, is seen when the probe is
    built.

    Raises
    ------
    InputError : names the key, what stood there, what may, and the nearest name
    """
    first_with: dict[str, int] = {}
    for index, hypothesis in enumerate(study.hypotheses):
        where = f"hypotheses.{index}"
        first = first_with.setdefault(hypothesis.id, index)
        if first != index:
            raise InputError(
                "an id stands twice",
                where=f"{where}.id",
                found=hypothesis.id,
                allowed="an id of its own for each hypothesis",
                hint=f"hypotheses.{first} has it first",
            )
        _check_contrast(hypothesis, study, f"{where}.contrast")
        _check_what_scores(hypothesis, study, where)
        _check_margin(hypothesis, f"{where}.margin")
        if hypothesis.condition is not None and hypothesis.contrast.conditions is not None:
            raise InputError(
                "the contrast names its two conditions already",
                where=f"{where}.condition",
                found=hypothesis.condition,
                hint="leave `condition` out",
            )


def _check_what_scores(hypothesis: Hypothesis, study: Study, where: str) -> None:
    """Refuse a hypothesis without a probe and a metric, or a measure in place of both."""
    if hypothesis.measure is None:
        for key in ("probe", "metric"):
            if getattr(hypothesis, key) is None:
                hint = "a probe and a metric, or a measure in place of both"
                raise InputError("missing key", where=f"{where}.{key}", hint=hint)
        _check_metric(str(hypothesis.metric), listing("metrics"), f"{where}.metric")
        probes = [TEST_PROBE, *study.probes]
        if hypothesis.probe not in probes:
            raise unknown_name("probe", str(hypothesis.probe), probes, where=f"{where}.probe")
        return
    if hypothesis.measure not in study.measures:
        raise unknown_name("measure", hypothesis.measure, study.measures, where=f"{where}.measure")
    for key in ("probe", "metric"):
        if getattr(hypothesis, key) is not None:
            raise InputError(
                "a measure stands in place of probe and metric",
                where=f"{where}.{key}",
                found=getattr(hypothesis, key),
                hint=f"leave `{key}` out: the measure names its own probe under `measures`",
            )


def _check_operand(operand: Operand, study: Study, where: str, others: Iterable[str] = ()) -> None:
    """Refuse models that the study does not have, and weights that make no mean."""
    weights = networks_of(operand)
    for model in dict.fromkeys(model for networks in weights for model in networks):
        if model not in study.models:
            raise unknown_name("model", model, [*study.models, *others], where=where)
    total = sum(weights.values())
    if min(weights.values()) <= 0 or abs(total - 1) > _ROUNDING:
        raise InputError(
            "the weights of a mean are above 0 and sum to 1",
            where=where,
            found=", ".join(f"{model} {each:g}" for (model,), each in weights.items())
            + f": a sum of {total:g}",
        )


def _check_pair(pair: tuple[str, ...], study: Study, where: str) -> None:
    """Refuse a pair of models of which no two networks count."""
    if len(set(pair)) == 1 and study.num_networks(pair[0]) < 2 <= len(study.seeds):
        raise InputError(
            "one network is no pair",
            where=where,
            found=list(pair),
            allowed=f"a file of {GIVEN} for each seed",
        )
    one_recipe = len(set(pair)) == 1 or not any(study.is_given(model) for model in pair)
    if one_recipe and len(study.seeds) < 2:
        raise InputError(
            "pairs of networks need two seeds: those of equal seed saw the same order of examples",
            where=where,
            found=f"seeds {', '.join(map(str, study.seeds))}",
        )


def _check_contrast(hypothesis: Hypothesis, study: Study, where: str) -> None:
    contrast = hypothesis.contrast
    a, b = contrast.a, contrast.b
    if a == CHANCE:
        raise InputError("chance stands second, as `b`", where=f"{where}.a", found=a)
    _check_operand(a, study, f"{where}.a")
    if b is not None and b != CHANCE:
        _check_operand(b, study, f"{where}.b", [CHANCE])
    if b == CHANCE and hypothesis.measure is not None:
        raise InputError(
            "a measure has no chance",
            where=f"{where}.b",
            found=b,
            allowed="another model, or in place of b a level",
        )
    pairs = [len(each) > 1 for side in (a, b) if side not in (None, CHANCE) for each in _of(side)]
    if any(pairs) and hypothesis.measure is None:
        raise InputError(
            "a pair of models is what a measure of two is asked of",
            where=f"{where}.a",
            found=a if isinstance(a, tuple) else b,
            allowed="with `measure` in place of `probe` and `metric`; {x: 0.5, y: 0.5} is a mean",
        )
    if any(pairs) and not all(pairs):
        raise InputError(
            "a pair of models is compared with a pair", where=where, found=f"{a} and {b}"
        )
    for pair in {each for side in (a, b) if any(pairs) and side is not None for each in _of(side)}:
        _check_pair(pair, study, where)
    if b not in (None, CHANCE) and _same(_of(a), _of(b)):
        raise InputError("a model is not compared with itself", where=where, found=a)
    compared = (b, contrast.level, contrast.conditions, contrast.between)
    if all(each is None for each in compared):
        raise InputError(
            "a contrast needs something to compare with",
            where=where,
            found=f"a: {a}",
            allowed="b: another model or chance; level: a score; conditions: two arms; "
            "between: two levels of a factor",
        )
    if contrast.level is not None and (b is not None or contrast.conditions is not None):
        raise InputError(
            "a level is what one model on one condition is compared with",
            where=f"{where}.level",
            found=f"level: {contrast.level:g} beside {'b' if b is not None else 'conditions'}",
        )
    if contrast.conditions is not None:
        if b == CHANCE:
            raise InputError(
                "chance has no difference between conditions to compare with",
                where=f"{where}.b",
                found=b,
                hint="leave `b` out to compare the two conditions of one model",
            )
        if len(set(contrast.conditions)) < 2:
            raise InputError(
                "a condition is not compared with itself",
                where=f"{where}.conditions",
                found=contrast.conditions[0],
            )


def _of(operand: Operand | None) -> dict[tuple[str, ...], float]:
    """Return the weights of an operand, where the order within a pair does not count."""
    assert operand is not None
    return {tuple(sorted(each)): weight for each, weight in networks_of(operand).items()}


def _same(a: Mapping[tuple[str, ...], float], b: Mapping[tuple[str, ...], float]) -> bool:
    return all(abs(a.get(each, 0.0) - b.get(each, 0.0)) < _ROUNDING for each in {*a, *b})


def _check_metric(metric: str, packaged: Iterable[str], where: str) -> None:
    file, colon, _ = metric.partition(":")
    if not colon and metric not in packaged:
        raise unknown_name("metric", metric, packaged, where=where)
    if file.endswith(".py"):  # a report is made of a folder that has moved away from its study
        raise InputError(
            "a metric of your own must be importable",
            where=where,
            found=metric,
            allowed="a packaged metric, or package.module:function",
        )


def _check_margin(hypothesis: Hypothesis, where: str) -> None:
    found = f"expect {hypothesis.expect}, margin {hypothesis.margin}"
    if hypothesis.expect == "equivalent" and hypothesis.margin is None:
        raise InputError(
            "`equivalent` needs a margin: how large a difference would still be none?",
            where=where,
            found=found,
            allowed="a number above 0 in the metric's units (0.02: two points of accuracy)",
        )
    if hypothesis.expect in {"less", "greater"} and hypothesis.margin is not None:
        raise InputError(
            f"`{hypothesis.expect}` is a direction and has no margin",
            where=where,
            found=found,
            allowed="`equivalent` needs one, `different` may have one",
        )


def digests(hypotheses: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Hash each hypothesis, so that a change of any of its keys can be told later."""
    return {str(hypothesis["id"]): digest(dict(hypothesis)) for hypothesis in hypotheses}


def changed_late(history: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Say which hypotheses were added, changed or withdrawn when results existed already.

    Parameters
    ----------
    history : of `study.json`: entries with `date`, `results` (whether any run had begun then) and
        `hypotheses` (their `digests`), oldest first

    Returns
    -------
    id -> "added on 2026-11-24", "changed on ...", "withdrawn on ..."; the last that happened
    """
    late: dict[str, str] = {}
    for before, entry in pairwise(history):
        if not entry.get("results"):
            continue
        old, new = before.get("hypotheses", {}), entry.get("hypotheses", {})
        for name in dict.fromkeys([*old, *new]):
            if old.get(name) != new.get(name):
                what = "added" if name not in old else "changed" if name in new else "withdrawn"
                late[name] = f"{what} on {entry['date'][:10]}"
    return late


def check_controls(study: Study) -> None:
    """Refuse controls that no run could meet or violate.

    Raises
    ------
    InputError : names the key, and the nearest name
    """
    values = {factor.name: factor.values for factor in study.factors}
    probes = [TEST_PROBE, *study.probes]
    metrics = listing("metrics")
    for index, control in enumerate(study.controls):
        where = f"controls.{index}"
        if control.model not in study.models:
            raise unknown_name("model", control.model, study.models, where=f"{where}.model")
        if control.probe not in probes:
            raise unknown_name("probe", control.probe, probes, where=f"{where}.probe")
        if control.metric is not None and control.metric not in metrics:
            raise unknown_name("metric", control.metric, metrics, where=f"{where}.metric")
        low, high = control.within
        if not low <= high:
            raise InputError(
                "a range of scores goes from low to high",
                where=f"{where}.within",
                found=[low, high],
                allowed="[low, high] with low <= high",
            )
        for name, value in (control.at or {}).items():
            if name not in values:
                raise unknown_name("factor", name, values, where=f"{where}.at.{name}")
            if value not in values[name]:
                raise InputError(
                    f"{name} has no such level",
                    where=f"{where}.at.{name}",
                    found=value,
                    allowed=[written(each) for each in values[name]],
                )

"""The profile of each model: its biases side by side, each with its intervals."""

import re
from collections.abc import Iterator, Mapping, Sequence
from math import nan
from typing import Any

import numpy as np

from priorscope.analysis.compare import Row, within
from priorscope.claims import ArmScores, Claim, Settings, Term, claim_scores
from priorscope.claims.inference import crossed
from priorscope.stats import Estimate, retained_share

CONTROL_MODELS = ("pixel_set_mlp", "bag_of_local_features", "linear")
_FAMILY = re.compile(r"_-?[0-9.]+$")


def profile_rows(
    arms: Sequence[ArmScores], record: Mapping[str, Any], settings: Settings
) -> list[Row]:
    """Estimate every bias of each model that a study's probes and measures speak of.

    Of a probe it is the share of the score above chance that is left in a family of arms, averaged
    over its strengths (`stats.retained_share`); of a measure of one network its first arm.

    Parameters
    ----------
    arms : of every probe and measure of a study
    record : its `study.json`; that of before the profile names no biases

    Returns
    -------
    bias : number of the row of the profile, from 0; source : name of the probe or measure; family :
    of its arms; kind : "probe" or "measure"; model; estimate, low, high; all_low, all_high : ends
    of the interval that holds for all biases of one model together (Bonferroni); num_seeds, n;
    declared : whether a hypothesis speaks of it; reason : why there is no number
    """
    rows = []
    found = list(_biases(arms, record))
    together = 1 - settings.alpha / max(1, len({(source, family) for source, family, _ in found}))
    places: dict[tuple[str, str], int] = {}
    first = {arm.probe: arm.arm for arm in reversed(arms)}
    for source, family, of_bias in found:
        measure = of_bias[0].metric == ""
        place = places.setdefault((source, family), len(places))
        for model in of_bias[0].scores:
            one, simultaneous = (
                _of_measure(of_bias[0], model, level)
                if measure
                else _of_probe(of_bias, model, level)
                for level in (settings.confidence, together)
            )
            rows.append(
                {"bias": place, "source": source, "family": family}
                | {"kind": "measure" if measure else "probe", "model": model}
                | _interval(one, simultaneous)
                | {"num_seeds": len(of_bias[0].scores[model]), "n": len(of_bias[0].ids)}
                | {"declared": _is_declared(source, of_bias, first[source], record)}
                | {"reason": "" if one else "the control is not clearly above chance"}
                | {"cell": of_bias[0].cell, **dict(of_bias[0].levels)}
            )
    return rows


def control_models(models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """List the models of a study whose biases are known from what they are."""
    return [
        name
        for name, model in models.items()
        if model["name"] in CONTROL_MODELS or model.get("mixer") == "identity"
    ]


def family_of(arm: str) -> str:
    """Name the family of an arm: its name without the number at its end."""
    return _FAMILY.sub("", arm)


def _biases(
    arms: Sequence[ArmScores], record: Mapping[str, Any]
) -> Iterator[tuple[str, str, list[ArmScores]]]:
    """List source and family of every bias with its arms, the control last, cell by cell."""
    for source, families in (record.get("biases") or {}).items():
        of_source = [arm for arm in arms if arm.probe == source and arm.budget == 1]
        for family, bias in families.items():
            for cell in dict.fromkeys(arm.cell for arm in of_source):
                in_cell = [arm for arm in of_source if arm.cell == cell]
                if not family:
                    if in_cell[0].scores:
                        yield source, family, in_cell[:1]
                    continue
                main = [arm for arm in in_cell if arm.metric == in_cell[0].metric]
                shown = [arm for arm in main if family_of(arm.arm) == family]
                control = [arm for arm in main if arm.arm == bias["control"]]
                if shown and control:
                    yield source, family, [*shown, *control]


def _of_measure(arm: ArmScores, model: str, confidence: float) -> Estimate:
    scores = claim_scores(Claim(arm.probe, "", (Term(1.0, model, arm.levels, arm.arm),)), [arm])
    assert scores is not None, "the arm has it"
    found = crossed(scores, confidence)
    known = found.standard_error > 0 or found.n > 1
    low, high = within(found.low, found.high, arm.scale.low, arm.scale.high)
    ends = (low, high) if known else (nan, nan)
    return Estimate(found.estimate, *ends, found.method, found.n)


def _of_probe(arms: Sequence[ArmScores], model: str, confidence: float) -> Estimate | None:
    """Estimate what is left of a model's score above chance, on the scenes that all arms show."""
    *altered, control = arms
    ids = control.ids
    for arm in altered:
        ids = np.intersect1d(ids, arm.ids)
    scores = [arm.scores[model][:, np.searchsorted(arm.ids, ids)] for arm in arms]
    units = control.units
    return retained_share(
        np.mean(scores[:-1], axis=0),
        scores[-1],
        chance=control.chance.expected,
        confidence=confidence,
        clusters=None if units is None else units[np.searchsorted(control.ids, ids)],
    )


def _interval(one: Estimate | None, together: Estimate | None) -> Row:
    ends = {"estimate": one and one.estimate}
    ends |= {"low": one and one.low, "high": one and one.high}
    ends |= {"all_low": together and together.low, "all_high": together and together.high}
    return {key: None if value is None or np.isnan(value) else value for key, value in ends.items()}


def _is_declared(
    source: str, arms: Sequence[ArmScores], first: str, record: Mapping[str, Any]
) -> bool:
    """Tell whether a hypothesis speaks of a measure, or of an altered arm of a probe."""
    for hypothesis in record["study"].get("hypotheses") or []:
        if hypothesis.get("measure") == source:
            return True
        named = {hypothesis.get("condition"), *(hypothesis["contrast"].get("conditions") or [])}
        named = named - {None} or {first}
        if hypothesis.get("probe") == source and named & {arm.arm for arm in arms[:-1]}:
            return True
    return False

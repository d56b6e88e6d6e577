"""Whether a study's measures can be asked of its models, before anything is trained."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import torch
from torch import nn

from priorscope.claims.terms import claim_of
from priorscope.components import errors_at
from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.measures import WHOLE, DoesNotApply, measurement_of, of_pair
from priorscope.preflight.conditions import arm_keys, check_arm, check_numbers, silent_answers
from priorscope.probes import ProbeSet
from priorscope.runs.features import Features
from priorscope.runs.given_images import as_seen
from priorscope.runs.measure import (
    BEGAN_ELSEWHERE,
    Bound,
    bound,
    measure_network,
    rows_asked,
    take_features,
)
from priorscope.runs.prepare import StudyData
from priorscope.study.measures import measures_of
from priorscope.study.spec import Hypothesis, Study

_FEW_IMAGES = 8  # that untrained networks are asked on

Arms = dict[str, tuple[str, ...]]  # of a measure, by model; those to which it does not apply lack


def check_measures(
    study: Study, probes: Mapping[str, ProbeSet], models: Mapping[str, nn.Module], data: StudyData
) -> dict[str, dict[str, Any]]:
    """Ask untrained networks every declared measure on a few images, and random answers.

    Returns
    -------
    name -> `kind`, "network", or "predictions" or "features" of two; `scale`; `probe`;
    `does_not_apply`, model -> why a declared measure has no value of it; as plain values, also of
    the measures that every study has

    Raises
    ------
    InputError : a measure that cannot be made, fails, or applies to no model; a hypothesis about a
        model to which its measure does not apply, about pairs by a measure of one network, or with
        a condition, level or margin that the measure does not have
    """
    asked = {
        name: bound(name, measure, study.base)
        for name, measure in measures_of(study.as_dict()).items()
    }
    arms: dict[str, Arms] = {}
    reasons: dict[str, dict[str, str]] = {name: {} for name in asked}
    seen = {model: as_seen(study, model, data) for model in models}
    for name, each in asked.items():
        if each.measure.declared:
            probe = probes[each.measure.probe]
            _check_number(name, each, probe)
            begun = models
            if each.measure.state == "untrained":
                begun = {model: of for model, of in models.items() if model in study.trained}
            if each.kind == "network":
                arms[name], reasons[name] = _ask_networks(name, each, probe, begun, seen)
            elif each.kind == "features":
                arms[name], reasons[name] = _ask_features(name, each, probe, begun, seen)
            else:
                arms[name] = _ask_answers(name, each, probe, begun)
            reasons[name] |= dict.fromkeys(models.keys() - begun.keys(), BEGAN_ELSEWHERE)
    for index, hypothesis in enumerate(study.hypotheses):
        if hypothesis.measure is not None:
            name = hypothesis.measure
            _check_hypothesis(hypothesis, asked[name], arms[name], f"hypotheses.{index}")
    return {
        name: {"kind": each.kind, "scale": asdict(each.scale), "probe": each.measure.probe}
        | {"does_not_apply": reasons[name]}
        for name, each in asked.items()
    }


def _check_number(name: str, asked: Bound, probe: ProbeSet) -> None:
    """Refuse more images than there are, or a number where all answers are used."""
    number, where = asked.measure.num_images, f"measures.{name}.num_images"
    if number is None:
        return
    if asked.kind == "predictions":
        raise InputError(
            "a measure of two takes all answers on its probe",
            where=where,
            found=number,
            hint="leave `num_images` out",
        )
    there = int((probe.conditions["arm"] == probe.arms[0]).sum())
    if number > there:
        raise InputError(
            "more images than the probe has",
            where=where,
            found=number,
            allowed=f"at most {there:,} ({asked.measure.probe})",
        )


def _ask_networks(
    name: str,
    asked: Bound,
    probe: ProbeSet,
    models: Mapping[str, nn.Module],
    data: Mapping[str, StudyData],
) -> tuple[Arms, dict[str, str]]:
    """Ask a measure of untrained networks: its arms by model, and why it has none of others."""
    found, reasons = _of_each(measure_network, name, asked, probe, models, data)
    return {model: stored.measurement.arms for model, stored in found.items()}, reasons


def _ask_features(
    name: str,
    asked: Bound,
    probe: ProbeSet,
    models: Mapping[str, nn.Module],
    data: Mapping[str, StudyData],
) -> tuple[Arms, dict[str, str]]:
    """Ask a measure of two of all pairs of untrained networks, both ways round."""
    where = f"measures.{name}"
    _refuse_file(asked, where)
    found: dict[str, Features]
    found, reasons = _of_each(take_features, name, asked, probe, models, data)
    for one, other in combinations_with_replacement(found, 2):
        a, b = found[one].arrays, found[other].arrays
        ids = np.arange(len(found[one]))
        try:
            with errors_at(where):
                ways = [
                    of_pair(asked.function(*pair, **asked.parameters), ids, where=where)[0]
                    for pair in ((a, b), (b, a))
                ]
        except DoesNotApply as error:
            reasons.setdefault(one, error.problem)
        else:
            check_symmetry(ways[0].values, ways[1].values, where)
    return dict.fromkeys(found, (WHOLE,)), reasons


def _of_each(
    ask: Callable[..., Any],
    name: str,
    asked: Bound,
    probe: ProbeSet,
    models: Mapping[str, nn.Module],
    data: Mapping[str, StudyData],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Ask each network: what it gives by model, and why others give nothing.

    Raises
    ------
    InputError : the measure fails, or applies to no model
    """
    found, reasons = {}, {}
    rows = rows_asked(asked.measure, probe, min(_FEW_IMAGES, asked.measure.num_images or 256))
    for model, network in models.items():
        cpu = torch.device("cpu")
        try:
            with errors_at(f"measures.{name}"):
                stored = ask(
                    network, name, asked, probe, rows, preprocess=data[model].preprocess, device=cpu
                )
        except DoesNotApply as error:
            reasons[model] = error.problem
        except InputError as error:
            error.where = f"{error.where} (of {model})"
            raise
        else:
            found[model] = stored
    if not found:
        raise InputError(
            "a measure that applies to none of the models",
            where=f"measures.{name}",
            found="; ".join(dict.fromkeys(reasons.values())),
        )
    return found, reasons


def _refuse_file(asked: Bound, where: str) -> None:
    """Refuse a measure of two in a file beside the study: a report is made without the study."""
    if asked.measure.component.name.partition(":")[0].endswith(".py"):
        raise InputError(
            "a measure of two of your own must be importable",
            where=f"{where}.name",
            found=asked.measure.component.name,
            allowed="a packaged measure, or package.module:function",
        )


def _ask_answers(name: str, asked: Bound, probe: ProbeSet, models: Mapping[str, nn.Module]) -> Arms:
    """Ask a measure of two of random answers, both ways round."""
    where = f"measures.{name}"
    _refuse_file(asked, where)
    rng = np.random.default_rng(0)
    for arm in probe.arms:
        a, b = (_random_answers(probe, arm, rng) for _ in range(2))
        with errors_at(where):
            ways = [
                measurement_of(asked.function(*pair, **asked.parameters), a.ids, where=where)
                for pair in ((a, b), (b, a))
            ]
        check_symmetry(ways[0].values, ways[1].values, where)
    return dict.fromkeys(models, probe.arms)


def _random_answers(probe: ProbeSet, arm: str, rng: np.random.Generator) -> Predictions:
    silent = silent_answers(probe, arm)
    silent.logits[:] = rng.normal(size=silent.logits.shape)
    return silent


def check_symmetry(one: np.ndarray, other: np.ndarray, where: str) -> None:
    """Refuse a measure of two whose values hang on which network comes first.

    Raises
    ------
    InputError : they do
    """
    if one.shape != other.shape or not np.allclose(one, other, rtol=1e-6, atol=1e-9):
        raise InputError(
            "a measure of two must not depend on which comes first",
            where=where,
            found=f"{one.mean():.6g} of (a, b) and {other.mean():.6g} of (b, a)",
        )


def _check_hypothesis(hypothesis: Hypothesis, asked: Bound, arms: Arms, where: str) -> None:
    claim, name = claim_of(hypothesis), str(hypothesis.measure)
    of_two = asked.kind != "network"
    if claim.of_pairs != of_two:
        raise InputError(
            f"{name} is a measure of {'two networks' if of_two else 'one network'}",
            where=f"{where}.contrast.a",
            found=hypothesis.contrast.a,
            allowed="a pair of models, such as [vit, cnn]" if of_two else "a model",
        )
    for model in claim.models:
        if model not in arms:
            raise InputError(
                f"{name} does not apply to {model}",
                where=f"{where}.contrast",
                found=model,
                allowed=sorted(arms),
            )
        for key, arm in arm_keys(hypothesis, where).items():
            check_arm(arm, f"{name} of {model}", arms[model], key)
    check_numbers(hypothesis, asked.scale, float("nan"), name, where)

"""Ask a trained network what a study's measures ask, on images of a probe."""

import inspect
import zlib
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from priorscope.components import bind, companion, errors_at, resolve
from priorscope.data import Preprocess, proportional_sample
from priorscope.errors import InputError, PriorscopeError, RunFailed
from priorscope.measures import DoesNotApply, Measurement, kind_of, measurement_of
from priorscope.metrics import Scale, declared_scale
from priorscope.probes import ProbeSet
from priorscope.runs.answers import fingerprint_of, logits_of, write_answers
from priorscope.runs.failures import failures_of_the_model
from priorscope.runs.features import Features, write_features
from priorscope.runs.measurements import (
    Stored,
    file_of,
    in_state,
    what_it_depends_on,
    write_measurement,
)
from priorscope.runs.store import read_run, write_json
from priorscope.study.measures import (
    FRAMEWORK_KEYS,
    NUM_IMAGES,
    Material,
    Measure,
    State,
    measures_of,
)
from priorscope.study.spec import Study
from priorscope.training import distributed
from priorscope.training.streams import seeded_streams

BEGAN_ELSEWHERE = "it was trained elsewhere, and what it began with is not known"


@dataclass(frozen=True, eq=False)
class Bound:
    """A measure with its callable and checked parameters.

    Attributes
    ----------
    kind : "network"; "predictions" of two networks, or "features"
    """

    measure: Measure
    function: Any
    parameters: Mapping[str, Any]
    kind: str
    scale: Scale

    @property
    def material(self) -> Material:
        """Tell what a run stores for it."""
        material = self.measure.material(self.kind)
        assert material is not None, "no network is asked for it"
        return material


def bound(name: str, measure: Measure, base: Path) -> Bound:
    """Import a measure, and check its parameters.

    Raises
    ------
    InputError : nothing has that name, a parameter that it does not have or allow, or what it is a
        measure of cannot be told
    """
    where, component = f"measures.{name}", measure.component
    function = resolve("measures", component.name, base=base, where=f"{where}.name")
    kind = kind_of(function, where=where)
    parameters = bind(
        function,
        component.parameters,
        where=where,
        reserved=("rng",),
        beside=FRAMEWORK_KEYS,
        base=base,
    )
    if kind == "features" and not callable(companion(function, "features")):
        raise InputError(
            "a measure on features needs the function that takes them",
            where=f"{where}.name",
            found=component.name,
            allowed="`features(network, images, *, rng, ...)` in the same file",
        )
    with errors_at(where):
        scale = in_state(declared_scale(function, component.name, **parameters), measure.state)
    return Bound(measure, function, parameters, kind, scale)


def asked_of_networks(study: Study) -> dict[str, Bound]:
    """List the measures for which single networks of a study are asked something.

    Raises
    ------
    InputError : as `bound`
    """
    measures = measures_of(study.as_dict())
    found = {name: bound(name, measure, study.base) for name, measure in measures.items()}
    return {name: each for name, each in found.items() if each.measure.material(each.kind)}


def measure_all(
    networks: Mapping[State, nn.Module],
    asked: Mapping[str, Bound],
    probes: Mapping[str, ProbeSet],
    *,
    base: Path,
    preprocess: Preprocess,
    device: torch.device,
    precision: str,
    folder: Path,
) -> None:
    """Store what a run's network is asked, and note it in the record of the run.

    The run is finished before, so that a measure that fails costs nothing else.

    Parameters
    ----------
    networks : the trained one, and if a measure asks for it the one that training began with, where
        that is known
    base : the study's folder
    precision : in which answers are computed
    folder : the run's, with `run.json`

    Raises
    ------
    RunFailed : a declared measure fails; what the others gave is stored
    """
    made, failed = {}, []
    for name, each in asked.items():
        probe = probes[each.measure.probe]
        entry = {"of": what_it_depends_on(each.measure, base, fingerprint_of(probe))}
        if each.measure.state not in networks:
            made[name] = entry | {"does_not_apply": BEGAN_ELSEWHERE}
            continue
        network = networks[each.measure.state]
        rows = rows_asked(each.measure, probe)
        try:
            with failures_of_the_model(folder, f"measure {name}"):
                if each.material == "answers":
                    with _as_it_is(network), seeded_streams(zlib.crc32(name.encode()), device):
                        logits = logits_of(
                            network,
                            probe.images,
                            preprocess=preprocess,
                            device=device,
                            precision=precision,
                        )
                    write_answers(logits, each.measure.probe, probe, folder / file_of(name))
                    made[name] = entry
                    continue
                ask = measure_network if each.material == "values" else take_features
                stored = ask(network, name, each, probe, rows, preprocess=preprocess, device=device)
        except DoesNotApply as error:
            made[name] = entry | {"does_not_apply": error.problem}
        except (InputError, RunFailed) as error:
            if each.measure.declared:
                failed.append(f"measure {name}: {_in_a_line(error)}")
            else:  # nobody asked for it
                made[name] = entry | {"does_not_apply": _in_a_line(error)}
        else:
            made[name] = entry
            if not distributed.is_main():
                continue
            path = folder / file_of(name, each.material)
            if isinstance(stored, Features):
                write_features(stored, path)
            else:
                write_measurement(stored, path)
    if distributed.is_main() and made:
        record = read_run(folder)
        record["measurements"] = record.get("measurements", {}) | made
        write_json(record, folder / "run.json", sealed=True)
    if failed:
        raise RunFailed("; ".join(failed))


def _in_a_line(error: PriorscopeError) -> str:
    if not isinstance(error, InputError):
        return str(error)
    return error.problem + ("" if error.found is None else f", found {error.found}")


def rows_asked(measure: Measure, probe: ProbeSet, most: int | None = None) -> np.ndarray:
    """Choose the rows of a probe whose images a measure sees: of what the probe is about.

    Parameters
    ----------
    most : in place of what the study says

    Returns
    -------
    int64 [n], ascending; every class and cluster by its share, the same for all runs
    """
    number = most or measure.num_images or NUM_IMAGES
    rows = np.flatnonzero(probe.conditions["arm"] == probe.arms[0])
    groups = [np.unique(probe.targets[rows], axis=0, return_inverse=True)[1].ravel()]
    if probe.clusters is not None:
        groups.append(np.unique(probe.clusters[rows], return_inverse=True)[1])
    if len(rows) <= number:
        return rows
    return rows[proportional_sample(groups, number, np.random.default_rng(0))]


def measure_network(
    network: nn.Module,
    name: str,
    asked: Bound,
    probe: ProbeSet,
    rows: np.ndarray,
    *,
    preprocess: Preprocess,
    device: torch.device,
) -> Stored:
    """Measure a network on images of a probe; its random numbers depend on the measure's name only.

    Raises
    ------
    DoesNotApply : there is nothing to measure in this network
    InputError : what the measure returns is no measurement
    """
    found = _ask(asked.function, network, name, asked, probe, rows, preprocess, device)
    places = np.arange(len(rows), dtype=np.int64)
    measurement = measurement_of(found, places, where=f"measures.{name}")
    whole = all(int((measurement.conditions["arm"] == arm).sum()) == 1 for arm in measurement.arms)
    if whole and len(rows) > 1:
        return Stored(measurement, asked.scale)
    if not set(measurement.ids.tolist()) <= set(places.tolist()):
        raise InputError(
            "a measurement's ids are the places of the images that the measure was given",
            where=f"measures.{name}",
            found=f"id {max(measurement.ids, key=abs)}",
            allowed=f"0 .. {len(rows) - 1}",
        )
    chosen = rows[measurement.ids]
    clusters = None if probe.clusters is None else probe.clusters[chosen]
    named = Measurement(measurement.values, probe.ids[chosen], measurement.conditions)
    return Stored(named, asked.scale, clusters)


def take_features(
    network: nn.Module,
    name: str,
    asked: Bound,
    probe: ProbeSet,
    rows: np.ndarray,
    *,
    preprocess: Preprocess,
    device: torch.device,
) -> Features:
    """Take what a measure of two needs to know of a network; random numbers as `measure_network`.

    Raises
    ------
    DoesNotApply : this network has no such features
    InputError : they are no arrays, or have a value that is not finite
    """
    take = companion(asked.function, "features")
    found = _ask(take, network, name, asked, probe, rows, preprocess, device)
    where = f"measures.{name}: features"
    if not isinstance(found, Mapping) or not found:
        raise InputError("features are a dict of arrays", where=where, found=type(found).__name__)
    arrays = {str(key): _as_array(value) for key, value in found.items()}
    for key, array in arrays.items():
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise InputError("features must be finite numbers", where=where, found=key)
    return Features(
        arrays, probe.ids[rows], None if probe.clusters is None else probe.clusters[rows]
    )


def _as_array(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def _ask(
    function: Any,
    network: nn.Module,
    name: str,
    asked: Bound,
    probe: ProbeSet,
    rows: np.ndarray,
    preprocess: Preprocess,
    device: torch.device,
) -> Any:
    """Call what is asked of a network on images of a probe, with their targets if it takes them."""
    seed = zlib.crc32(name.encode())
    with _as_it_is(network), seeded_streams(seed, device):
        seen = [preprocess(torch.from_numpy(probe.images[rows].copy()).to(device))]
        if "targets" in inspect.signature(function).parameters:
            seen.append(torch.from_numpy(probe.targets[rows].copy()).to(device))
        return function(network, *seen, rng=np.random.default_rng(seed), **asked.parameters)


@contextmanager
def _as_it_is(network: nn.Module):
    """Let a network answer as it does in tests, and leave no gradients behind."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
        network.zero_grad(set_to_none=True)

"""Measurements of a trained network on disk, beside its predictions and sealed like them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from priorscope.errors import InputError
from priorscope.measures import Measurement
from priorscope.metrics import Scale
from priorscope.study.measures import Material, Measure, State
from priorscope.study.plain import digest
from priorscope.study.plan import code_of

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Stored:
    """What a file of measurements holds.

    Attributes
    ----------
    measurement : the values, with the ids of the probe's scenes
    scale : of the measure
    clusters : str [n] or None, of the scenes
    """

    measurement: Measurement
    scale: Scale
    clusters: np.ndarray | None = None


def file_of(name: str, material: Material = "values") -> str:
    """Name the file of what a run stores for a measure, relative to the run's folder."""
    return f"measurements/{name}.{'safetensors' if material == 'features' else 'parquet'}"


def in_state(scale: Scale, state: State) -> Scale:
    """Let the words of a measure's scale say when it is of networks that are not trained yet."""
    return scale if state == "trained" else replace(scale, words=f"{scale.words}, untrained")


def what_it_depends_on(measure: Measure, base: Path, images: str) -> str:
    """Hash what a measurement depends on beside the network: parameters, the user's code, images.

    Parameters
    ----------
    images : the fingerprint of the probe
    """
    return digest([measure.as_dict(), code_of(measure.component, base), images])


def write_measurement(stored: Stored, path: Path) -> None:
    """Write Parquet: `id`, one column a condition, `cluster`, `value`.

    The file is written beside its place and renamed into it; its metadata have the scale, the
    place, and a digest of all values.
    """
    found = stored.measurement
    columns = {"id": pa.array(found.ids)}
    columns |= {name: pa.array(column) for name, column in found.conditions.items()}
    if stored.clusters is not None:
        columns["cluster"] = pa.array(stored.clusters)
    columns["value"] = pa.array(found.values)
    header = {
        "format": FORMAT,
        "conditions": list(found.conditions),
        "scale": asdict(stored.scale),
        "digest": _digest_of(stored),
        "place": _place_of(path),
    }
    table = pa.table(columns).replace_schema_metadata({"priorscope": json.dumps(header)})
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".partial")
    pq.write_table(table, beside, compression="zstd", write_page_checksum=True)
    beside.replace(path)


def read_measurement(path: Path) -> Stored:
    """Read what `write_measurement` wrote to this place.

    Raises
    ------
    InputError : the file is damaged, another run's, or was not written by priorscope
    """
    try:
        table = pq.read_table(path, page_checksum_verification=True)
        header: Mapping[str, Any] = json.loads(table.schema.metadata[b"priorscope"])
        conditions = {name: _column(table, name) for name in header["conditions"]}
        found = Measurement(table["value"].to_numpy(), table["id"].to_numpy(), conditions)
        clusters = _column(table, "cluster") if "cluster" in table.column_names else None
        stored = Stored(found, Scale(**header["scale"]), clusters)
        if header["digest"] != _digest_of(stored):
            raise ValueError("the values are not those that were written")
        if header["place"] != _place_of(path):
            raise ValueError(f"it was written as {header['place']}")
    except Exception as error:  # a damaged description makes the reader raise almost anything
        raise InputError(
            "measurements file cannot be read",
            where=path,
            found=f"{type(error).__name__}: {error}",
            hint="remove it and run the study again: it is computed anew from the stored weights",
        ) from None
    return stored


def _column(table: pa.Table, name: str) -> np.ndarray:
    return np.array(table[name].to_pylist())


def _place_of(path: Path) -> str:
    """Name a file by its run and what it holds: the same when a study's folder is moved."""
    return "/".join(path.absolute().parts[-4:])


def _digest_of(stored: Stored) -> str:
    """Hash everything that a file says (SHA-256)."""
    found = stored.measurement
    whole = hashlib.sha256(np.ascontiguousarray(found.values, dtype=np.float64).tobytes())
    columns = {name: column.tolist() for name, column in found.conditions.items()}
    clusters = None if stored.clusters is None else stored.clusters.tolist()
    rest = [found.ids.tolist(), columns, clusters, asdict(stored.scale)]
    whole.update(json.dumps(rest).encode())
    return whole.hexdigest()

"""Predictions on disk: the evidence from which every number of a report can be recomputed."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from priorscope.errors import InputError
from priorscope.evaluation.predictions import Predictions

FORMAT = 1


def write_predictions(predictions: Predictions, path: Path) -> None:
    """Write Parquet: `id`, `target` or `targets`, one column a condition, `cluster`, `logits`.

    The file is written beside its place and renamed into it. Its metadata have a digest of all
    values, and the place: pages have checksums of their own, but what describes them has none, and
    the file of another run is whole as well.
    """
    multi_hot = predictions.targets.ndim == 2
    columns: dict[str, pa.Array] = {"id": pa.array(predictions.ids)}
    if multi_hot:
        present = [np.flatnonzero(row).astype(np.int16) for row in predictions.targets]
        columns["targets"] = pa.array(present, type=pa.list_(pa.int16()))
    else:
        columns["target"] = pa.array(predictions.targets.astype(np.int16))
    columns |= {name: pa.array(column) for name, column in predictions.conditions.items()}
    if predictions.clusters is not None:
        columns["cluster"] = pa.array(predictions.clusters)
    flat = pa.array(np.ascontiguousarray(predictions.logits, dtype=np.float32).ravel())
    columns["logits"] = pa.FixedSizeListArray.from_arrays(flat, predictions.num_classes)
    header = {
        "format": FORMAT,
        "class_names": predictions.class_names,
        "conditions": list(predictions.conditions),
        "digest": _digest_of(predictions),
        "place": _place_of(path),
    }
    table = pa.table(columns).replace_schema_metadata({"priorscope": json.dumps(header)})
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".partial")
    with beside.open("wb") as file:  # a name that is not UTF-8 is none for pyarrow
        pq.write_table(table, file, compression="zstd", write_page_checksum=True)
    beside.replace(path)


def read_predictions(path: Path, *, in_place: bool = False) -> Predictions:
    """Read what `write_predictions` wrote.

    Parameters
    ----------
    in_place : refuse a file that was written to another place, such as that of another run

    Raises
    ------
    InputError : the file is damaged or was not written by priorscope
    """
    try:
        with path.open("rb") as file:
            table = pq.read_table(file, page_checksum_verification=True)
        if b"priorscope" not in (table.schema.metadata or {}):
            raise ValueError("it has no description of priorscope: another tool wrote it")
        header = json.loads(table.schema.metadata[b"priorscope"])
        class_names = tuple(header["class_names"])
        flat = table["logits"].combine_chunks().flatten().to_numpy()
        logits = flat.reshape(table.num_rows, len(class_names))
        if "targets" in table.column_names:
            targets = np.zeros(logits.shape, dtype=bool)
            lists = table["targets"].combine_chunks()
            rows = np.repeat(np.arange(len(lists)), lists.value_lengths().to_numpy())
            targets[rows, lists.flatten().to_numpy()] = True
        else:
            targets = table["target"].to_numpy().astype(np.int64)
        conditions = {name: _column(table, name) for name in header["conditions"]}
        clusters = _column(table, "cluster") if "cluster" in table.column_names else None
        ids = table["id"].to_numpy()
        found = Predictions(logits, targets, ids, conditions, class_names, clusters)
        # Files of earlier versions have neither.
        if "digest" in header and header["digest"] != _digest_of(found):
            raise ValueError("the values are not those that were written")
        if in_place and header.get("place", _place_of(path)) != _place_of(path):
            raise ValueError(f"it was written as {header['place']}")
    # A damaged description makes the reader raise almost anything.
    except Exception as error:
        raise InputError(
            "predictions file cannot be read",
            where=path,
            found=f"{type(error).__name__}: {error}",
            hint=f"remove {path.parents[2]} to train the run again: its weights on the way are gone"
            if "trajectory" in path.parts
            else "remove it and run the study again: only its predictions are recomputed",
        ) from None
    return found


def _place_of(path: Path) -> str:
    """Name a file by its run and what it holds: the same when a study's folder is moved."""
    return "/".join(path.absolute().parts[-4:])


def _digest_of(predictions: Predictions) -> str:
    """Hash everything that predictions say (SHA-256)."""
    digest = hashlib.sha256(np.ascontiguousarray(predictions.logits, dtype=np.float32).tobytes())
    columns = {name: column.tolist() for name, column in predictions.conditions.items()}
    clusters = None if predictions.clusters is None else predictions.clusters.tolist()
    rest = [predictions.ids.tolist(), predictions.targets.tolist(), columns, clusters]
    digest.update(json.dumps([rest, predictions.class_names]).encode())
    return digest.hexdigest()


def _column(table: pa.Table, name: str) -> np.ndarray:
    values = table[name].to_pylist()
    return np.array(values)

"""NPY and Parquet files: their columns, and which of them is an index."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from priorscope.errors import InputError
from priorscope.tables._sheet import Sheet


def read_npy(path: Path, allowed: str) -> Sheet:
    """Read an array as `sheet_of` does; nothing is unpickled."""
    return sheet_of(np.load(path, allow_pickle=False), path, allowed)


def sheet_of(array: object, path: Path, allowed: str) -> Sheet:
    """Take the cells of an array [n] or [n, columns], or of records."""
    if not isinstance(array, np.ndarray):
        found = type(array).__name__
        raise InputError("not an array of numbers", where=path, found=found, allowed=allowed)
    names = array.dtype.names
    parts = [array] if names is None else [array[name] for name in names]
    if wrong := [part.dtype for part in parts if part.dtype.kind not in "biufUS"]:
        raise InputError("not an array of numbers", where=path, found=wrong[0], allowed=allowed)
    if array.ndim > (2 if names is None else 1) or not array.ndim:
        raise InputError(
            "not a table of numbers",
            where=path,
            found=f"an array of shape {list(array.shape)}",
            allowed="one row an example, at least one row",
        )
    columns = parts if names else list(array.reshape(len(array), -1).T)
    frame = pl.DataFrame([pl.Series(str(i), _plain(part)) for i, part in enumerate(columns)])
    return Sheet(path, frame, names)


def _plain(column: np.ndarray) -> np.ndarray:
    """Bring a column into a type and an order of bytes that polars has."""
    if column.dtype.kind == "S":
        return np.char.decode(column, "utf-8")
    if column.dtype.kind == "f":
        return column.astype(float)
    return np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("="))


def read_parquet(path: Path) -> Sheet:
    """Read one column a class, or a column of lists beside others.

    Pandas notes in a file's metadata which columns are the index.
    """
    frame = pl.read_parquet(path, hive_partitioning=False)
    declared = _pandas_index(path)
    lists = [name for name in frame.columns if isinstance(frame[name].dtype, pl.List | pl.Array)]
    if len(lists) > 1:
        raise InputError(
            "several columns of lists",
            where=path,
            found=", ".join(lists),
            allowed="one, with a number a class",
        )
    if lists:
        frame = _spread(frame, lists[0], path)
    index = frozenset(i for i, name in enumerate(frame.columns) if name in declared)
    return Sheet(path, frame, tuple(frame.columns), index=index)


def _pandas_index(path: Path) -> set[str]:
    metadata = pq.read_schema(path).metadata or {}
    if b"pandas" not in metadata:
        return set()
    columns: list[Any] = json.loads(metadata[b"pandas"])["index_columns"]
    return {name for name in columns if isinstance(name, str)}  # a range is no column


def _spread(frame: pl.DataFrame, name: str, path: Path) -> pl.DataFrame:
    """Make a column of lists one column a place in them."""
    lists = frame[name].cast(pl.List(frame[name].dtype.inner))  # type: ignore[attr-defined]
    lengths = lists.list.len().to_numpy()
    if not len(lengths) or lists.null_count() or (lengths != lengths[0]).any():
        wrong = lists.is_null().to_numpy() | (lengths != lengths[:1])
        row = int(np.argmax(wrong)) if len(wrong) else 0
        raise InputError(
            "rows of different lengths",
            where=Sheet(path, frame).row(row),
            found="no list" if not len(lengths) or lists.is_null()[row] else f"{lengths[row]}",
            allowed="as many numbers in every row",
        )
    width = int(lengths[0])
    flat = lists.explode().cast(pl.Float64).to_numpy().reshape(-1, width)
    spread = pl.DataFrame(flat, schema=[f"{name}_{i}" for i in range(width)])
    return frame.drop(name).hstack(spread)

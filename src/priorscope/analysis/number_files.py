"""Read an array of numbers that another tool wrote: CSV, NPY or Parquet."""

from pathlib import Path

import numpy as np

from priorscope.errors import InputError
from priorscope.tables import Reading, read_table


def read_numbers(path: Path, *, allowed: str = "finite numbers") -> np.ndarray:
    """Read a table that is known to hold nothing but numbers, one row an example.

    A first line of numbers is an example, and no names of columns.

    Parameters
    ----------
    allowed : what the numbers must be, for messages about a cell that is none

    Returns
    -------
    float [n] where a row has one number, else float [n, columns]; all finite, n at least 1

    Raises
    ------
    InputError : as `read_table`, or a column that has another meaning, such as an index
    """
    known = Reading(header=False, skip_columns=("none",))
    table = read_table(path, reading=known, allowed=allowed)
    table.require_certain()
    values = table.values
    if not values.size and "label" in table.columns:
        values = table.columns["label"]
    others = {*table.columns} - {"label"}
    if others or table.words is not None or values.dtype.kind != "f":
        found = f"a column of {'names' if not others else ', '.join(others)}"
        raise InputError("not a table of numbers alone", where=path, found=found, allowed=allowed)
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values

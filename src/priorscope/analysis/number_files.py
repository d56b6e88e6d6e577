"""Read a table of numbers that another tool wrote: CSV, NPY or Parquet."""

from pathlib import Path

import numpy as np
import polars as pl

from priorscope.errors import InputError

FORMATS = ".csv, .tsv or .txt (separated by commas, semicolons or white space), .npy, .parquet"


def read_numbers(path: Path, *, allowed: str = "finite numbers") -> np.ndarray:
    """Read one row an example.

    Text files may have a header, a first row in which no cell is a number. Parquet files hold one
    number a column, or one column of lists.

    Parameters
    ----------
    allowed : what the numbers must be, for messages about a cell that is none

    Returns
    -------
    float [n] where a row has one number, else float [n, columns]; all finite, n at least 1

    Raises
    ------
    InputError : no such file, another format, a ragged or empty table, a cell that is no finite
        number
    """
    if not path.is_file():
        raise InputError("no such file", where=path)
    readers = {".csv": _text, ".tsv": _text, ".txt": _text, ".npy": _npy, ".parquet": _parquet}
    if path.suffix.lower() not in readers:
        raise InputError("unknown format", where=path, found=path.suffix or path, allowed=FORMATS)
    try:
        table = readers[path.suffix.lower()](path, allowed)
    except InputError:
        raise
    except Exception as error:  # a damaged header makes a reader raise almost anything
        raise InputError("the file cannot be read", where=path, found=error) from None
    if table.ndim not in {1, 2} or not table.size:
        raise InputError(
            "not a table of numbers",
            where=path,
            found=f"an array of shape {list(table.shape)}",
            allowed="one row an example, at least one row",
        )
    rows = table.reshape(len(table), -1)
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise InputError(
            "not a finite number",
            where=row_of(path, row),
            found=rows[row][~np.isfinite(rows[row])][0],
            allowed=allowed,
        )
    return rows[:, 0] if rows.shape[1] == 1 else rows


def row_of(path: Path, row: int) -> str:
    """Name a row, given its index from 0, as a person counts."""
    return f"{path}, row {row + 1} (the first is 1, a header does not count)"


def _npy(path: Path, allowed: str) -> np.ndarray:
    array = np.load(path, allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        kind = getattr(array, "dtype", type(array).__name__)
        raise InputError("not an array of numbers", where=path, found=kind, allowed=allowed)
    return array.astype(float)


def _parquet(path: Path, allowed: str) -> np.ndarray:
    table = pl.read_parquet(path)
    if table.width == 1 and isinstance(table.dtypes[0], pl.List | pl.Array):
        return np.array(table.to_series().to_list(), dtype=float)
    for name, kind in table.schema.items():
        if not (kind.is_numeric() or kind == pl.Boolean):
            raise InputError(
                "not a column of numbers",
                where=f"{path}, column {name}",
                found=kind,
                allowed=f"columns of numbers, or a single column of lists: {allowed}",
            )
    return table.cast(pl.Float64).to_numpy()  # a null becomes NaN, which is refused


def _text(path: Path, allowed: str) -> np.ndarray:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not numbered:
        raise InputError("the file is empty", where=path)
    separator = next((sign for sign in ",;" if sign in numbered[0][1]), None)
    if _is_header(numbered[0][1], separator):
        del numbered[0]
    try:
        rows = [line for _, line in numbered]
        return (
            np.loadtxt(rows, delimiter=separator, comments=None, ndmin=2) if rows else np.empty(0)
        )
    except ValueError:
        raise _first_bad_line(path, numbered, separator, allowed) from None


def _is_header(line: str, separator: str | None) -> bool:
    """Tell names from a damaged row of numbers, whose cells may be empty or quoted in part."""
    cells = [cell.strip().strip("\"'").strip() for cell in line.split(separator)]
    return any(cells) and not any(map(_is_number, cells))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _first_bad_line(
    path: Path, numbered: list[tuple[int, str]], separator: str | None, allowed: str
) -> InputError:
    """Say which line NumPy stumbled over."""
    width = len(numbered[0][1].split(separator))
    for number, line in numbered:
        where = f"{path}, line {number}"
        cells = line.split(separator)
        if len(cells) != width:
            found, needed = f"{len(cells)} columns", f"{width}, as in the first row"
            return InputError("ragged rows", where=where, found=found, allowed=needed)
        for cell in cells:
            if not _is_number(cell):
                hint = "a first row without any number is a header" if number == 1 else None
                found = repr(cell.strip())
                return InputError(
                    "not a number", where=where, found=found, allowed=allowed, hint=hint
                )
    return InputError("not a table of numbers", where=path)

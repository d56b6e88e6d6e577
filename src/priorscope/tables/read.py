"""Read tables of numbers that other tools wrote: CSV, TSV, TXT, NPY or Parquet."""

import csv
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from priorscope.errors import InputError, unknown_name
from priorscope.tables._binary import read_npy, read_parquet, sheet_of
from priorscope.tables._columns import table_of
from priorscope.tables._sheet import Sheet
from priorscope.tables._text import read_text
from priorscope.tables.reading import Reading, column_in
from priorscope.tables.table import Table

FORMATS = (
    ".csv, .tsv or .txt (separated by commas, semicolons, tabs or blanks; .gz after it when "
    "compressed by gzip), .npy, .parquet"
)
_TEXT = {".csv", ".tsv", ".txt"}
_DAMAGES = (UnicodeError, EOFError, zlib.error, OSError, csv.Error, pl.exceptions.PolarsError)


@dataclass(frozen=True, eq=False)
class NamedArray:
    """An array in memory in place of a file; messages call it by its name."""

    name: str
    values: np.ndarray


def read_table(
    path: Path, *, reading: Reading | None = None, allowed: str = "finite numbers"
) -> Table:
    """Read one table of numbers; see `read_tables`."""
    (table,) = read_tables([path], reading=reading, allowed=[allowed])
    return table


def read_tables(
    sources: Sequence[Path | NamedArray],
    *,
    reading: Reading | None = None,
    allowed: Sequence[str] = (),
) -> list[Table]:
    """Read tables of numbers, in files or arrays, that hold the same examples, one row an example.

    What a file leaves open is settled by what cannot be wrong, or refused: a first line of numbers
    may name the columns (as pandas' 0, 1, 2, ... do), which the lengths of the other files tell;
    a leading column that counts the rows is their index. Of other columns that may hold no class
    the table keeps the doubt, for whoever uses its values: see `Table.require_certain`.

    Parameters
    ----------
    reading : what the user says about the files
    allowed : for each file what its numbers must be, for messages

    Raises
    ------
    InputError : no such file, another format, a ragged or empty table, a cell that is no finite
        number, a first line that may be names or an example
    """
    reading = reading or Reading()
    allowed = allowed or ["finite numbers"] * len(sources)
    sheets = [_read(path, reading, each) for path, each in zip(sources, allowed, strict=True)]
    settled, notes = _settle_first_lines(sheets, reading)
    for sheet in settled:
        if not len(sheet) or not sheet.frame.width:
            raise InputError(
                "not a table of numbers",
                where=sheet.path,
                found=f"an array of shape {[len(sheet), sheet.frame.width]}",
                allowed="one row an example, at least one row",
            )
    _check_skipped(settled, reading)
    tables = [table_of(sheet, reading, each) for sheet, each in zip(settled, allowed, strict=True)]
    return [
        replace(table, notes=(*said, *table.notes))
        for table, said in zip(tables, notes, strict=True)
    ]


def _read(path: Path | NamedArray, reading: Reading, allowed: str) -> Sheet:
    if isinstance(path, NamedArray):
        return sheet_of(path.values, Path(path.name), allowed)
    if not path.is_file():
        raise InputError("no such file", where=path)
    suffix = path.suffix.lower()
    inner = Path(path.stem).suffix.lower() if suffix == ".gz" else suffix
    damages: tuple[type[BaseException], ...] = (*_DAMAGES, MemoryError)
    if inner not in _TEXT:  # a damaged header makes a reader raise almost anything
        damages = (Exception, pl.exceptions.PanicException)
    try:
        if inner in _TEXT:
            return read_text(path, reading.decimal)
        if suffix == ".npy":
            return read_npy(path, allowed)
        if suffix == ".parquet":
            return read_parquet(path)
    except InputError:
        raise
    except damages as error:
        raise InputError("the file cannot be read", where=path, found=error) from None
    raise InputError("unknown format", where=path, found=path.suffix or path, allowed=FORMATS)


def _settle_first_lines(
    sheets: Sequence[Sheet], reading: Reading
) -> tuple[list[Sheet], list[list[str]]]:
    """Tell names from examples by the numbers of rows of the files in which they are certain."""
    lengths = {len(sheet) for sheet in sheets if sheet.has_certain_length}
    settled, notes = [], []
    for sheet in sheets:
        names, said = False, []
        if not sheet.has_certain_length:
            names = reading.header
            if names is None and not lengths and sheet.first_line == "suspect":
                raise _first_line_in_doubt(sheet)
            if names is None:
                names = len(sheet) - 1 in lengths and len(sheet) not in lengths
                if names or len(sheet) not in lengths:
                    what = "a header" if names else "an example"
                    said = [f"{sheet.path}: its first line, {_start(sheet)}, is taken for {what}"]
        settled.append(sheet.named_by_first_row() if names else sheet)
        notes.append(said)
    return settled, notes


def _start(sheet: Sheet) -> str:
    return ", ".join(map(str, sheet.frame.row(0)[:4])) + ", ..." * (sheet.frame.width > 4)


def _first_line_in_doubt(sheet: Sheet) -> InputError:
    assert sheet.lines is not None
    return InputError(
        "a first line that may name the columns, or be an example",
        where=f"{sheet.path}, line {sheet.lines[0]}",
        found=f"{_start(sheet)} with {len(sheet) - 1:,} rows below it",
        hint="say --header or --no-header, or give the columns names that are no numbers",
    )


def _check_skipped(sheets: Sequence[Sheet], reading: Reading) -> None:
    """Refuse a column to be skipped that no file has."""
    names = {name for sheet in sheets for name in sheet.names or ()}
    known = {*names, "first", "last", "none"}
    for said in reading.skip_columns:
        found = {column_in(sheet.path, said) for sheet in sheets}
        if not any(column in known or column.isdecimal() for column in found):
            raise unknown_name("column", said, known, where="--skip-columns")

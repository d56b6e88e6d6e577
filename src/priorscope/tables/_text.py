"""Text files: which lines are rows, and what separates their columns."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from priorscope.errors import InputError
from priorscope.tables._encoding import read_lines
from priorscope.tables._first_line import (
    names_structure,
    plain_first_line,
    row_names_lead,
    what_first_line_is,
)
from priorscope.tables._number import is_number, is_number_with_comma
from priorscope.tables._sheet import Sheet

_SEPARATORS = (";", "\t", ",")  # of equally good ones the first
_BLANKS = " "  # white space of any length
_NUM_TRIED = 20  # rows that are split on trial, to find their separator
_SAID = re.compile(r'\s*"?sep=(.)"?[,;\s]*')  # Excel's own first line
# What Excel writes for what it could not compute begins a row, and no comment.
_NOT_COMPUTED = re.compile(r"#(N/A|DIV/0!|NUM!|VALUE!|REF!|NAME\?|NULL!)")
_QUOTED = re.compile(r'"([^"]*)"')
_HIDDEN = str.maketrans(",;\t ", ".___")  # what separates nothing when it is quoted


def read_text(path: Path, decimal: str | None) -> Sheet:
    """Read text that commas, semicolons, tabs or blanks separate, quoted or not.

    Blank lines, comments (`#`) above and below the rows and Excel's line `sep=;` are no rows. A
    separator that ends every row begins no column.

    Parameters
    ----------
    decimal : "comma" where commas are known to separate nothing, unless there are points as well
    """
    numbered = [
        (at, line) for at, line in enumerate(read_lines(path), start=1) if line.strip(" \t")
    ]
    said = _SAID.fullmatch(numbered[0][1]) if numbered else None
    numbered, comment = _without_comments(numbered[1:] if said else numbered, path)
    if not numbered:
        raise InputError("the file is empty", where=path)
    lines, rows = np.array([at for at, _ in numbered]), [row for _, row in numbered]
    separator = said[1] if said else _separator(rows, decimal)
    if separator is None:
        _check_no_gap(path, lines)
    named = _cells(comment, separator) if comment else []
    if not decimal and not named and (plain := _plain(path, rows, separator, lines)):
        return plain
    first, frame = _split(rows, separator, path, lines)
    names = None
    if len(first) == frame.width - 1 and row_names_lead(first, frame, separator):
        names = ("", *first)
    elif len(first) != frame.width:
        raise _ragged(path, lines[1], frame.width, len(first), separator)
    quoted = '"' in rows[0] and not any('"' in row for row in rows[1:])
    first_line = "names" if names else what_first_line_is(first, frame, quoted=quoted)
    if first_line == "names":
        return Sheet(path, frame, names or tuple(first), lines[1:], separator)
    frame = pl.concat([pl.DataFrame([first], schema=frame.schema, orient="row"), frame])
    if len(named) == frame.width and names_structure(named):
        return Sheet(path, frame, tuple(named), lines, separator)
    return Sheet(path, frame, None, lines, separator, first_line)


def _plain(path: Path, rows: list[str], separator: str | None, lines: np.ndarray) -> Sheet | None:
    """Read rows of numbers at once as such, below a line that is certain to be names or an example.

    Most large files are so, and their cells as text would need several times the memory. None where
    a file is not.
    """
    if separator not in {",", _BLANKS} or any('"' in row for row in rows):
        return None
    first = _cells(rows[0], separator)
    first_line = plain_first_line(first)
    below = [" ".join(row.split()) for row in rows[1:]] if separator == _BLANKS else rows[1:]
    if not first_line or any(row.count(separator) != len(first) - 1 for row in below):
        return None
    try:
        frame = _csv(below, separator, pl.Float64, len(first))
    except pl.exceptions.ComputeError:  # a cell is no number
        return None
    if not below or any(frame.null_count().row(0)):
        return None
    if first_line == "names":
        return Sheet(path, frame, tuple(first), lines[1:], separator)
    top = pl.DataFrame([[float(cell) for cell in first]], schema=frame.schema, orient="row")
    return Sheet(path, pl.concat([top, frame]), None, lines, separator)


def _csv(
    rows: Sequence[str], separator: str | None, kind: type[pl.DataType], width: int
) -> pl.DataFrame:
    return pl.read_csv(
        io.BytesIO("\n".join(rows).encode()),
        has_header=False,
        separator=separator or "\x1f",  # in no file of one column
        quote_char=None,
        schema={str(place): kind for place in range(width)},
    )


def _without_comments(
    numbered: list[tuple[int, str]], path: Path
) -> tuple[list[tuple[int, str]], str | None]:
    """Leave out the comments around the rows, and return the last one above them besides."""
    is_comment = [
        line.lstrip().startswith("#") and not _NOT_COMPUTED.match(line.lstrip())
        for _, line in numbered
    ]
    start = is_comment.index(False) if False in is_comment else len(numbered)
    stop = len(numbered)
    while stop > start and numbered[stop - 1][1].lstrip().startswith("# "):
        stop -= 1
    if any(is_comment[start:stop]):
        at, line = numbered[start + is_comment[start:stop].index(True)]
        raise InputError(
            "a comment between rows, or a damaged row",
            where=f"{path}, line {at}",
            found=line,
            allowed="comments above the first row; '# ' begins those below the last",
        )
    above = numbered[start - 1][1].lstrip(" \t#") if start else None
    return numbered[start:stop], above


def _check_no_gap(path: Path, lines: np.ndarray) -> None:
    """Refuse a blank line in a single column, where it may be a value that is missing.

    Files of which every other line is blank are taken as they are.
    """
    steps = np.diff(lines)
    if len(steps) and steps.max() > 1 and len(np.unique(steps)) > 1:
        raise InputError(
            "a blank line between rows: is a value missing?",
            where=f"{path}, line {lines[np.argmax(steps > 1)] + 1}",
            allowed="one value a line",
        )


def _separator(rows: Sequence[str], decimal: str | None) -> str | None:
    """Find what separates the columns: it is in every row below the first, and makes numbers."""
    bare = [
        _QUOTED.sub(lambda cell: cell[1].translate(_HIDDEN), row) if '"' in row else row
        for row in rows
    ]
    below = bare[1:] or bare
    tried = below[:_NUM_TRIED]
    in_numbers = decimal == "comma" and not any("." in row for row in tried)
    candidates = [sign for sign in _SEPARATORS if not (sign == "," and in_numbers)]
    found = [sign for sign in candidates if all(sign in row for row in below)]
    if _separated_by_blanks(tried):
        found.append(_BLANKS)
    if found:
        return max(found, key=lambda sign: _share_of_numbers(tried, sign))
    return next((sign for sign in candidates if sign in bare[0]), None)


def _separated_by_blanks(rows: Sequence[str]) -> bool:
    """Tell whether blanks separate columns, at least one of which has numbers, or only words."""
    split = [row.split() for row in rows]
    if len(split[0]) < 2 or len({len(cells) for cells in split}) > 1:
        return False
    return any(all(map(is_number_with_comma, column)) for column in zip(*split, strict=True))


def _share_of_numbers(rows: Sequence[str], separator: str) -> float:
    right: Callable[[str], bool] = is_number if separator == "," else is_number_with_comma
    cells = [cell for row in rows for cell in _cells(row, separator)]
    return sum(map(right, cells)) / len(cells)


def _cells(row: str, separator: str | None) -> list[str]:
    if separator == _BLANKS:
        return row.split()
    return [cell.strip() for cell in row.split(separator)] if separator else [row.strip()]


def _split(
    rows: list[str], separator: str | None, path: Path, lines: np.ndarray
) -> tuple[list[str], pl.DataFrame]:
    """Split the first row into its cells, and the others into a frame of text."""
    if any('"' in row for row in rows):
        cells = _unquoted(rows, separator, path, lines)
        widths = np.array([len(row) for row in cells])
    else:
        cells = None
        if separator == _BLANKS:
            rows = [" ".join(row.split()) for row in rows]
        widths = np.array([row.count(separator) + 1 if separator else 1 for row in rows])
    first = cells[0] if cells else _cells(rows[0], separator)
    if len(rows) == 1:
        return first, pl.DataFrame(schema=dict.fromkeys(map(str, range(len(first))), pl.String))
    width = int(widths[1])
    if (widths[1:] != width).any():
        row = 1 + int(np.argmax(widths[1:] != len(first)))
        raise _ragged(path, lines[row], int(widths[row]), len(first), separator)
    if cells:
        schema = dict.fromkeys(map(str, range(width)), pl.String)
        frame = pl.DataFrame(cells[1:], schema=schema, orient="row")
    else:
        frame = _csv(rows[1:], separator, pl.String, width)
    if any(frame.null_count().row(0)):
        frame = frame.select(pl.all().fill_null(""))
    if cells is None and any(" " in row or not row.isascii() for row in rows):
        frame = frame.select(pl.all().str.strip_chars())
    ends = frame.to_series(width - 1)
    if width > 1 and (ends == "").all() and (len(first) < width or not first[-1]):
        first, frame = first[: width - 1], frame[:, : width - 1]
    return first, frame


def _unquoted(
    rows: list[str], separator: str | None, path: Path, lines: np.ndarray
) -> list[list[str]]:
    reader = csv.reader(
        (row.strip() if separator == _BLANKS else row for row in rows),
        delimiter=separator or "\x1f",
        skipinitialspace=True,
    )
    cells = []
    for row in reader:
        if reader.line_num != len(cells) + 1:
            where = f"{path}, line {lines[len(cells)]}"
            raise InputError("a quote that does not end in its line", where=where)
        cells.append([cell.strip() for cell in row])
    return cells


def _ragged(path: Path, line: int, found: int, needed: int, separator: str | None) -> InputError:
    hint = "one sign stands between the columns of all lines, the header among them"
    if separator == ",":
        hint = "where commas stand inside numbers, say --decimal comma; no signs of thousands"
    return InputError(
        "ragged rows",
        where=f"{path}, line {line}",
        found=f"{found} columns",
        allowed=f"{needed}, as in the first row",
        hint=hint,
    )

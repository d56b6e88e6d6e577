"""A sheet of cells -> a table: what each column holds."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from priorscope.errors import InputError
from priorscope.tables._decimals import commas_may_be_decimal, with_points
from priorscope.tables._first_line import STRUCTURE, is_index_name
from priorscope.tables._no_class import leads_as_index, unlike_classes
from priorscope.tables._number import numbers
from priorscope.tables._sheet import Sheet
from priorscope.tables.reading import Reading
from priorscope.tables.table import Table

_WORDS = (pl.String, pl.Categorical, pl.Enum)


def table_of(sheet: Sheet, reading: Reading, allowed: str) -> Table:
    """Tell the columns with names of their own from those of numbers, and read both.

    Parameters
    ----------
    allowed : what the numbers must be, for messages

    Raises
    ------
    InputError : a cell or a column that cannot be what it should be
    """
    roles = _roles(sheet, reading)
    columns = {
        name: _labels(sheet, place) if name == "label" else _text(sheet, place)
        for name, place in roles.items()
    }
    rest = [place for place in range(sheet.frame.width) if place not in _named(sheet, reading)]
    try:
        return _with_numbers(sheet, reading, columns, rest, allowed)
    except InputError as doubt:
        if "label" not in columns:
            raise
        empty = np.empty((len(sheet), 0))
        return Table(sheet.path, columns, empty, lines=sheet.lines, doubt=doubt)


def _with_numbers(
    sheet: Sheet,
    reading: Reading,
    columns: dict[str, np.ndarray],
    rest: list[int],
    allowed: str,
) -> Table:
    """Read the columns that have no name of their own."""
    parsed = _parse(sheet, rest, reading.decimal, allowed)
    words = [place for place, column in parsed.items() if column.dtype == pl.String]
    notes = []
    if words and words[0] == rest[0] and len(rest) > 1 and parsed[words[0]].is_unique().all():
        columns = {"index": _text(sheet, words.pop(0)), **columns}
    numeric = [place for place in rest if parsed[place].dtype != pl.String]
    if words and (numeric or len(words) > 1):
        raise _no_numbers(sheet, words[0])
    values = np.empty((len(sheet), len(numeric)))
    for i, place in enumerate(numeric):
        values[:, i] = parsed[place].to_numpy()
    _check_finite(sheet, numeric, values, allowed)
    names = None if sheet.names is None else tuple(sheet.names[place] for place in numeric)
    doubt = None
    if reading.skip_columns is None:
        if leads_as_index(values, names):
            columns = {"index": values[:, 0].astype(int).astype(str), **columns}
            notes.append(f"{sheet.path}: its first column counts the rows, and is their index")
            numeric, values, names = numeric[1:], values[:, 1:], names and names[1:]
        doubt = _doubt(sheet, numeric, values, names, reading.decimal)
    return Table(
        sheet.path,
        columns,
        values,
        names,
        parsed[words[0]].to_numpy().astype(str) if words else None,
        sheet.lines,
        notes=tuple(notes),
        doubt=doubt,
    )


def _roles(sheet: Sheet, reading: Reading) -> dict[str, int]:
    """Find the columns that have a name of their own; of several indices the first is kept."""
    roles: dict[str, int] = {}
    for place, name in _named(sheet, reading).items():
        if name is None or (name == "index" and name in roles):
            continue
        if name in roles:
            raise InputError(
                f"two columns of one meaning: {name}",
                where=sheet.path,
                found=", ".join(sheet.column(each) for each in (roles[name], place)),
                hint=f"say --skip-columns {(sheet.names or ())[place]}",
            )
        roles[name] = place
    return roles


def _named(sheet: Sheet, reading: Reading) -> dict[int, str | None]:
    """Name the columns with a name of their own, by place; None for those that are left out."""
    width = sheet.frame.width
    found: dict[int, str | None] = dict.fromkeys(_skipped(sheet, reading))
    leading = True  # pandas leaves the names of an index empty, and no others
    for place, name in enumerate(sheet.names or ("?",) * width):
        leading = leading and not name
        if place in found:
            continue
        if name.lower() in STRUCTURE:
            found[place] = "label" if name.lower() == "target" else name.lower()
        elif place in sheet.index or leading or is_index_name(name) or _is_reset(sheet, place):
            found[place] = "index"
    for end, place in {"first": 0, "last": width - 1}.items():
        if end in (reading.skip_columns or ()) and place not in found and len(found) < width - 1:
            found[place] = None
    return found


def _is_reset(sheet: Sheet, place: int) -> bool:
    """Tell whether pandas' `reset_index` made a column: leading, `index`, no two alike."""
    if sheet.names is None or place or sheet.names[0].lower() != "index":
        return False
    text = _text(sheet, 0)
    return len(set(text)) == len(text) and not any("." in cell for cell in text)


def _skipped(sheet: Sheet, reading: Reading) -> set[int]:
    found = set()
    for name in reading.skip_columns or ():
        if sheet.names and name in sheet.names:
            found.add(sheet.names.index(name))
        elif not sheet.names and name.isdecimal() and 0 < int(name) <= sheet.frame.width > 1:
            found.add(int(name) - 1)
    return found


def _parse(
    sheet: Sheet, places: Sequence[int], decimal: str | None, allowed: str
) -> dict[int, pl.Series]:
    """Read columns as numbers, or as text where no cell is a number.

    Raises
    ------
    InputError : a column of something else, a cell that is no number beside others, an empty cell
    """
    frame = pl.DataFrame([sheet.frame.to_series(place).alias(str(place)) for place in places])
    text = frame.select(column for column in frame if isinstance(column.dtype, _WORDS))
    text = text.select(pl.all().cast(pl.String).fill_null("").str.strip_chars())
    read = {column.name: numbers(column) for column in text}
    if decimal or sheet.separator in {";", "\t"} or any(c.null_count() for c in read.values()):
        text = with_points(sheet, text, decimal)
        read = {column.name: numbers(column) for column in text}
    found = {}
    for column in frame:
        place = int(column.name)
        if column.name in read:
            found[place] = _numbers_or_words(sheet, place, text[column.name], read, allowed)
        elif column.dtype.is_numeric() or column.dtype == pl.Boolean:
            found[place] = column.cast(pl.Float64)  # a null becomes NaN, which is refused
        else:
            raise InputError(
                "not a column of numbers",
                where=f"{sheet.path}, {sheet.column(place)}",
                found=column.dtype,
                allowed=f"columns of numbers, or a single column of lists: {allowed}",
            )
    return found


def _numbers_or_words(
    sheet: Sheet, place: int, cells: pl.Series, read: dict[str, pl.Series], allowed: str
) -> pl.Series:
    column = read[cells.name]
    if not column.null_count():
        return column
    wrong = column.is_null() if column.null_count() < len(column) else cells == ""
    if not wrong.any():
        return cells
    row = wrong.arg_max()
    assert row is not None
    raise InputError(
        "not a number",
        where=sheet.cell(row, place),
        found=repr(sheet.frame.to_series(place)[row] or ""),
        allowed=allowed,
        hint="a first line without any number is a header" if not row and not sheet.names else None,
    )


def _check_finite(sheet: Sheet, places: list[int], values: np.ndarray, allowed: str) -> None:
    if np.isfinite(values).all():
        return
    row, column = np.unravel_index(np.argmin(np.isfinite(values)), values.shape)
    raise InputError(
        "not a finite number",
        where=sheet.cell(int(row), places[column]),
        found=values[row, column],
        allowed=allowed,
    )


def _doubt(
    sheet: Sheet,
    places: list[int],
    values: np.ndarray,
    names: Sequence[str] | None,
    decimal: str | None,
) -> InputError | None:
    """Ask about columns that may hold no class."""
    commas = sheet.separator == "," and sheet.names is None and decimal is None
    odd = unlike_classes(values, names, commas=commas)
    if not odd:
        if commas and len(places) > 2 and commas_may_be_decimal(sheet.frame[:, places]):
            return InputError(
                "whole numbers between commas, or the two parts of decimals",
                where=sheet.row(0),
                found=",".join(map(str, sheet.frame[0, places].row(0))),
                hint="say --decimal comma or --decimal point",
            )
        return None
    cells = "; ".join(
        f"{sheet.column(places[i])}: {', '.join(f'{x:g}' for x in values[:3, i])}, ... ({why})"
        for i, why in odd.items()
    )
    return InputError(
        "columns that may hold no class, such as an index or a label",
        where=sheet.path,
        found=cells,
        allowed="one column a class, beside " + ", ".join(sorted(STRUCTURE)),
        hint=_settled_by([places[i] for i in odd], sheet, commas and values.shape[1] == 2),
    )


def _settled_by(places: list[int], sheet: Sheet, commas: bool) -> str:
    skipped = ",".join(_option_of(place, sheet) for place in places)
    hint = f"say --skip-columns {skipped} if so, --skip-columns none if all columns hold a class"
    return hint + (", or --decimal comma if commas separate no columns" if commas else "")


def _option_of(place: int, sheet: Sheet) -> str:
    if place in {0, sheet.frame.width - 1}:
        return "last" if place else "first"
    return sheet.names[place] if sheet.names else str(place + 1)


def _no_numbers(sheet: Sheet, place: int) -> InputError:
    return InputError(
        "a column of words beside others",
        where=f"{sheet.path}, {sheet.column(place)}",
        found=repr(sheet.frame.to_series(place)[0]),
        allowed="numbers, one column a class, beside " + ", ".join(sorted(STRUCTURE)),
        hint=f"say --skip-columns {_option_of(place, sheet)} to leave it out",
    )


def _labels(sheet: Sheet, place: int) -> np.ndarray:
    """Read a column of class ids, float [n], or of names, text [n]."""
    allowed = "class ids, or names of classes"
    (column,) = _parse(sheet, [place], None, allowed).values()
    if column.dtype == pl.String:
        return column.to_numpy().astype(str)
    ids = column.to_numpy()
    _check_finite(sheet, [place], ids[:, None], allowed)
    return ids


def _text(sheet: Sheet, place: int) -> np.ndarray:
    """Read a column that names something as text; 7.0 is 7, as pandas makes it.

    Raises
    ------
    InputError : an empty cell, a number that is not whole
    """
    column = sheet.frame.to_series(place)
    if isinstance(column.dtype, pl.List | pl.Array | pl.Struct):
        where = f"{sheet.path}, {sheet.column(place)}"
        raise InputError("not a column of names", where=where, found=column.dtype)
    text = (
        column.cast(pl.String).fill_null("").str.strip_chars().str.replace(r"^(-?\d+)\.0+$", "$1")
    )
    wrong = (text == "") | text.str.contains(r"^[+-]?\d*[.,]\d+([eE][+-]?\d+)?$")
    if wrong.any():
        row = wrong.arg_max()
        assert row is not None
        raise InputError(
            "an empty name" if not text[row] else "a number in place of a name",
            where=sheet.cell(row, place),
            found=repr(text[row]),
            allowed="names, or whole numbers",
            hint=f"a class cannot be called {sheet.names[place]} here" if sheet.names else None,
        )
    return text.to_numpy().astype(str)

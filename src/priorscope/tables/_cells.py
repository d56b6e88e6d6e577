"""Cells of a sheet's columns -> numbers, names of classes, or names of rows."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from priorscope.errors import InputError
from priorscope.tables._decimals import with_points
from priorscope.tables._number import all_numbers, numbers
from priorscope.tables._sheet import Sheet

# What is rather a number than a name: with decimals, signs of thousands, exponents, percent.
_DECIMAL = r"^[+-]?\d*[.,_' ]\d[\d.,_' ]*([eE][+-]?\d+)?%?$|^[+-]?\d+%$"
_TEXT = (pl.String, pl.Categorical, pl.Enum)


def read_columns(
    sheet: Sheet, places: Sequence[int], decimal: str | None, allowed: str
) -> dict[int, pl.Series]:
    """Read columns as float [n], or as text [n] where no cell is a number."""
    frame = pl.DataFrame([sheet.frame.to_series(place).alias(str(place)) for place in places])
    text = frame.select(column for column in frame if isinstance(column.dtype, _TEXT))
    if sheet.lines is None:  # else blanks are stripped already
        text = text.select(_stripped(column) for column in text)
    read = all_numbers(text)
    if (
        decimal
        or sheet.separator in {";", "\t"}
        or any(read.null_count().row(0) if read.width else ())
    ):
        text = with_points(sheet, text, decimal)
        read = all_numbers(text)
    found = {}
    for column in frame:
        place = int(column.name)
        if column.name in read.columns:
            found[place] = _numbers_or_words(
                sheet, place, text[column.name], read[column.name], allowed
            )
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
    sheet: Sheet, place: int, cells: pl.Series, column: pl.Series, allowed: str
) -> pl.Series:
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
        hint=f"say --skip-columns {sheet.path}:{place + 1} if the column holds no class"
        if sheet.names or row
        else "a first line without any number is a header",
    )


def finite(
    sheet: Sheet, places: Sequence[int], columns: dict[int, pl.Series], allowed: str
) -> np.ndarray:
    """Lay columns of numbers side by side, float [n, columns]."""
    values = np.empty((len(sheet), len(places)))
    for i, place in enumerate(places):
        values[:, i] = columns[place].to_numpy()
    if np.isfinite(values).all():
        return values
    row, column = np.unravel_index(np.argmin(np.isfinite(values)), values.shape)
    raise InputError(
        "not a finite number",
        where=sheet.cell(int(row), places[int(column)]),
        found=values[row, column],
        allowed=allowed,
    )


def labels(sheet: Sheet, place: int, decimal: str | None) -> np.ndarray:
    """Read a column of class ids, float [n], or of names of classes, text [n]."""
    allowed = "class ids, or names of classes"
    columns = read_columns(sheet, [place], decimal, allowed)
    if columns[place].dtype == pl.String:
        return columns[place].to_numpy().astype(str)
    return finite(sheet, [place], columns, allowed)[:, 0]


def keys(sheet: Sheet, place: int) -> np.ndarray:
    """Read a column that names something as text [n]; 7.0 is 7, which pandas may make of it."""
    text = _key_text(sheet, place)
    wrong = (text == "") | text.str.contains(_DECIMAL)
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


def name_rows(sheet: Sheet, place: int) -> bool:
    """Tell whether a column may name the rows: whole numbers or words, no two alike, none empty."""
    text = _key_text(sheet, place)
    if text.n_unique() < len(text) or (text == "").any():
        return False
    whole = text.str.contains(r"^[+-]?\d+$")
    words = numbers(text).is_null() & ~text.str.contains(_DECIMAL)
    return bool(whole.all() or words.all())


def _key_text(sheet: Sheet, place: int) -> pl.Series:
    column = sheet.frame.to_series(place)
    if isinstance(column.dtype, pl.List | pl.Array | pl.Struct):
        where = f"{sheet.path}, {sheet.column(place)}"
        raise InputError("not a column of names", where=where, found=column.dtype)
    return _stripped(column).str.replace(r"^(-?\d+)\.0+(e[+-]?00)?$", "$1")


def _stripped(column: pl.Series) -> pl.Series:
    return column.cast(pl.String).fill_null("").str.strip_chars()

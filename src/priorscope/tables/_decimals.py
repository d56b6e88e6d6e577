"""Decimal points, decimal commas and signs of thousands: which of them a text file has."""

import polars as pl

from priorscope.errors import InputError
from priorscope.tables._sheet import Sheet

_WITH_COMMA = r"^[+-]?\d*,\d+([eE][+-]?\d+)?$"
_WITH_POINT = r"^[+-]?\d*\.\d*([eE][+-]?\d+)?$"
_COMMA_GROUP = r"^[+-]?[1-9]\d{0,2},\d{3}$"  # a thousand, or three decimals
_POINT_GROUP = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"
_WHOLE = r"^[+-]?\d+$"


def with_points(sheet: Sheet, frame: pl.DataFrame, decimal: str | None) -> pl.DataFrame:
    """Write numbers with decimal commas as such with points.

    `frame` has the columns of text that may hold numbers, under their places in the sheet.
    """
    with_comma, with_point = (_matching(frame, form) for form in (_WITH_COMMA, _WITH_POINT))
    if with_comma is not None and with_point is not None:
        raise _refused("decimal commas and decimal points in one file", sheet, with_comma)
    if with_comma is not None and _all_match(frame, _WITH_COMMA, _COMMA_GROUP):
        _check_said(sheet, with_comma, decimal, "comma")
    elsewhere = sheet.separator in {";", "\t"}  # where decimals have commas
    if elsewhere and with_point is not None and _all_match(frame, _WITH_POINT, _POINT_GROUP):
        _check_said(sheet, with_point, decimal, "point")
    if with_comma is None:
        return frame
    number = pl.all().str.contains(_WITH_COMMA)
    replaced = pl.all().str.replace(",", ".", literal=True)
    return frame.select(pl.when(number).then(replaced).otherwise(pl.all()))


def _check_said(sheet: Sheet, cell: tuple[int, int], decimal: str | None, sign: str) -> None:
    """Refuse three digits behind a sign, but where it is said to be the decimal one."""
    if decimal is None:
        raise _refused(f"a decimal {sign}, or a sign of thousands", sheet, cell)
    if decimal != sign:
        raise _refused("signs of thousands", sheet, cell)


def commas_may_be_decimal(frame: pl.DataFrame) -> bool:
    """Tell whether text between commas may be the two parts of decimals, or of thousands."""
    if frame.width % 2 or not are_whole(frame):
        return False
    before, after = ([*frame][start::2] for start in (0, 1))
    if any(column.str.contains(r"^[+-]").any() for column in after):
        return False
    if any(column.str.contains(r"^0\d").any() for column in after):
        return True  # no number begins so
    if all(column.str.contains(r"^\d{3}$").all() for column in after):
        return True
    if any(column.str.contains("^-").any() for column in before):
        return True
    small = all(column.is_in(["0", "1"]).all() for column in before)
    return small and not all(column.is_in(["0", "1"]).all() for column in after)


def are_whole(frame: pl.DataFrame) -> bool:
    """Tell whether all cells are text, and written as whole numbers."""
    return all(column.dtype == pl.String and column.str.contains(_WHOLE).all() for column in frame)


def _matching(frame: pl.DataFrame, form: str) -> tuple[int, int] | None:
    """Find the first cell of a form: its row, and its column's place in the sheet."""
    for column in frame:
        if (found := column.str.contains(form)).any():
            row = found.arg_max()
            assert row is not None
            return row, int(column.name)
    return None


def _all_match(frame: pl.DataFrame, form: str, narrower: str) -> bool:
    """Tell whether all cells of a form have a narrower one."""
    return not any(
        (column.str.contains(form) & ~column.str.contains(narrower)).any() for column in frame
    )


def _refused(problem: str, sheet: Sheet, cell: tuple[int, int]) -> InputError:
    return InputError(
        problem,
        where=sheet.cell(*cell),
        found=sheet.frame[cell],
        allowed="numbers without signs of thousands, all with points or all with commas",
        hint="say --decimal point or --decimal comma if it is one, else write plain numbers",
    )

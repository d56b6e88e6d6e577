"""What is a number in a text file, and in what form it is written."""

import re

import polars as pl

# ASCII digits; no blanks, underscores, units or signs of thousands. Polars' cast reads the same.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number, finite or not."""
    return _NUMBER.fullmatch(cell.lower()) is not None


def is_number_with_comma(cell: str) -> bool:
    """Tell whether a cell is a number whose decimals a point or a comma sets off."""
    return is_number(cell) or (cell.count(",") == 1 and is_number(cell.replace(",", ".")))


def is_whole(cell: str) -> bool:
    """Tell whether a cell is written as a whole number: 3, but not 3.0."""
    return _WHOLE.fullmatch(cell) is not None


def all_numbers(text: pl.DataFrame) -> pl.DataFrame:
    """Read columns of text as numbers, `true` and `false` as 1 and 0; null where it is neither.

    A column is of one kind: 1 beside `true` is no number, nor is `nan` beside words.
    """
    found = text.select(pl.all().cast(pl.Float64, strict=False))
    nulls = dict(zip(found.columns, found.null_count().row(0), strict=True)) if found.width else {}
    mended = [_of_words(text[name], found[name]) for name, count in nulls.items() if count]
    return found.with_columns(mended) if mended else found


def numbers(cells: pl.Series) -> pl.Series:
    """Read one column of text as numbers, see `all_numbers`."""
    return all_numbers(cells.to_frame()).to_series()


def _of_words(cells: pl.Series, found: pl.Series) -> pl.Series:
    """Read a column some of whose cells are no numbers."""
    words = cells.str.to_lowercase()
    if words.is_in(["true", "false"]).all():
        return (words == "true").cast(pl.Float64)
    if found.is_finite().any():
        return found
    return pl.Series(found.name, [None] * len(found), dtype=pl.Float64)

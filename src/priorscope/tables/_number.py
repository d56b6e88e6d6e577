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


def numbers(cells: pl.Series) -> pl.Series:
    """Read text as numbers, float [n], and `true` and `false` as 1 and 0; null where it is neither.

    One column is of one kind: 1 beside `true` is no number, nor is `nan` beside words.
    """
    found = cells.cast(pl.Float64, strict=False)
    if found.null_count() > 0 and not found.is_finite().any():
        found = pl.Series(found.name, [None] * len(found), dtype=pl.Float64)
    if found.null_count() == len(cells):
        words = cells.str.to_lowercase()
        if words.is_in(["true", "false"]).all():
            return (words == "true").cast(pl.Float64)
    return found

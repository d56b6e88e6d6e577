"""Does the first line of a text file name the columns, or is it an example?"""

import re
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
import polars as pl

from priorscope.tables._number import is_number, is_number_with_comma, is_whole, numbers
from priorscope.tables._sheet import FirstLine

# Columns that have a meaning of their own. Their names are read in any case.
STRUCTURE = frozenset({"id", "model", "seed", "arm", "cluster", "label", "target"})
# What pandas calls an index that has no name, in a file and after it was read and written again.
_INDEX = re.compile(r"unnamed: [\d._a-z]+|__index_level_\d+__|level_\d+", re.IGNORECASE)
_WHOLE = r"^[+-]?\d+$"


def names_structure(names: Sequence[str]) -> bool:
    """Tell whether one of some names has a meaning of its own."""
    return any(name.lower() in {*STRUCTURE, "index"} or is_index_name(name) for name in names)


def is_index_name(name: str) -> bool:
    """Tell whether a name is one that pandas gives to an index."""
    return _INDEX.fullmatch(name) is not None


def row_names_lead(first: Sequence[str], rest: pl.DataFrame, separator: str | None) -> bool:
    """Tell whether a first line names all columns but a leading one, as R's `write.table` does.

    What a comma separates could as well be one column with decimal commas.
    """
    names = rest.to_series(0)
    if (rest.width < 3 and separator == ",") or not names.is_unique().all():
        return False
    if not _names_rows(names):
        return False
    return _different([cell for cell in first if _is_value(cell)])


def plain_first_line(first: Sequence[str]) -> FirstLine | None:
    """Tell what a first line above rows of numbers is where it alone says so; None elsewhere."""
    values = [is_number(cell) for cell in first]
    if all(first) and not any(values) and not any(map(_is_value, first)):
        return None if names_structure(first) else "names"
    with_decimals = all(values) and not all(map(is_whole, first))
    return "example" if with_decimals and not _counts(first) else None


def what_first_line_is(
    first: Sequence[str], rest: pl.DataFrame, *, quoted: bool = False
) -> FirstLine:
    """Tell what the first line of a text file is: names of the columns, or an example.

    Parameters
    ----------
    first : its cells
    rest : text [n, columns], the lines below it
    quoted : whether some of its cells are quoted, and none below it
    """
    if not rest.height:  # names of nothing, or the only example
        return "example" if any(map(_is_value, first)) else "names"
    words = [i for i, cell in enumerate(first) if cell and not _is_value(cell)]
    values = [i for i, cell in enumerate(first) if _is_value(cell)]
    if len(words) + len(values) < len(first):
        return _with_empty_cells(first, rest)
    if not values:
        return _of_words(first, rest)
    if words:
        return _of_words_and_numbers(first, rest, words, values)
    return "suspect" if quoted else _of_numbers(first, rest)


def _with_empty_cells(first: Sequence[str], rest: pl.DataFrame) -> FirstLine:
    """Pandas leaves the names of its index empty; elsewhere a cell is missing."""
    leading = next((i for i, cell in enumerate(first) if cell), len(first))
    named = first[leading:]
    if not named or not all(named):
        return "example"
    numbered = [leading + i for i, cell in enumerate(named) if _is_value(cell)]
    counted = [first[i] for i in numbered]
    if not _different(counted) or not all(map(_names_rows, rest[:, :leading])):
        return "example"
    if not counted or _are_names(counted, rest[:, numbered]):
        return "names"
    if not _counts(counted):
        return "example"
    return "names" if rest.to_series(0).is_unique().all() else "suspect"


def _of_words_and_numbers(
    first: Sequence[str], rest: pl.DataFrame, words: Sequence[int], values: Sequence[int]
) -> FirstLine:
    numbered = [first[i] for i in values]
    if not _different(numbered) or any(_alike(first[i], rest[0, i]) for i in words):
        return "example"
    if not all(_may_name(first[i]) for i in words):
        return "example"
    below = rest[:, values]
    if names_structure([first[i] for i in words]) or _are_names(numbered, below):
        return "names"
    if _counts(numbered) and (float(numbered[0]) == 0 or len(numbered) > 2):
        return "suspect"
    return "example" if any(_is_value(rest[0, i]) for i in words) else "possible names"


def _may_name(cell: str) -> bool:
    """Tell whether a cell is rather a name than a number in ruin."""
    return cell[0].isalpha() or cell[0] == "_"


def _alike(cell: str, below: str) -> bool:
    """Tell whether two cells are names of files of one kind."""
    return bool(PurePath(cell).suffix) and PurePath(cell).suffix == PurePath(below).suffix


def _of_words(first: Sequence[str], rest: pl.DataFrame) -> FirstLine:
    if names_structure(first) or any(map(_is_value, rest.row(0))):
        return "names"
    again = any(cell in column for cell, column in zip(first, rest, strict=True))
    return "suspect" if all(map(_may_name, first)) and not again else "example"


def _of_numbers(first: Sequence[str], rest: pl.DataFrame) -> FirstLine:
    counts = _counts(first)
    if not _different(first) and not (counts and len(first) > 2):
        return "example"
    below = [numbers(column.str.replace(",", ".", literal=True)) for column in rest]
    if words := [column for column in below if column.null_count()]:
        whole_columns = rest.height > 1 and all(c.null_count() == len(c) for c in words)
        return "names" if counts and whole_columns else "example"  # which is refused, as damaged
    if not all(column.is_finite().all() for column in below):
        return "example"  # refused, too
    if len(first) == 1:
        least, most = below[0].min(), below[0].max()
        within = least <= float(first[0]) <= most  # type: ignore[operator]
        return "possible names" if within and float(first[0]) else "suspect"
    if _are_names(first, rest):
        return "names"
    if len(rest) > 2 and np.array_equal(below[0], float(first[0]) + np.arange(1, len(rest) + 1)):
        return "example"  # which the first column counts
    from_0 = counts and float(first[0]) == 0
    return "suspect" if from_0 or (counts and len(first) > 2) else "possible names"


def _are_names(first: Sequence[str], rest: pl.DataFrame) -> bool:
    """Whole numbers, all different, above at least 3 columns without a single whole number.

    A writer that shortens 1.0 to 1 would have to do so in the whole first row, and nowhere else.
    """
    written_whole = any(column.str.contains(_WHOLE).any() for column in rest)
    return len(first) > 2 and _different(first) and not written_whole


def _different(first: Sequence[str]) -> bool:
    """Tell whether cells are whole numbers, no two alike."""
    return all(map(is_whole, first)) and len(set(first)) == len(first)


def _counts(cells: Sequence[str]) -> bool:
    """Tell whether cells count from 0 or 1; more than two may do so in another order."""
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        return False
    if len(values) > 2:
        values.sort()
    return values in ([*range(len(values))], [*range(1, len(values) + 1)])


def _is_value(cell: str) -> bool:
    return is_number_with_comma(cell) or cell.lower() in {"true", "false"}


def _names_rows(cells: pl.Series) -> bool:
    """Tell whether cells may name rows: whole numbers or words."""
    return bool(cells.str.contains(_WHOLE).all()) or numbers(cells).null_count() == len(cells)

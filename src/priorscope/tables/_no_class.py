"""Which columns beside rows of numbers hold no class: an index, a label, an extra score."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

# Of the sum of a row of probabilities: what four printed decimals or half precision leave.
SUM_TOLERANCE = 1e-3
_FEWEST = 4  # rows in which a column that counts does so by no accident


def leads_as_index(values: np.ndarray, names: Sequence[str] | None) -> bool:
    """Tell whether the first of several columns is certain to number the rows.

    It counts them from 0 or 1, there are enough for that to be no accident, and nothing names it
    like the others.
    """
    if values.shape[1] < 2 or len(values) < _FEWEST or _are_alike(names):
        return False
    first = values[:, 0]
    return any(np.array_equal(first, np.arange(start, start + len(values))) for start in (0, 1))


def unlike_classes(
    values: np.ndarray, names: Sequence[str] | None, *, commas: bool
) -> dict[int, str]:
    """Find columns that may hold no class, and say what is odd in each.

    Parameters
    ----------
    values : float [n, columns]
    names : one a column
    commas : whether a comma separates unnamed columns, and so may be a decimal comma
    """
    if values.shape[1] < 2:
        return {}
    odd = _named_otherwise(names)
    whole = (values == np.round(values)).all(axis=0)
    if not whole.all():
        odd |= _beside_probabilities(values) if values.shape[1] > 2 else {}
        if not _are_alike(names) and not _sum_to_one(values, values.sum(axis=1)):
            for end in {0, values.shape[1] - 1} & set(np.flatnonzero(whole).tolist()):
                odd.setdefault(end, "whole numbers, and not so elsewhere")
        return odd
    if _are_alike(names):
        return odd
    if values.shape[1] == 2:
        return odd | _of_two_whole(values, commas=commas)
    return odd | _of_many_whole(values)


def _are_alike(names: Sequence[str] | None) -> bool:
    """Tell whether all columns are named by one word and different numbers, or by numbers."""
    numbered = [numbered_name(name) for name in names or ()]
    if not numbered or None in numbered or len(set(numbered)) < len(numbered):
        return False
    return len({stem for stem, _ in filter(None, numbered)}) == 1


def _of_two_whole(values: np.ndarray, *, commas: bool) -> dict[int, str]:
    """Look at two columns: two classes, an index and an id, or one number with a decimal comma."""
    first, second = values.T
    binary = np.isin(values, (0, 1))
    if binary.all():
        if commas and not second.any():
            return {0: "before a comma and 0, as of decimals"}
        return {0: "0, 1, as an index would be"} if first.tolist() == [0, 1] else {}
    if len(np.unique(first)) == len(first) or binary[:, 1].all():
        return {0: "whole numbers, as of an index beside a class id"}
    return {0: "whole numbers, as before decimal commas"} if commas else {}


def _of_many_whole(values: np.ndarray) -> dict[int, str]:
    n, k = values.shape
    found = {}
    for end in (0, k - 1):
        column, rest = values[:, end], np.delete(values, end, axis=1)
        like_ids = column.min() >= 0 and column.max() <= k - 2 and n >= _FEWEST
        if not np.isin(column, (0, 1)).all() and np.isin(rest, (0, 1)).all():
            found[end] = "more than 0 and 1, and not so elsewhere"
        elif like_ids and (rest.max(axis=0) > k - 2).all():
            found[end] = "smaller whole numbers than elsewhere, as class ids are"
    if n >= _FEWEST and len(np.unique(values[:, 0])) == n:
        found[0] = "whole numbers, no two alike, as of an index"
    return found


def numbered_name(name: str) -> tuple[str, int] | None:
    """Split `class_3` into `class_` and 3, and `3` into nothing and 3."""
    found = re.fullmatch(r"(.*?)(\d{1,15})", name, re.ASCII | re.DOTALL)
    return (found[1], int(found[2])) if found else None


def _named_otherwise(names: Sequence[str] | None) -> dict[int, str]:
    """Find columns that are not numbered like the others."""
    numbered = [numbered_name(name) for name in names or ()]
    stems = Counter(found[0] for found in numbered if found)
    if not stems or stems.most_common(1)[0][1] < 2:
        return {}
    (stem, _), *_ = stems.most_common(1)
    others = [i for i, found in enumerate(numbered) if not found or found[0] != stem]
    like = f"{stem}0, {stem}1, ..."
    return dict.fromkeys(others, f"not named like the others: {like}")


def _beside_probabilities(values: np.ndarray) -> dict[int, str]:
    """Find a column without which all rows are probabilities."""
    sums = values.sum(axis=1)
    if _sum_to_one(values, sums):
        return {}
    for column in range(values.shape[1]):
        rest = np.delete(values, column, axis=1)
        if np.ptp(sums - values[:, column]) < 2 * SUM_TOLERANCE and _sum_to_one(
            rest, sums - values[:, column]
        ):
            return {column: "the other columns are probabilities that sum to one"}
    return {}


def _sum_to_one(values: np.ndarray, sums: np.ndarray) -> bool:
    inside = values.min() >= -1e-6 and values.max() <= 1 + 1e-6
    return bool(inside and (np.abs(sums - 1) <= SUM_TOLERANCE).all())

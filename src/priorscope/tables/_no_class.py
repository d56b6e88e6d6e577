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
    if (place := largest_of_others(values)) is not None:
        odd[place] = "the largest of the others"
    whole = (values == np.round(values)).all(axis=0)
    if not whole.all():
        if (place := beside_probabilities(values)) is not None:
            odd[place] = "the others are probabilities that sum to one"
        if not _are_alike(names) and not _sum_to_one(values, values.sum(axis=1)):
            dead = whole & (np.ptp(values, axis=0) == 0)  # as of a class that nothing speaks for
            dead[[0, -1]] = False  # where it is rather an index or a label
            for place in np.flatnonzero(whole & ~dead).tolist():
                odd.setdefault(place, "whole numbers, and not so elsewhere")
        return odd
    if _are_alike(names):
        return odd
    more = _of_two_whole(values, commas=commas) if values.shape[1] == 2 else _of_many_whole(values)
    return more | odd


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
    if len(np.unique(first)) == len(first) or binary[:, 1].all() or _counts_on(first):
        return {0: "whole numbers, as of an index beside a class id"}
    return {0: "whole numbers, as before decimal commas"} if commas else {}


def _of_many_whole(values: np.ndarray) -> dict[int, str]:
    n, k = values.shape
    first, binary = values[:, 0], np.isin(values, (0, 1)).all(axis=0)
    if binary.all():  # as rows of labels may be
        return {}
    if np.sum(~binary) <= 2 <= np.sum(binary):
        return {int(i): "more than 0 and 1, and not so elsewhere" for i in np.flatnonzero(~binary)}
    found = {}
    like_ids = (values >= 0) & (values < k)
    for end in (0, k - 1):
        elsewhere = np.delete(like_ids, end, axis=1).all(axis=0)
        if n >= _FEWEST and like_ids[:, end].all() and not elsewhere.any():
            found[end] = "small whole numbers, as of class ids, and not so elsewhere"
    if len(np.unique(first)) == n >= _FEWEST:
        found[0] = "whole numbers, no two alike, as of an index"
    elif _counts_on(first):
        found[0] = "it counts from row to row, as an index does"
    return found


def _counts_on(column: np.ndarray) -> bool:
    """Tell whether most numbers are 1 more than the one before, as in indices one after another."""
    return bool(2 * np.sum(np.diff(column) == 1) >= len(column) - 1 > 0)


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


def beside_probabilities(values: np.ndarray) -> int | None:
    """Find a column beside two or more others that are probabilities, float [n, columns]."""
    sums = values.sum(axis=1)
    if values.shape[1] < 3 or _sum_to_one(values, sums):
        return None
    for column in range(values.shape[1]):
        rest = np.delete(values, column, axis=1)
        if np.ptp(sums - values[:, column]) < 2 * SUM_TOLERANCE and _sum_to_one(
            rest, sums - values[:, column]
        ):
            return column
    return None


def largest_of_others(values: np.ndarray) -> int | None:
    """Find a last column that is the largest of the others in every row, as a confidence is."""
    if values.shape[1] < 3 or len(values) < _FEWEST:
        return None
    others = values[:, :-1]
    same = np.array_equal(values[:, -1], others.max(axis=1)) and not np.isin(values, (0, 1)).all()
    return values.shape[1] - 1 if same else None


def _sum_to_one(values: np.ndarray, sums: np.ndarray) -> bool:
    inside = values.min() >= -1e-6 and values.max() <= 1 + 1e-6
    return bool(inside and (np.abs(sums - 1) <= SUM_TOLERANCE).all())

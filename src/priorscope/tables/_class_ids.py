"""Class ids of several files: where they start, and how many classes there are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from priorscope.errors import InputError
from priorscope.tables.table import Table

_MOST = 2**53  # beyond, float64 takes different ids for one


@dataclass(frozen=True, eq=False)
class Ids:
    """One file's class ids: float [n], and what they are called in messages."""

    table: Table
    values: np.ndarray
    what: str

    def out_of_range(self, wrong: np.ndarray, allowed: str, hint: str | None = None) -> InputError:
        """Say which row is the first of those that are wrong, bool [n]."""
        row = int(np.argmax(wrong))
        return InputError(
            f"{self.what} out of range",
            where=self.table.row(row),
            found=f"{self.values[row]:.17g}",
            allowed=allowed,
            hint=hint,
        )


def first_of(
    files: Sequence[Ids], *, num_classes: int | None, first: int | None, columns_from_1: bool
) -> tuple[int, int]:
    """Find the lowest class id and the number of classes, where they are not known.

    `columns_from_1` tells whether columns of predictions are numbered from 1 in their files.
    """
    for ids in files:
        least = first or 0
        wrong = (ids.values != np.round(ids.values)) | (ids.values < least) | (ids.values >= _MOST)
        if wrong.any():
            most = "..." if num_classes is None else least + num_classes - 1
            raise ids.out_of_range(wrong, f"whole numbers {least} .. {most}")
    seen = np.unique(np.concatenate([np.unique(ids.values) for ids in files])).astype(np.int64)
    lowest, highest = int(seen[0]), int(seen[-1])
    if num_classes is None:
        start = min(lowest, 1) if first is None else first
        if len(seen) != highest - start + 1:
            raise _gaps(files, seen, start)
    if first is None:
        first = _first_unsaid(files, lowest, highest, num_classes, columns_from_1)
    num_classes = highest - first + 1 if num_classes is None else num_classes
    last = first + num_classes - 1
    for ids in files:
        wrong = (ids.values < first) | (ids.values > last)
        if wrong.any():
            hint = None
            if first == 0 and ids.values.min() > 0 and ids.values.max() == num_classes:
                hint = "say --first-class 1 if ids start at 1"
            raise ids.out_of_range(wrong, f"whole numbers {first} .. {last}", hint)
    return first, num_classes


def _first_unsaid(
    files: Sequence[Ids], lowest: int, highest: int, num_classes: int | None, columns_from_1: bool
) -> int:
    """Ids start at 0 where every file has a 0; a file without may mean another class by each."""
    if num_classes is not None and highest > num_classes - (lowest == 0):
        return 0  # and some are out of range, whatever they start at
    if columns_from_1 and lowest > 0 and highest == num_classes:
        return 1
    without = [ids for ids in files if ids.values.min() > 0]
    if not without:
        return 0
    ids = without[0]
    raise InputError(
        f"no {ids.what} is 0: do ids start at 1?",
        where=ids.table.path,
        found=f"{ids.values.min():.0f} to {ids.values.max():.0f}"
        + (f", of {num_classes:,} classes" if num_classes else ""),
        allowed="class ids that start at 0 in every file",
        hint="say --first-class 1 if they start at 1 in all files of ids, --first-class 0 if they "
        "start at 0 and that class does not occur",
    )


def _gaps(files: Sequence[Ids], seen: np.ndarray, start: int) -> InputError:
    expected = start + np.arange(len(seen))
    wrong = seen != expected
    first = int(expected[np.argmax(wrong)])
    ids = max(files, key=lambda ids: ids.values.max())
    row = int(np.argmax(ids.values))
    return InputError(
        "class ids that leave gaps: how many classes are there?",
        where=ids.table.row(row),
        found=f"{ids.values[row]:.0f}, of {len(seen):,} different ids, without {first}",
        allowed="every id from the lowest to the highest, or rows of one number a class",
        hint="say --num-classes N; what are no class ids (dates, users) has to be left out",
    )

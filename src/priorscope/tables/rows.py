"""Which rows of several tables belong together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from priorscope.errors import InputError
from priorscope.tables.table import Table

_NUM_SHOWN = 3


def match_rows(tables: Sequence[Table], *, by: str | None = None) -> list[Table]:
    """Bring the rows of tables into the order of the first one's.

    Rows that have ids, a column `id` or an index of words, are joined by them. An index of numbers
    is compared: it may say the same as the first one's, or simply count the rows, as that of a new
    frame does. What it says beside that is refused.

    Parameters
    ----------
    by : "ids" joins by any index, "order" by none; None as above

    Raises
    ------
    InputError : other numbers of rows, ids that are missing or given twice, indices that disagree
    """
    first, *others = tables
    return [first, *(_matched(first, table, by) for table in others)]


def _matched(first: Table, table: Table, by: str | None) -> Table:
    shared = [name for name in ("id", "index") if name in first.columns and name in table.columns]
    if by == "ids" and not shared:
        raise InputError(
            "no ids to match rows by",
            where=table.path if _has_ids(first) else first.path,
            allowed="a column called id, or an index, in every file",
        )
    if not shared or by == "order":
        _check_lengths(first, table)
        return table
    name = shared[0]
    ours, theirs = first.columns[name], table.columns[name]
    if np.array_equal(ours, theirs):
        return table
    if name == "id" or by == "ids" or not (_are_numbers(ours) or _are_numbers(theirs)):
        return _joined(first, table, name)
    _check_lengths(first, table)
    same = np.array_equal(np.sort(ours), np.sort(theirs))
    if same or not (_counts(ours) or _counts(theirs)):
        row = int(np.argmax(ours != theirs))
        raise InputError(
            "the same index in another order" if same else "another index",
            where=table.row(row),
            found=theirs[row],
            allowed=f"{ours[row]}, as in {first.row(row)}",
            hint="say --match-rows ids to join rows by their index, --match-rows order if they "
            "belong together as they stand",
        )
    note = f"{table.path}: its index is not that of {first.path}; rows are taken as they stand"
    return replace(table, notes=(*table.notes, note))


def _has_ids(table: Table) -> bool:
    return "id" in table.columns or "index" in table.columns


def _check_lengths(first: Table, table: Table) -> None:
    if len(table) != len(first):
        raise InputError(
            "labels and predictions differ in their number of rows",
            where=table.path,
            found=f"{len(table)} rows",
            allowed=f"{len(first)}, as in {first.path}",
        )


def _joined(first: Table, table: Table, name: str) -> Table:
    places = [_places(each, name) for each in (first, table)]
    for here, there, with_id, where in ((*places, first, table), (*places[::-1], table, first)):
        if missing := [key for key in here if key not in there]:
            shown = ", ".join(missing[:_NUM_SHOWN]) + ", ..." * (len(missing) > _NUM_SHOWN)
            raise InputError(
                f"no row for {len(missing):,} of the ids in {with_id.path}",
                where=where.path,
                found=f"no {shown}",
                allowed="the same ids in every file",
                hint="say --match-rows order if rows belong together as they stand",
            )
    note = f"{table.path}: its rows are joined to those of {first.path} by their {name}"
    rows = np.array([places[1][key] for key in first.columns[name].tolist()])
    return replace(table.take(rows), notes=(*table.notes, note))


def _places(table: Table, name: str) -> dict[str, int]:
    keys = table.columns[name].tolist()
    places = dict(zip(keys, range(len(keys)), strict=True))
    if len(places) < len(keys):
        row = next(row for row, key in enumerate(keys) if places[key] != row)
        raise InputError(
            f"an {name} that is given twice",
            where=table.row(places[keys[row]]),
            found=keys[row],
            allowed="one row an example",
            hint="say --match-rows order if rows belong together as they stand",
        )
    return places


def _are_numbers(keys: np.ndarray) -> bool:
    return all(key.lstrip("-").isdecimal() for key in keys.tolist())


def _counts(keys: np.ndarray) -> bool:
    """Tell whether an index counts the rows, from 0 or 1."""
    return any(
        np.array_equal(keys, np.arange(start, start + len(keys)).astype(str)) for start in (0, 1)
    )

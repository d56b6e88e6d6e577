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
    frame does. What it says beside that is refused, and so is the same index in another order.

    Parameters
    ----------
    by : "ids" joins by any index, "order" by none; None as above

    Raises
    ------
    InputError : other numbers of rows, ids that are missing or given twice, indices that disagree
    """
    if by is None:
        tables = _with_ids_of_some(tables)
    first, *others = tables
    return [first, *(_matched(first, table, by) for table in others)]


def _with_ids_of_some(tables: Sequence[Table]) -> Sequence[Table]:
    """Refuse ids that the first table lacks, or alone has, where they tell of another order.

    Ids that rise from row to row, or names, may be those of the order that the others are in: that
    is said.
    """
    named = [table for table in tables if "id" in table.columns]
    if not named or len(named) == len(tables):
        return tables
    # Others are joined to the ids of the first one; without these they must all say the same.
    checked = named[:1] if named[0] is tables[0] else named
    bare = next(table for table in tables if "id" not in table.columns)
    for table in checked:
        keys = table.columns["id"]
        rises = not _are_numbers(keys) or bool((np.diff(keys.astype(float)) > 0).all())
        if not (rises and np.array_equal(keys, checked[0].columns["id"])):
            raise InputError(
                "ids in one file that another lacks, and rows that are not in the order of the ids",
                where=table.path,
                found=f"ids {', '.join(keys[:_NUM_SHOWN].tolist())}, ...",
                allowed=f"ids in {bare.path} too, or rows in the order of the ids",
                hint="say --match-rows order if rows belong together as they stand",
            )
    note = f"{bare.path}: it has no ids, and its rows are taken in the order of {checked[0].path}"
    return [
        replace(table, notes=(*table.notes, note)) if table is bare else table for table in tables
    ]


def _matched(first: Table, table: Table, by: str | None) -> Table:
    names = _shared(first, table)
    if by == "ids" and not names:
        raise InputError(
            "no ids to match rows by",
            where=table.path if _shared(first, first) else first.path,
            allowed="a column called id, or an index, in every file",
        )
    if not names or by == "order":
        _check_lengths(first, table)
        return table
    ours, theirs = first.columns[names[0]], table.columns[names[1]]
    if np.array_equal(ours, theirs):
        return table
    certain = names in (("id", "id"), ("index", "index"))
    numeric = _are_numbers(ours) or _are_numbers(theirs)
    if by == "ids" or names[0] == "id" or (certain and not numeric):
        return _joined(first, table, names)
    _check_lengths(first, table)
    same = np.array_equal(np.sort(ours), np.sort(theirs))
    if same or (certain and not (_counts(ours) or _counts(theirs))):
        row = int(np.argmax(ours != theirs))
        raise InputError(
            "the same index in another order" if same else "another index",
            where=table.row(row),
            found=theirs[row],
            allowed=f"{ours[row]}, as in {first.row(row)}",
            hint="say --match-rows ids to join rows by their index, --match-rows order if they "
            "belong together as they stand",
        )
    if not certain:
        return table
    note = f"{table.path}: its index is not that of {first.path}; rows are taken as they stand"
    return replace(table, notes=(*table.notes, note))


def _shared(first: Table, table: Table) -> tuple[str, str] | None:
    """Find the columns of two tables that may name the same rows."""
    if "id" in first.columns and "id" in table.columns:
        return "id", "id"
    indices = ("index", "perhaps index")
    pairs = [
        (ours, theirs)
        for ours in indices
        for theirs in indices
        if ours in first.columns and theirs in table.columns
    ]
    same = [
        (ours, theirs)
        for ours, theirs in pairs
        if {*first.columns[ours].tolist()} == {*table.columns[theirs].tolist()}
    ]
    return next(iter([*same, *pairs]), None)


def _check_lengths(first: Table, table: Table) -> None:
    if len(table) != len(first):
        raise InputError(
            "labels and predictions differ in their number of rows",
            where=table.path,
            found=f"{len(table)} rows",
            allowed=f"{len(first)}, as in {first.path}",
        )


def _joined(first: Table, table: Table, names: tuple[str, str]) -> Table:
    places = [_places(each, name) for each, name in zip((first, table), names, strict=True)]
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
    note = f"{table.path}: its rows are joined to those of {first.path} by their {names[1]}"
    rows = np.array([places[1][key] for key in first.columns[names[0]].tolist()])
    return replace(table.take(rows), notes=(*table.notes, note))


def _places(table: Table, name: str) -> dict[str, int]:
    keys = table.columns[name].tolist()
    places = dict(zip(keys, range(len(keys)), strict=True))
    if len(places) < len(keys):
        row = next(row for row, key in enumerate(keys) if places[key] != row)
        raise InputError(
            f"a row that is named twice, by its {name}",
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

"""Names of classes: those of columns, and those that stand for labels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from priorscope.errors import InputError, did_you_mean
from priorscope.tables._no_class import numbered_name
from priorscope.tables.reading import Reading
from priorscope.tables.table import Table

_FEW = 3  # columns beside the classes, where classes are not many that do not occur
_MISSING = {"nan", "na", "n/a", "nat", "none", "null", "inf"}


@dataclass(frozen=True, eq=False)
class Columns:
    """How the columns of several tables of rows are ordered by class.

    Attributes
    ----------
    orders : for each table the columns in the order of the classes, int [num_classes]
    names : one a class, where columns have names that mean classes, or the user gave them
    numbers : the class ids, as text, that the columns are called by, where these leave gaps
    from_1 : whether columns are numbered from 1
    """

    orders: tuple[np.ndarray, ...]
    names: tuple[str, ...] | None = None
    numbers: tuple[str, ...] | None = None
    from_1: bool = False
    notes: tuple[str, ...] = ()


def common_columns(
    tables: Sequence[Table], spoken: Sequence[np.ndarray], reading: Reading
) -> Columns:
    """Find the order in which the columns of tables are the same classes.

    `spoken` are labels and predictions that are names, text [n] each.
    """
    if not tables:
        return Columns((), reading.class_names)
    width = tables[0].values.shape[1]
    _check_width(tables[0], width, reading)
    labels = {name for names in spoken for name in np.unique(names).tolist()}
    numbers = [_numbers(table, labels) for table in tables]
    counted = [*range(width)], [*range(1, width + 1)]
    gapped = [found for found in numbers if found and sorted(found) not in counted]
    words = [
        table for table, found in zip(tables, numbers, strict=True) if table.names and not found
    ]
    if reading.class_names:
        known = reading.class_names
        orders = [
            _order(table, known, "--class-names")
            if table.names and ({*table.names} == {*known} or not found or found in gapped)
            else _by_number(found, width)
            for table, found in zip(tables, numbers, strict=True)
        ]
        return Columns(tuple(orders), known)
    if gapped and (labels or any(sorted(found or ()) != sorted(gapped[0]) for found in numbers)):
        raise _unlike(tables[numbers.index(gapped[0])])
    if labels and words:
        if len(words) < len(tables):
            raise _unlike(next(table for table in tables if table not in words))
        names = words[0].names or ()
        notes = _unspoken(words[0], labels, reading)
        orders = [_order(table, names, str(words[0].path)) for table in tables]
        return Columns(tuple(orders), names, notes=notes)
    _check_places(words)
    orders = [_by_number(found, width) for found in numbers]
    notes = [
        f"{table.path}: its columns are taken in the order of their numbers"
        for table, order in zip(tables, orders, strict=True)
        if (np.diff(order) < 0).any()
    ]
    if gapped:
        called = tuple(map(str, sorted(gapped[0])))
        notes.append(
            f"the classes are {', '.join(called[:5])}{', ...' * (width > 5)}, as columns say"
        )
        return Columns(tuple(orders), called, called, notes=tuple(notes))
    starts = {min(found) for found in numbers if found}
    names = words[0].names if words else None
    return Columns(tuple(orders), names, from_1=starts == {1}, notes=tuple(notes))


def _unspoken(table: Table, labels: set[str], reading: Reading) -> tuple[str, ...]:
    """Ask about a few columns that no label is called by; say how many where they are many."""
    odd = [name for name in table.names or () if name not in labels]
    if not labels <= {*(table.names or ())}:
        return ()  # a label is called by none of them, which is refused
    if odd and len(odd) <= _FEW and "none" not in reading.skipped_in(table.path):
        raise InputError(
            "columns that no label is called by",
            where=table.path,
            found=", ".join(odd),
            allowed="one column a class",
            hint="say --skip-columns "
            + ",".join(f"{table.path}:{name}" for name in odd)
            + " if they hold no class, --skip-columns none if they are classes that do not occur",
        )
    return (f"{table.path}: no label is called by {len(odd)} of its columns",) if odd else ()


def _check_width(table: Table, width: int, reading: Reading) -> None:
    said, option = reading.num_classes, "--num-classes"
    if reading.class_names:
        said, option = len(reading.class_names), "--class-names"
    if said not in {None, width}:
        raise InputError(
            "another number of classes than columns",
            where=table.path,
            found=f"{width} columns",
            allowed=f"{said}, as {option} says",
        )


def _numbers(table: Table, labels: set[str]) -> list[int] | None:
    """Read the numbers by which columns are called, but where labels call them by these names."""
    names = table.names or ()
    numbered = [numbered_name(name) for name in names]
    found = [each for each in numbered if each]
    if not found or len(found) < len(names) or len({stem for stem, _ in found}) > 1:
        return None
    numbers = [number for _, number in found]
    return None if len({*numbers}) < len(numbers) or (labels and labels <= {*names}) else numbers


def _by_number(numbers: list[int] | None, width: int) -> np.ndarray:
    return np.argsort(numbers or range(width), kind="stable")


def _order(table: Table, names: Sequence[str], where: str) -> np.ndarray:
    """Find the columns of these names."""
    places = {name: place for place, name in enumerate(table.names or ())}
    if {*places} != {*names} or len(places) < len(table.names or ()):
        odd = next((name for name in table.names or () if name not in names), None)
        raise InputError(
            "columns that are not called as the classes",
            where=table.path,
            found=", ".join(table.names or ()) if odd is None else odd,
            allowed=f"each of {', '.join(names)}, as in {where}",
            hint=did_you_mean(odd, names) if odd else None,
        )
    return np.array([places[name] for name in names])


def _check_places(tables: Sequence[Table]) -> None:
    """Refuse one name at two places: only the order could tell which class a label means."""
    for table in tables[1:]:
        ours, theirs = tables[0].names or (), table.names or ()
        for place, name in enumerate(theirs):
            if name in ours and ours.index(name) != place:
                raise InputError(
                    "columns in another order",
                    where=f"{table.path}, column {name}",
                    found=f"class {place}",
                    allowed=f"{ours.index(name)}, as in {tables[0].path}",
                    hint="say --class-names, in the order of the class ids",
                )


def _unlike(table: Table) -> InputError:
    return InputError(
        "it is open which class each column is",
        where=table.path,
        found=", ".join(table.names) if table.names else "no names",
        allowed="columns called by the same names or ids of classes in all files, or by 0, 1, ...",
        hint="say --class-names, in the order of the class ids",
    )


def alphabetical(
    spoken: Sequence[tuple[Table, np.ndarray]], num_columns: int | None, num_classes: int | None
) -> tuple[str, ...]:
    """List the different names in alphabetical order, as folders of images are read.

    The table of labels is the first, where it has names.
    """
    for table, said in spoken:
        _check_names(table, said)
    table, labels = spoken[0]
    names = np.unique(np.concatenate([said for _, said in spoken])).tolist()
    number = num_columns or num_classes or len(names)
    if len(names) > number or (num_columns and len(names) < number):
        raise _open_names(table, f"{len(names)} different names for {number} classes")
    if num_columns:
        numbered = [numbered_name(name) for name in names]
        found = [each for each in numbered if each]
        if len(found) == len(names) and found != sorted(found):
            raise _open_names(table, f"{', '.join(names[:3])}, ...: by letter or by number?")
        if len(np.unique(labels)) == len(labels) > 1:
            raise _open_names(table, "a name of its own in every row")
    for other, said in spoken[1:]:
        if not {*said.tolist()} & {*labels.tolist()}:
            raise InputError(
                "predictions of which none is the name of a label",
                where=other.path,
                found=", ".join(np.unique(said)[:5].tolist()),
                allowed=", ".join(np.unique(labels).tolist()) + f", as in {table.path}",
                hint="say --class-names if these are classes, too",
            )
    return (*names, *(f"class {i}" for i in range(len(names), number)))


def _check_names(table: Table, names: np.ndarray) -> None:
    """Refuse what is rather a damaged number, a date or a missing value than a name, text [n]."""
    for name in np.unique(names).tolist():
        if not name[0].isalpha() or name.lower() in _MISSING or re.search(r"\s\s|\t", name):
            raise InputError(
                "neither a class id nor a name of a class",
                where=table.row(int(np.argmax(names == name))),
                found=repr(name),
                allowed="names that begin with a letter, without tabs or several blanks",
                hint="say --class-names if this is one of them",
            )


def _open_names(table: Table, found: str) -> InputError:
    return InputError(
        "it is open which column each name means",
        where=table.path,
        found=found,
        allowed="one name a column, or columns called by these names",
        hint="say --class-names, in the order of the columns",
    )


def ids_of(table: Table, names: np.ndarray, classes: Sequence[str], what: str) -> np.ndarray:
    """Find the place of each name among the classes, int64 [n]."""
    places = {name: place for place, name in enumerate(classes)}
    keys = [f"{name:.0f}" for name in names] if names.dtype.kind == "f" else names.tolist()
    for row, key in enumerate(keys):
        if key not in places:
            raise InputError(
                f"{what} that is none of the classes",
                where=table.row(row),
                found=repr(key),
                allowed=", ".join(classes),
                hint=did_you_mean(key, classes),
            )
    return np.array([places[key] for key in keys], dtype=np.int64)

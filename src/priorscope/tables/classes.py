"""Which class each column and each label means, the same for labels and all predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from priorscope.errors import InputError
from priorscope.tables._beside_answers import answers_alone
from priorscope.tables._class_ids import Ids, first_of
from priorscope.tables._class_names import (
    alphabetical,
    common_columns,
    ids_of,
)
from priorscope.tables.reading import Reading
from priorscope.tables.table import Table


@dataclass(frozen=True, eq=False)
class Classes:
    """Labels and predictions of one set of classes.

    Attributes
    ----------
    names : one a class
    targets : int64 [n], the class of each row; or float [n, num_classes] as the file has it
    answers : for each table of predictions float [n, num_classes], or int64 [n], the class
    notes : what was decided, in words
    """

    names: tuple[str, ...]
    targets: np.ndarray
    answers: tuple[np.ndarray, ...]
    notes: tuple[str, ...] = ()


def settle_classes(labels: Table, predictions: Sequence[Table], reading: Reading) -> Classes:
    """Read class ids, names of classes and rows of one number a class as one set of classes.

    Columns are classes in the order in which they stand, or in that of the numbers in their names
    (`0`, `class_1`). Labels that are names are matched to names of columns where there are any;
    else the classes are the different names in alphabetical order. Ids start at 0; where a file
    has no 0 that is asked for, and so is the number of classes where ids leave gaps.

    Parameters
    ----------
    labels : with a column `label`, or one other column, or one column a class
    predictions : with one column a class, or one of class ids or names

    Raises
    ------
    InputError : rows of different lengths, columns or labels that do not fit each other, ids or
        names of which it is open what they mean; with the option that settles it
    """
    truth = _labels_of(labels)
    predictions = [answers_alone(table, truth, reading) for table in predictions]
    tables, parts = [labels, *predictions], [truth, *map(_answers_of, predictions)]
    whats = ["label", *["predicted class id"] * len(predictions)]
    num_columns = _num_columns(tables, parts)
    in_rows = [i for i, part in enumerate(parts) if part.ndim == 2]
    of_names = [i for i, part in enumerate(parts) if part.dtype.kind == "U"]
    of_ids = [i for i in range(len(parts)) if i not in {*in_rows, *of_names}]
    columns = common_columns([tables[i] for i in in_rows], [parts[i] for i in of_names], reading)
    for i, order in zip(in_rows, columns.orders, strict=True):
        parts[i] = parts[i][:, order]
    notes, names = list(columns.notes), columns.names
    if of_names:
        if of_ids and not reading.class_names:
            raise _names_beside_ids(tables[of_names[0]], tables[of_ids[0]])
        if names is None:
            spoken = [(tables[i], parts[i]) for i in of_names]
            names = alphabetical(spoken, num_columns, reading.num_classes)
            shown = ", ".join(f"{i} {name}" for i, name in enumerate(names[:5]))
            notes.append(f"classes in alphabetical order: {shown}{', ...' * (len(names) > 5)}")
        for i in of_names:
            parts[i] = ids_of(tables[i], parts[i], names, whats[i])
    if of_ids and columns.numbers:
        for i in of_ids:
            parts[i] = ids_of(tables[i], parts[i], columns.numbers, whats[i])
    elif of_ids:
        first, number = first_of(
            [Ids(tables[i], parts[i], whats[i]) for i in of_ids],
            num_classes=num_columns or reading.num_classes or len(names or ()) or None,
            first=reading.first_class,
            columns_from_1=columns.from_1,
        )
        for i in of_ids:
            parts[i] = parts[i].astype(np.int64) - first
        names = names or tuple(str(first + i) for i in range(number))
        if reading.first_class is None and first:
            notes.append("class ids start at 1, as the numbers of the columns do")
    if num_columns is None and not (reading.num_classes or reading.class_names):
        notes.append(f"{len(names or ())} classes, as many as occur; --num-classes says otherwise")
    names = names or tuple(map(str, range(num_columns or 0)))
    return Classes(names, parts[0], tuple(parts[1:]), tuple(notes))


def _labels_of(table: Table) -> np.ndarray:
    if "label" in table.columns:
        return table.columns["label"]
    return _answers_of(table)


def _answers_of(table: Table) -> np.ndarray:
    """Find what a table says of each row: float [n, k], float [n] of ids, or text [n] of names."""
    table.require_certain()
    if table.words is not None:
        return table.words
    if table.values.shape[1]:
        return table.values if table.values.shape[1] > 1 else table.values[:, 0]
    if "label" in table.columns:
        return table.columns["label"]
    raise InputError(
        "no column of labels or predictions",
        where=table.path,
        found=", ".join(table.columns),
        allowed="a column of class ids or names, or one column a class, beside these",
    )


def _num_columns(tables: Sequence[Table], parts: Sequence[np.ndarray]) -> int | None:
    in_rows = [i for i, part in enumerate(parts) if part.ndim == 2]
    for i in in_rows:
        if parts[i].shape[1] != parts[in_rows[0]].shape[1]:
            raise InputError(
                "rows of different lengths",
                where=tables[i].path,
                found=f"{parts[i].shape[1]} columns",
                allowed=f"{parts[in_rows[0]].shape[1]}, as in {tables[in_rows[0]].path}",
            )
    return parts[in_rows[0]].shape[1] if in_rows else None


def _names_beside_ids(names: Table, ids: Table) -> InputError:
    return InputError(
        "names of classes in one file, and class ids in another",
        where=f"{names.path}, {ids.path}",
        allowed="ids or names in both",
        hint="say --class-names, in the order of the ids",
    )

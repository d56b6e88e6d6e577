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
from priorscope.tables.reading import Reading, column_in
from priorscope.tables.table import Table

# What a column of predicted classes is called beside one of labels.
_PREDICTED = {"prediction", "predictions", "predicted", "pred", "y_pred"}


@dataclass(frozen=True, eq=False)
class Classes:
    """Labels and predictions of one set of classes.

    Attributes
    ----------
    names : one a class
    targets : int64 [n], the class of each row; or float [n, num_classes], 0 and 1
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
    _require_certain([*([] if "label" in labels.columns else [labels]), *predictions])
    truth = _labels_of(labels)
    for table in predictions:
        _check_not_two(table, reading)
    predictions = [answers_alone(table, truth, reading) for table in predictions]
    _check_skipped([labels, *predictions], reading)
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


def _require_certain(tables: Sequence[Table]) -> None:
    """Ask about all tables at once: what is said of columns is said of all of them."""
    asking = [table for table in tables if table.doubt]
    if len(asking) < 2:
        for table in asking:
            table.require_certain()
        return
    doubts = [table.doubt for table in asking if table.doubt]
    hints = dict.fromkeys(f"{doubt.hint}" for doubt in doubts)
    raise InputError(
        "columns that may hold no class, in several files",
        where=", ".join(str(table.path) for table in asking),
        found="; ".join(
            f"{table.path}, {doubt.found}" for table, doubt in zip(asking, doubts, strict=True)
        ),
        allowed=doubts[0].allowed,
        hint="; or ".join(hints),
    )


def _check_skipped(tables: Sequence[Table], reading: Reading) -> None:
    """Refuse a column to be left out that no file was in doubt about."""
    for said in reading.skip_columns:
        if not any(column_in(table.path, said) in {"none", *table.skipped} for table in tables):
            raise InputError(
                "no such column is in doubt",
                where="--skip-columns",
                found=said,
                allowed="names of columns, or first, last or numbers of columns in doubt",
                hint="give the columns names, or take it out of the file",
            )


def _labels_of(table: Table) -> np.ndarray:
    """Find what a table of labels says, as `_answers_of` does; rows are of 0 and 1."""
    labels = table.columns["label"] if "label" in table.columns else _answers_of(table)
    wrong = ~np.isin(labels, (0, 1)).all(axis=1) if labels.ndim == 2 else np.zeros(1, dtype=bool)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            "labels with several columns are multi-hot rows",
            where=table.row(row),
            found=labels[row].tolist(),
            allowed="0 (absent) and 1 (present), or a column called label",
            hint="say --skip-columns with those that are no labels, by name",
        )
    return labels


def _answers_of(table: Table) -> np.ndarray:
    """Find what a table says of each row: float [n, k], float [n] of ids, or text [n] of names."""
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


def _check_not_two(table: Table, reading: Reading) -> None:
    """Refuse predictions of which it is open whether `label` or the column beside it is meant."""
    name = table.names[0] if table.names and len(table.names) == 1 else None
    if "label" not in table.columns or name is None or name.lower() in _PREDICTED:
        return
    if "none" in reading.skipped_in(table.path):
        return
    raise InputError(
        "two columns that may be predictions",
        where=table.row(0),
        found=f"label (or target) and {name}",
        allowed=f"one, or one called {', '.join(sorted(_PREDICTED))} beside the label",
        hint=f"say --skip-columns {table.path}:label (or target) if {name} holds them, "
        f"--skip-columns {table.path}:{name} if label does",
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

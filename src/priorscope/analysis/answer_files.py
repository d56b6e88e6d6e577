"""Files of labels and of predictions that any tool made -> predictions that metrics score."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from priorscope.analysis.probability_rows import check_probability_rows
from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.tables import NamedArray, Reading, Table, match_rows, read_tables, settle_classes

_LABELS = "a class id (0, 1, ...) or a name a row, or a row of 0 and 1, one column a class"
_ANSWERS = "finite numbers, one column a class; or a class id or a name a row"
_ONE_ROW = ("model", "seed", "arm", "cluster")  # of which an example may have several
_SMALLEST = 1e-300  # a probability of zero has no logarithm
_MOST_CELLS = 2**30  # of rows that are made of predicted class ids: 4 GiB


@dataclass(frozen=True, eq=False)
class Answers:
    """What one file of predictions says.

    Attributes
    ----------
    path, predictions : the file, and its rows as they are
    are_ids : whether only the most likely class is known
    are_probabilities : whether every row sums to one
    """

    path: Path
    predictions: Predictions
    are_ids: bool
    are_probabilities: bool

    def as_logits(self) -> Predictions:
        """Return rows whose softmax is what the model answered, float64 where they are changed."""
        if not self.are_probabilities:
            return self.predictions
        probabilities = self.predictions.logits.astype(float)
        return replace(self.predictions, logits=np.log(np.maximum(probabilities, _SMALLEST)))


def read_answers(
    labels: Path | NamedArray,
    predictions: Mapping[str, Path | NamedArray],
    *,
    probabilities: bool | None = None,
    reading: Reading | None = None,
) -> tuple[dict[str, Answers], list[str]]:
    """Read files of labels and predictions, one row an example; see `priorscope.tables`.

    Returns
    -------
    name -> answers, all with the same targets and classes; and what was decided about the files

    Raises
    ------
    InputError : files that cannot be read, or do not fit each other or the metric
    """
    reading = reading or Reading()
    tables = read_tables(
        [labels, *predictions.values()],
        reading=reading,
        allowed=[_LABELS, *[_ANSWERS] * len(predictions)],
    )
    for table in tables:
        _check_one_row(table)
    label_table, *others = match_rows(tables, by=reading.match_rows)
    sum_to_one = [check_probability_rows(table, claimed=probabilities) for table in others]
    classes = settle_classes(label_table, others, reading)
    targets = _targets(label_table, classes.targets)
    found = {}
    for name, table, answers, are_probabilities in zip(
        predictions, others, classes.answers, sum_to_one, strict=True
    ):
        are_ids = answers.ndim == 1
        logits = _one_hot(table, answers, len(classes.names)) if are_ids else answers
        n = len(targets)
        conditions = {"arm": np.full(n, "")}
        made = Predictions(logits, targets, np.arange(n), conditions, classes.names)
        found[name] = Answers(table.path, made, are_ids, are_probabilities and not are_ids)
    notes = [note for table in (label_table, *others) for note in table.notes]
    return found, [*dict.fromkeys([*notes, *classes.notes])]


def _check_one_row(table: Table) -> None:
    if several := [name for name in _ONE_ROW if name in table.columns]:
        raise InputError(
            f"a column {several[0]}, and one row an example is wanted",
            where=table.path,
            found=f"{several[0]} {', '.join(dict.fromkeys(table.columns[several[0]][:5]))}, ...",
            allowed="one file a model, seed and arm",
            hint=f"say --skip-columns {several[0]} where it is of no account",
        )


def _targets(table: Table, labels: np.ndarray) -> np.ndarray:
    """Return class ids, int64 [n], or where several are present bool [n, num_classes]."""
    if labels.ndim == 1:
        return labels
    present = labels.astype(bool)
    if not present.any(axis=1).all():
        row = int(np.argmin(present.any(axis=1)))
        where = table.row(row)
        raise InputError("a row without a class", where=where, allowed="at least one 1")
    one_each = (present.sum(axis=1) == 1).all()
    return present.argmax(axis=1) if one_each else present


def _one_hot(table: Table, ids: np.ndarray, num_classes: int) -> np.ndarray:
    """Make of a predicted class id a row with 1 at that class."""
    if len(ids) * num_classes > _MOST_CELLS:
        raise InputError(
            "too many classes for so many predicted class ids",
            where=table.path,
            found=f"{len(ids):,} rows of {num_classes:,} classes",
            allowed=f"{_MOST_CELLS:,} numbers in all",
        )
    rows = np.zeros((len(ids), num_classes), dtype=np.float32)
    rows[np.arange(len(ids)), ids] = 1
    return rows

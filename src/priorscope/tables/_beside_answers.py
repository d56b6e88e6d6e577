"""Columns beside a model's answers that only the labels, or that they are answers, betray."""

from dataclasses import replace

import numpy as np

from priorscope.errors import InputError
from priorscope.tables._no_class import beside_probabilities, largest_of_others
from priorscope.tables.reading import Reading
from priorscope.tables.table import Table


def answers_alone(table: Table, labels: np.ndarray, reading: Reading) -> Table:
    """Leave out a column that holds no class beside a model's answers, where the user says so."""
    if table.values.shape[1] < 2 or len(labels) != len(table):
        return table
    place = _copy_of(labels, table.values)
    what = "a column that is a copy of the labels"
    if place is None:
        place = beside_probabilities(table.values)
        what = "a column beside others that are probabilities that sum to one"
    if place is None:
        place = largest_of_others(table.values)
        what = "a column that is the largest of the others"
    if place is None:
        return table
    ends = {0: "first", table.values.shape[1] - 1: "last"}
    options = [ends.get(place, str(place + 1)), *(table.names or ())[place : place + 1]]
    skipped = reading.skipped_in(table.path)
    if skipped & {*options}:
        names = table.names and (*table.names[:place], *table.names[place + 1 :])
        values = np.delete(table.values, place, axis=1)
        left = replace(table, values=values, names=names, skipped=table.skipped | {*options})
        return answers_alone(left, labels, reading)
    if "none" in skipped:
        return table
    raise InputError(
        what,
        where=f"{table.row(0)}, column {options[-1]}",
        found=", ".join(f"{value:g}" for value in table.values[:5, place]) + ", ...",
        allowed="one column a class",
        hint=f"say --skip-columns {table.path}:{options[-1]}, or none for it if it is a class",
    )


def _copy_of(labels: np.ndarray, values: np.ndarray) -> int | None:
    """Find a column that is the labels over again, from 0 or from 1.

    Labels of two classes say nothing here: a perfect model's second column is a copy of them.
    """
    if labels.ndim > 1 or labels.dtype.kind == "U" or len(np.unique(labels)) < 3:
        return None
    same = np.flatnonzero(np.ptp(values - labels[:, None], axis=0) == 0)
    return int(same[0]) if len(same) else None

"""Rows of the adversary's simulation: what their studies give, and what rates must reach."""

import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from scipy.stats import beta

CERTAINTY = 0.99  # of the limit of a simulated rate that is held against a bound

Outcomes = Mapping[str, float]
Tally = dict[str, tuple[float, int]]


@dataclass(frozen=True)
class Row:
    """Studies of one sort, simulated again and again.

    Attributes
    ----------
    kind : the table that it stands in; all rows of a table have the same columns
    about : column -> what is simulated
    study : simulates one study; what came out by column: true or false, or an amount; nan where
        the study says nothing of it
    bounds : column -> lowest and highest rate, in [0, 1]; columns that are not named are reported
    amounts : the columns that are amounts, of which the mean is shown
    together : the columns by which the rates of a table's rows are shown together, at its end
    """

    kind: str
    about: Mapping[str, object]
    study: Callable[[np.random.Generator], Outcomes]
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    amounts: Sequence[str] = ()
    together: Sequence[str] = ()

    @property
    def name(self) -> str:
        """What `--only` looks for a pattern in, and what the row's randomness hangs on."""
        return f"{self.kind}: " + ", ".join(f"{key} {value}" for key, value in self.about.items())


def simulate(row: Row, num_studies: int, seed: int) -> Tally:
    """Add up what came out of a row's studies, and how many said something: column -> both."""
    rng = np.random.default_rng([seed, zlib.crc32(row.name.encode())])
    found: Tally = {}
    for _ in range(num_studies):
        for column, value in row.study(rng).items():
            total, count = found.get(column, (0.0, 0))
            known = not math.isnan(value)
            found[column] = (total + float(value) if known else total, count + known)
    return found


def fails(total: float, count: int, bound: tuple[float, float]) -> bool:
    """Tell whether a rate of `total` in `count` studies shows that the true one is out of bounds.

    It does where its one-sided 99 % limit (Clopper and Pearson's) lies beyond the bound.
    """
    lower = beta.ppf(1 - CERTAINTY, total, count - total + 1) if total > 0 else 0.0
    upper = beta.ppf(CERTAINTY, total + 1, count - total) if total < count else 1.0
    return bool(lower > bound[1] or upper < bound[0])


def failing(row: Row, found: Tally) -> list[str]:
    """Name the columns of a row that are out of bounds."""
    return [name for name, bound in row.bounds.items() if fails(*found[name], bound)]


def tables(rows: Sequence[Row], tallies: Iterator[Tally]) -> Iterator[tuple[str, int]]:
    """Write the table of each kind as soon as its rows are there, and count those that fail."""
    for kind, of_kind in groupby(rows, key=lambda row: row.kind):
        members = [(row, next(tallies)) for row in of_kind]
        row, found = members[0]
        heads = [*row.about, *(_head(row, name) for name in found)]
        lines = [f"## {kind}", "", _line(heads), "|" + "---|" * (len(heads) + 1)]
        num_failing = 0
        for row, found in members:
            wrong = failing(row, found)
            num_failing += bool(wrong)
            cells = [_cell(row, name, *found[name], name in wrong) for name in found]
            lines.append(_line([*row.about.values(), *cells], "!" if wrong else ""))
        lines += _together(members)
        yield "\n".join([*lines, ""]), num_failing


def _together(members: Sequence[tuple[Row, Tally]]) -> Iterator[str]:
    """Write rates of several rows together, which are known more closely than one row's."""
    groups: dict[tuple[object, ...], list[Tally]] = {}
    for row, found in members:
        key = tuple(row.about[name] if name in row.together else "" for name in row.about)
        groups.setdefault(key, []).append(found)
    amounts = members[0][0].amounts
    for key, tallies in groups.items():
        cells = []
        for name in tallies[0]:
            total, count = np.sum([found[name] for found in tallies], axis=0)
            rate = f"{100 * total / count:.2f}" if count else "-"
            cells.append("" if name in amounts else rate)
        yield _line([*key, *cells], "together")


def _head(row: Row, name: str) -> str:
    return name if name in row.amounts else f"{name}, %"


def _cell(row: Row, name: str, total: float, count: int, wrong: bool) -> str:
    """Write a mean, or a rate with its bound: in brackets where none is set, `!` where missed."""
    if not count:
        return "-"
    if name in row.amounts:
        return f"{total / count:.3g}"
    written = f"{100 * total / count:.1f}"
    if name not in row.bounds:
        return f"({written})"
    return f"{written}!" if wrong else written


def _line(cells: Sequence[object], mark: str = "") -> str:
    return "| " + " | ".join([*map(str, cells), mark]) + " |"

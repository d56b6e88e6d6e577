"""A table of numbers, one row an example."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from priorscope.errors import InputError
from priorscope.tables._sheet import row_name


@dataclass(frozen=True, eq=False)
class Table:
    """What a file says, with its columns by what they mean.

    Attributes
    ----------
    columns : name -> [n]. `id`, `model`, `seed`, `arm`, `cluster` where a header has these names
        (in any case), as text; `label` (or `target`), float, or text where it holds names of
        classes; `index` for an index without a name, as text; `perhaps index` for a column that
        holds no class and no two alike rows, as text
    values : float [n, k], finite: the other columns, k may be 0
    names : one a column of `values`, or that of `words`; None where the file has none
    words : text [n], the only other column that holds words in place of numbers, or None
    lines : int, the line of each row of a text file, else None
    order : int [n], where each row stands in the file, from 0; None where they stand so
    notes : what was decided about the file, in words
    skipped : what `Reading.skip_columns` may call the columns that are not among the values
    doubt : why `values` and `words` may not be rows of numbers, one a class; None where they are
    """

    path: Path
    columns: dict[str, np.ndarray]
    values: np.ndarray
    names: tuple[str, ...] | None = None
    words: np.ndarray | None = None
    lines: np.ndarray | None = None
    order: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    skipped: frozenset[str] = frozenset()
    doubt: InputError | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> "Table":
        """Select rows, int [m], in that order."""
        return replace(
            self,
            columns={name: column[rows] for name, column in self.columns.items()},
            values=self.values[rows],
            words=None if self.words is None else self.words[rows],
            order=rows if self.order is None else self.order[rows],
        )

    def require_certain(self) -> None:
        """Refuse a table of which it is in doubt what its columns hold, beside those in `columns`.

        Raises
        ------
        InputError : with the column, and the option that settles it
        """
        if self.doubt:
            raise self.doubt

    def row(self, row: int) -> str:
        """Name a row, given its index from 0, as a person counts."""
        place = row if self.order is None else int(self.order[row])
        return row_name(self.path, place, self.lines)

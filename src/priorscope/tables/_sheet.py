"""What a file holds before anything is known of its columns: cells, and where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

# Of a text file's first line: it names the columns, it is an example, or it could be either. It is
# "suspect" where names would surprise nobody: 0, or 0, 1, 2, ... are those that pandas gives.
FirstLine = Literal["names", "example", "possible names", "suspect"]


@dataclass(frozen=True, eq=False)
class Sheet:
    """Rows of cells.

    Attributes
    ----------
    frame : [n, columns] of text where the file is text, else of what the file says; its own names
        are of no account
    names : one a column, or None where the file has none
    lines : int [n], the line of each row in a text file
    separator : of a text file's columns; None where there is but one
    first_line : where it may hold names, it is the first row of `frame`
    index : places of columns that the file itself declares to be the index of its rows
    """

    path: Path
    frame: pl.DataFrame
    names: tuple[str, ...] | None = None
    lines: np.ndarray | None = None
    separator: str | None = None
    first_line: FirstLine = "example"
    index: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def has_certain_length(self) -> bool:
        """Tell whether it is known if the first line is an example."""
        return self.first_line in {"names", "example"}

    def named_by_first_row(self) -> "Sheet":
        """Take the first row for the columns' names."""
        assert self.lines is not None
        names = tuple(map(str, self.frame.row(0)))
        return replace(
            self, frame=self.frame[1:], names=names, lines=self.lines[1:], first_line="names"
        )

    def names_of(self, places: Sequence[int]) -> tuple[str, ...] | None:
        """Return the names of some columns, or None where the file has none."""
        return None if self.names is None else tuple(self.names[place] for place in places)

    def row(self, row: int) -> str:
        """Name a row, given its index from 0, as a person counts."""
        return row_name(self.path, row, self.lines)

    def cell(self, row: int, column: int) -> str:
        """Name a cell, given its indices from 0, as a person counts."""
        return f"{self.row(row)}, {self.column(column)}"

    def column(self, column: int) -> str:
        """Name a column, given its index from 0, as a person counts."""
        return f"column {column + 1}" + (f" ({self.names[column]})" if self.names else "")


def row_name(path: Path, row: int, lines: np.ndarray | None) -> str:
    """Name a row, given its index from 0, as a person counts."""
    counted = "the first is 1" if lines is None else f"line {lines[row]}"
    return f"{path}, row {row + 1} ({counted})"

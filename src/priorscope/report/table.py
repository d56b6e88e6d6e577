"""A table of a report, and its CSV, Markdown and LaTeX forms."""

import csv
import html
import io
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class PageCell:
    """A cell of the page that is more than text.

    Attributes
    ----------
    text, href : what stands there, and where it leads
    picture : an SVG element, set under the text
    note : smaller text under it
    links : (text, address) of what stands in the cell besides
    anchor : by which other cells lead here
    mark : a class for its look
    """

    text: str
    href: str = ""
    picture: str = ""
    note: str = ""
    links: tuple[tuple[str, str], ...] = ()
    anchor: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """A table as readers see it, and its numbers in full.

    Attributes
    ----------
    name : stem of its files
    caption : what the reader sees, with units, and how intervals were made
    header : one heading a column; may have two lines
    rows : cells as text, one a column
    records : the same rows with unrounded numbers, for the CSV file
    numeric : the columns that are set as numbers
    muted : the rows that are for reference only (chance)
    numbered : whether the page counts it
    page_header, page_rows : what the page shows in place of header and rows
    """

    name: str
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    records: Sequence[Row]
    numeric: Collection[int] = ()
    muted: Collection[int] = ()
    numbered: bool = True
    page_header: Sequence[str] = ()
    page_rows: Sequence[Sequence[PageCell]] = ()

    def __post_init__(self):
        assert all(len(row) == len(self.header) for row in self.rows)
        assert all(len(row) == len(self.page_header) for row in self.page_rows)

    kind = "table"


def table_of(
    name: str,
    caption: str,
    records: Sequence[Row],
    columns: Mapping[str, Callable[[Any], str]],
    *,
    shown: Sequence[Row] | None = None,
    **more: Any,
) -> Table:
    """Make a table of one row a record; each column is its heading, and how it writes a record.

    `shown` are the records that have a row, where that is not all of them.
    """
    rows = [[write(row) for write in columns.values()] for row in (shown or records)]
    return Table(name, caption, list(columns), rows, records, **more)


def to_csv(table: Table) -> str:
    """Write the records: every number in full, an empty cell where there is none."""
    columns = list(dict.fromkeys(key for record in table.records for key in record))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table.records)
    return text.getvalue()


def to_markdown(table: Table) -> str:
    """Write a GitHub-flavoured table under its caption."""
    rule = ["---:" if i in table.numeric else "---" for i in range(len(table.header))]
    lines = [[_markdown(cell) for cell in row] for row in (table.header, *table.rows)]
    lines.insert(1, rule)
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{_markdown(table.caption)}\n\n{body}\n"


def to_latex(table: Table) -> str:
    """Write a `table` environment in the style of the booktabs package."""
    columns = "".join("r" if i in table.numeric else "l" for i in range(len(table.header)))
    header, *rows = [
        " & ".join(_latex(cell) for cell in row) + r" \\" for row in (table.header, *table.rows)
    ]
    label = re.sub(r"[^\w-]", "-", table.name)
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{_latex(table.caption)}}}",
            rf"  \label{{tab:{label}}}",
            rf"  \begin{{tabular}}{{{columns}}}",
            r"    \toprule",
            f"    {header}",
            r"    \midrule",
            *(f"    {row}" for row in rows),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _markdown(text: str) -> str:
    text = html.escape(" ".join(text.split("\n")), quote=False)
    return re.sub(r"([\\`*_{}\[\]|~#])", r"\\\1", text)


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # A row that starts with "[" would be read as the argument of the line break before it.
    "[": "{[}",
    "]": "{]}",
    "\N{MINUS SIGN}": "$-$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "\N{ALMOST EQUAL TO}": r"$\approx$",
    "\N{NOT EQUAL TO}": r"$\neq$",
    "\N{EN DASH}": "--",
    "\N{NO-BREAK SPACE}": "~",
    "\n": " ",
} | {sign: f"\\{sign}" for sign in "&%$#_{}"}


def _latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text)

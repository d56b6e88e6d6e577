"""Tables in a notebook."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import polars as pl


def as_html(title: str, tables: Mapping[str, pl.DataFrame], notes: Sequence[str] = ()) -> str:
    """Write a title, notes, and every row of some tables; empty tables are left out."""
    parts = [f"<p><code>{escape(title)}</code></p>", *(f"<p>{escape(note)}</p>" for note in notes)]
    for name, table in tables.items():
        if len(table):
            head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
            rows = ("".join(map(_cell, row)) for row in table.rows())
            body = "".join(f"<tr>{row}</tr>" for row in rows)
            parts.append(f"<table><caption>{escape(name)}</caption><tr>{head}</tr>{body}</table>")
    return "\n".join(parts)


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    left = ' style="text-align: left"' if isinstance(value, str) else ""
    return f"<td{left}>{escape(text)}</td>"

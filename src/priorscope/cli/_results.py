"""What the commands print of results: estimates and verdicts."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from priorscope.analysis import Findings
from priorscope.analysis.findings import scored_of, select
from priorscope.cli._summary import INDENT, say, start_table
from priorscope.metrics import Scale
from priorscope.report.verdict_words import (
    deciding_p,
    declared,
    effect,
    interval_levels,
    seeds_shown,
    verdict_scale,
)
from priorscope.report.warnings import control_warnings, late_changes
from priorscope.report.wording import plain

_STYLES = {"supported": "bold green", "refuted": "bold red", "inconclusive": "bold yellow"}


def print_estimates(console: Console, results: Findings) -> None:
    """Print each probe's estimates with their intervals, chance included.

    Models that do not fit side by side stand in further tables below.
    """
    models = list(dict.fromkeys(results.estimates["model"]))
    for cell in results.cells:
        of_cell = results.at(cell)
        if cell:
            console.print(cell.replace(",", "  "), style="bold", highlight=False, markup=False)
        make = partial(_estimates_table, of_cell)
        for number, some in enumerate(_side_by_side(console, models, make)):
            if number:
                console.print()
            console.print(make(some), highlight=False)
    for warning in control_warnings(results):
        say(console, warning, "bold red")


def _side_by_side(
    console: Console, models: list[str], make: Callable[[list[str]], Table]
) -> Iterator[list[str]]:
    """Share models among tables, as many in each as the terminal has room for."""
    while models:
        num = len(models)
        while num > 1 and _width(console, make(models[:num])) > console.width:
            num -= 1
        yield models[:num]
        models = models[num:]


def _width(console: Console, table: Table) -> int:
    without_end = console.options.update(width=10_000)
    return Measurement.get(console, without_end, table).maximum


def _estimates_table(of_cell: Findings, models: list[str]) -> Table:
    table = start_table("probe", "arm", "", *models)
    for key, group in groupby(select(of_cell.estimates), lambda row: (row["probe"], row["arm"])):
        rows = {row["model"]: row for row in group}
        shown = of_cell.scale(scored_of(next(iter(rows.values()))))
        # The interval stands on a line of its own: three models then fit 80 columns.
        table.add_row(
            key[0],
            plain(key[1]),
            shown.symbol,
            *(_cell(shown, rows.get(model)) for model in models),
        )
    return table


def _cell(shown: Scale, row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    interval = escape(shown.interval(row["low"], row["high"]))
    return f"{shown.value(row['estimate'])}\n[dim]{interval}[/dim]"


def print_verdicts(console: Console, results: Findings) -> None:
    """Print each verdict with its effect and reason, and what was changed late.

    Nothing where none was declared.
    """
    if not results.verdicts:
        return
    console.print(
        "\n[bold]verdicts[/bold]  with the intervals that decide them; p of what is claimed, "
        f"adjusted over {len(results.verdicts)}"
    )
    for row in results.verdicts:
        scale = verdict_scale(row)
        numbers = f"{effect(row, scale)}  p {deciding_p(row)}  ({interval_levels(row, scale)})"
        head = Text.assemble(
            (f"{row['id']}  ", "bold"),
            (row["verdict"].upper(), _STYLES[row["verdict"]]),
            f"  {row['statement']}",
        )
        late = row["changed_after_results"]
        said = f"{row['reason']} ({late}, when results existed)" if late else row["reason"]
        console.print(head, highlight=False)
        numbers = numbers if row["estimate"] is not None else ""
        for line in (declared(row, scale), numbers, seeds_shown(row), said):
            if line:
                console.print(Padding(Text(line), (0, 0, 0, INDENT)), highlight=False)
    for sentence in late_changes(results.record.get("history", [])):
        console.print(Text(sentence, style="bold yellow"), highlight=False)

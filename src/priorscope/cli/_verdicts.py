"""What the commands print of verdicts."""

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from priorscope.analysis import Findings
from priorscope.report.verdict_words import (
    deciding_p,
    declared,
    effect,
    interval_levels,
    seeds_shown,
    verdict_scale,
)
from priorscope.report.warnings import late_changes

_STYLES = {"supported": "bold green", "refuted": "bold red", "inconclusive": "bold yellow"}
_INDENT = 4


def print_verdicts(console: Console, results: Findings) -> None:
    """Print each verdict with its effect and reason, and what was changed late.

    Nothing where none was declared.
    """
    if results.verdicts:
        console.print(
            f"\n[bold]verdicts[/bold]  with the intervals that decide them; p of what is claimed, "
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
                console.print(Padding(Text(line), (0, 0, 0, _INDENT)), highlight=False)
    if results.verdicts:
        for sentence in late_changes(results.record.get("history", [])):
            console.print(Text(sentence, style="bold yellow"), highlight=False)

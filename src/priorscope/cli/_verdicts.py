"""What the commands print about hypotheses: verdicts, and what a plan could show."""

from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from priorscope.report.artefacts import read_artefacts
from priorscope.report.tables_verdicts import declared, effect, verdict_unit
from priorscope.report.wording import p_value

_STYLES = {"supported": "bold green", "refuted": "bold red", "inconclusive": "bold yellow"}
_INDENT = 4


def print_verdicts(console: Console, out: Path) -> None:
    """Print each verdict with its effect and reason; nothing where none was declared."""
    artefacts = read_artefacts(out)
    if artefacts.verdicts:
        console.print(f"\n[bold]verdicts[/bold]  p adjusted over {len(artefacts.verdicts)}")
    for row in artefacts.verdicts:
        unit_ = verdict_unit(artefacts, row)
        numbers = f"{effect(row, unit_)}  p {p_value(row['p_adjusted'])}"
        head = Text.assemble(
            (f"{row['id']}  ", "bold"),
            (row["verdict"].upper(), _STYLES[row["verdict"]]),
            f"  {declared(row, unit_)}",
        )
        late = row["changed_after_results"]
        said = f"{row['reason']} ({late}, when results existed)" if late else row["reason"]
        console.print(head)
        for line in (row["statement"], numbers if row["estimate"] is not None else "", said):
            if line:
                console.print(Padding(Text(line), (0, 0, 0, _INDENT)))

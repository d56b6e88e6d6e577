"""What the commands print about hypotheses: verdicts, and what a plan could show."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from priorscope.analysis.power import POWER, Plan
from priorscope.report.artefacts import read_artefacts
from priorscope.report.late import late_changes
from priorscope.report.tables_verdicts import BEYOND, deciding_p, declared, effect, verdict_unit
from priorscope.report.wording import Unit, counted, unit_of
from priorscope.study.conditions import largest_difference
from priorscope.study.levels import listed_levels, written
from priorscope.study.spec import Hypothesis

_STYLES = {"supported": "bold green", "refuted": "bold red", "inconclusive": "bold yellow"}
_INDENT = 4


def print_verdicts(console: Console, out: Path) -> None:
    """Print each verdict with its effect and reason, and what was changed late.

    Nothing where none was declared.
    """
    artefacts = read_artefacts(out)
    if artefacts.verdicts:
        console.print(
            f"\n[bold]verdicts[/bold]  intervals as their tests use them, 90 % where a test "
            f"of one side is at 5 %; p of what is claimed, adjusted over {len(artefacts.verdicts)}"
        )
    for row in artefacts.verdicts:
        unit_ = verdict_unit(artefacts, row)
        numbers = f"{effect(row, unit_)}  p {deciding_p(row)}"
        head = Text.assemble(
            (f"{row['id']}  ", "bold"),
            (row["verdict"].upper(), _STYLES[row["verdict"]]),
            f"  {row['statement']}",
        )
        late = row["changed_after_results"]
        said = f"{row['reason']} ({late}, when results existed)" if late else row["reason"]
        console.print(head, highlight=False)
        for line in (declared(row, unit_), numbers if row["estimate"] is not None else "", said):
            if line:
                console.print(Padding(Text(line), (0, 0, 0, _INDENT)), highlight=False)
    if artefacts.verdicts:
        for sentence in late_changes(artefacts.record.get("history", [])):
            console.print(Text(sentence, style="bold yellow"), highlight=False)


def power_lines(plans: Sequence[Plan]) -> dict[str, Any]:
    """Write what was declared, and what the planned seeds and scenes could show of it."""
    said = [
        {
            "id": plan.hypothesis.id,
            "statement": plan.hypothesis.statement,
            "lines": [
                _declared(plan.hypothesis),
                _size(plan),
                _could_show(plan, unit_of(plan.hypothesis.metric, plan.largest)),
            ],
        }
        for plan in plans
    ]
    return {"power": POWER, "hypotheses": said}


def _declared(hypothesis: Hypothesis) -> str:
    contrast = hypothesis.contrast
    level = None if contrast.level is None else f"{contrast.level:g}"
    words = " against ".join(part for part in (contrast.a, contrast.b, level) if part)
    if contrast.conditions is not None:
        words += f", {contrast.conditions[0]} minus {contrast.conditions[1]}"
    for name, (first, second) in (contrast.between or {}).items():
        words += f", {name} {written(first)} minus {written(second)}"
    if hypothesis.at:
        words += f", at {listed_levels(hypothesis.at.items())}"
    margin = f" within {hypothesis.margin:g}" if hypothesis.margin else ""
    where = ": ".join(part for part in (hypothesis.probe, hypothesis.condition) if part)
    return f"{words}, {hypothesis.metric} on {where}, expect {hypothesis.expect}{margin}"


def _size(plan: Plan) -> str:
    seeds = counted(plan.num_seeds[0], "seed")
    clusters = f" in {plan.num_units:,} clusters" if plan.num_units < plan.num_images else ""
    one = ", these trained networks only" if plan.num_seeds[0] == 1 else ""
    size = f"{seeds}, {plan.num_images:,} scenes{clusters}{one}"
    return f"{size}; {plan.source}"


def _could_show(plan: Plan, shown: Unit) -> str:
    hypothesis, margin = plan.hypothesis, plan.hypothesis.margin
    what = "margin" if hypothesis.expect == "equivalent" else "effect"
    most = largest_difference(hypothesis.contrast, plan.largest)
    amount = _amount(plan.detectable, shown) if plan.detectable <= most else BEYOND
    text = f"smallest {what} that it would show: {amount}"
    if margin is None:
        return text
    text += f"; the declared margin of {_amount(margin, shown)} needs "
    if hypothesis.expect == "equivalent" and plan.detectable <= margin:
        return f"{text}no more"
    ways = []
    if plan.seeds is not None:
        ways.append(f"{plan.seeds:,} seeds")
    if plan.images is not None:
        ways.append(_scenes(plan, plan.images))
    if plan.together is not None:
        ways.append(f"{plan.together[0]} seeds and {_scenes(plan, plan.together[1])}")
    return text + (" or ".join(ways) if ways else "more than 50 seeds, or another probe")


def _scenes(plan: Plan, images: int) -> str:
    if plan.num_units == plan.num_images:
        return f"{images:,} scenes"
    per_cluster = plan.num_images / plan.num_units
    return f"{images:,} scenes in {round(images / per_cluster):,} clusters"


def _amount(value: float, shown: Unit) -> str:
    decimals = shown.decimals + 1
    return f"{value * shown.factor:.{decimals}f} {shown.difference_symbol or shown.symbol}".strip()

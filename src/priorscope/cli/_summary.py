"""What the commands print about a study."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from torch import nn

from priorscope.cli._progress import duration
from priorscope.models._notes import notes
from priorscope.probes import ProbeSet
from priorscope.report.artefacts import read_artefacts
from priorscope.report.tables_fairness import architecture_table, condition_table
from priorscope.report.wording import Unit, plain, unit
from priorscope.study.prepare import ModelSize, StudyData
from priorscope.study.spec import TEST_PROBE, Study


def print_data(
    console: Console, study: Study, data: StudyData, probes: Mapping[str, ProbeSet]
) -> None:
    """Say what is trained on and tested on."""
    console.print(f"[bold]{study.name}[/bold]  study hash {study.hash}", highlight=False)
    held_out = f", {len(data.held_out):,} held out" if data.held_out is not None else ""
    px = data.preprocess.image_px
    resized = "" if px == data.train.image_px else f", seen at {px} px"
    shown = f"{data.train.image_px} px{resized}"
    console.print(
        f"data     {data.title}: {len(data.train):,} training images{held_out}, "
        f"{len(data.test):,} test images, {data.train.num_classes} classes, {shown}",
        highlight=False,
        soft_wrap=True,
    )
    for name, probe in probes.items():
        if name != TEST_PROBE:
            side = probe.images.shape[1]
            console.print(
                f"probe    {name}: {len(probe) // len(probe.arms):,} scenes of {side} px"
                f" in each of {', '.join(probe.arms)}",
                highlight=False,
                soft_wrap=True,
            )


def print_recipe(console: Console, study: Study) -> None:
    """Print the one recipe."""
    recipe = study.as_dict()["recipe"]
    words = "  ".join(f"{key} {_plain(value)}" for key, value in recipe.items())
    console.print(f"recipe   {words}", highlight=False, soft_wrap=True)


def print_models(
    console: Console,
    study: Study,
    data: StudyData,
    sizes: Mapping[str, ModelSize],
    seconds: Mapping[str, tuple[float, float]],
) -> None:
    """Print size and expected time of every model, and the sum."""
    table = _table("model", "component", "parameters", "MACs", "train img/s", "one run")
    total, epochs = 0.0, study.recipe.epochs
    for name, component in study.models.items():
        train_one, predict_one = seconds[name]
        # Every epoch ends with the test images; probes are small beside them.
        one_run = epochs * (len(data.train) * train_one + len(data.test) * predict_one)
        total += one_run * len(study.seeds)
        words = [f"{key}={value}" for key, value in component.parameters.items()]
        table.add_row(
            name,
            " ".join([component.name, *words]),
            f"{sizes[name].num_parameters:,}",
            f"{sizes[name].macs / 1e6:,.1f} M",
            f"{1 / train_one:,.0f}",
            duration(one_run),
        )
    console.print(table)
    console.print(
        f"{len(study.models)} models x {len(study.seeds)} seeds: about {duration(total)}"
        " on this machine, probes and report not counted",
        highlight=False,
    )


def print_notes(console: Console, models: Mapping[str, nn.Module]) -> None:
    """Print what models say about their parameters, such as a window that covers the grid."""
    for name, model in models.items():
        for note in notes(model):
            console.print(f"note     {name}: {note}", highlight=False, markup=False, soft_wrap=True)


def print_fairness(console: Console, differences: Sequence[Mapping[str, Any]]) -> None:
    """Print what differs between the models, a property a line, and what is the same."""
    rows = [dict(row) for row in differences]
    lines, same = [], []
    if made := architecture_table(rows):
        models = made.header[1:-2]
        for name, *values, ratio, declared in made.rows:
            if declared == "same":
                same.append(f"{name.lower()} {values[0]}")
                continue
            factor = f"factor {ratio}, " if ratio else ""
            pairs = "; ".join(
                f"{model} {value}" for model, value in zip(models, values, strict=True)
            )
            lines.append(f"differs  {name.lower()} ({factor}{declared}): {pairs}")
    if made := condition_table(rows):
        for name, models, value, declared in made.rows:
            if declared == "same":
                same.append(f"{name.lower()} {value}")
            else:
                lines.append(f"differs  {name.lower()} ({declared}): {models} {value}")
    for line in [*lines, f"same     {'; '.join(same)}"]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def print_estimates(console: Console, out: Path) -> None:
    """Print each probe's estimates with their intervals, chance included."""
    artefacts = read_artefacts(out)
    models = list(dict.fromkeys(row["model"] for row in artefacts.estimates))
    table = _table("probe", "arm", "", *models)
    for key, group in groupby(artefacts.estimates, lambda row: (row["probe"], row["arm"])):
        rows = {row["model"]: row for row in group}
        shown = unit(artefacts, *key, next(iter(rows.values()))["metric"])
        # The interval stands on a line of its own: three models then fit 80 columns.
        cells = [_cell(shown, rows.get(model)) for model in models]
        table.add_row(key[0], plain(key[1]), shown.symbol, *cells)
    console.print(table, highlight=False)


def _cell(shown: Unit, row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    interval = escape(shown.interval(row["low"], row["high"]))
    return f"{shown.value(row['estimate'])}\n[dim]{interval}[/dim]"


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        words = column in {"model", "component", "probe", "arm", ""}
        table.add_column(
            column, justify="left" if words else "right", no_wrap=column != "component"
        )
    return table


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

"""What the commands print about a study."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from priorscope.api.progress import duration
from priorscope.preflight.checked import Checked
from priorscope.report.sections.fairness import architecture_table, condition_table
from priorscope.study.cells import study_at
from priorscope.study.levels import written
from priorscope.study.spec import Study

INDENT = 4
_NUMBERS = {"parameters", "MACs", "train img/s", "one run"}


def print_plan(console: Console, checked: Checked) -> None:
    """Say what models are trained and tested on, what is to be said of it, and what is varied."""
    _print_data(console, checked)
    _print_remarks(console, checked)
    _print_factors(console, checked)


def _print_data(console: Console, checked: Checked) -> None:
    """Say what the first cell is trained on and tested on."""
    study, data = checked.study, checked.data[checked.first]
    console.print(f"[bold]{study.name}[/bold]  study hash {study.hash}", highlight=False)
    held_out = f", {data['held_out']['num_images']:,} held out" if "held_out" in data else ""
    px, seen_px = data["image_px"], checked.seen_px[checked.first]
    resized = "" if px == seen_px else f", seen at {seen_px} px"
    say(
        console,
        f"data     {data['title']}: {data['train']['num_images']:,} training images{held_out}, "
        f"{data['test']['num_images']:,} test images, {len(data['class_names'])} classes, "
        f"{px} px{resized}",
    )
    for name, probe in checked.probes.items():
        arms = ", ".join(probe.arms)
        scenes = f"{probe.num_scenes:,} scenes of {probe.image_px} px in each of {arms}"
        say(console, f"probe    {name}: {scenes}")
    for name, component in checked.study.measures.items():
        about = checked.measures[name]
        of = "each network" if about["kind"] == "network" else "each pair of networks"
        if component.parameters.get("state") == "untrained":
            of += ", untrained"
        say(console, f"measure  {name}: {component.name} of {of}, on {about['probe']}")


def _print_remarks(console: Console, checked: Checked) -> None:
    """Print what the datasets of all cells have to say of themselves, each line once."""
    for key, word, style in (("notes", "note", ""), ("warnings", "warning", "bold red")):
        lines = [line for data in checked.data.values() for line in data[key]]
        for line in dict.fromkeys(lines):
            say(console, f"{word:<8} data: {line}", style)


def print_recipe(console: Console, study: Study) -> None:
    """Print the one recipe."""
    recipe = study.as_dict()["recipe"]
    words = "  ".join(f"{key} {_plain(value)}" for key, value in recipe.items())
    nothing = "" if study.trained else "nothing is trained  "
    say(console, f"recipe   {nothing}{words}")


def _print_factors(console: Console, checked: Checked) -> None:
    """Print each factor with its levels, and how many cells and training images they make."""
    for factor in checked.study.factors:
        named = zip(factor.values, factor.as_dict()["settings"], strict=True)
        plain_levels = all(settings == [value] for value, settings in named)
        levels = ", ".join(written(value) for value in factor.values)
        keys = ", ".join(factor.keys)
        more = "" if plain_levels and keys == f"data.{factor.name}" else f"  [{keys}]"
        say(console, f"factor   {factor.name}: {levels}{more}")
    if checked.study.factors:
        sizes = sorted(set(checked.num_train.values()))
        images = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
        console.print(
            f"cells    {len(checked.data)}, of {images} training images each", highlight=False
        )


def print_warnings(console: Console, checked: Checked) -> None:
    """Print what models are warned of; `run.json` has the same of each run."""
    for line in checked.warnings:
        say(console, f"warning  {line}", "bold red")


def print_models(
    console: Console, checked: Checked, timed: Mapping[str, Mapping[str, Any]], date: str
) -> None:
    """Print size and expected time of every model, and the sum; times are those of the first cell.

    Where cells differ in training images or epochs, the time of one run is their mean. The batches
    that were timed are named where they are not the recipe's.

    Parameters
    ----------
    timed : a `TimedModel` of each model as plain values
    date : when they were timed
    """
    study, sizes = checked.study, checked.sizes[checked.first]
    batch_size = study_at(study, checked.first).recipe.batch_size
    shown = start_table("model", "component", "parameters", "MACs", "train img/s", "one run")
    num_test, total = checked.data[checked.first]["test"]["num_images"], 0.0
    part = 0.0 if study.stability is None else study.stability.budget
    num_curve = min(num_test, study.curve_images or num_test)
    for name, component in study.models.items():
        of_model = timed[name]
        # Every epoch ends with the curve's test images; probes are small beside them.
        speed, all_cells = "as given", num_test * of_model["predict"]
        if not study.is_given(name):
            speed = f"{1 / of_model['train']:,.{1 if of_model['train'] > 0.1 else 0}f}"
            all_cells = sum(
                epochs
                * (checked.num_train[levels] * of_model["train"] + num_curve * of_model["predict"])
                for levels, epochs in checked.num_epochs.items()
            )
        again = 0.0 if study.is_given(name) else part
        total += all_cells * study.num_networks(name) * (1 + again)
        words = [f"{key}={value}" for key, value in component.parameters.items()]
        shown.add_row(
            name,
            " ".join([component.name, *words]),
            f"{sizes[name].num_parameters:,}",
            _million(sizes[name].macs),
            speed,
            duration(all_cells / len(checked.data)),
        )
    console.print(shown)
    in_cells = f" x {len(checked.data)} cells" if study.factors else ""
    in_cells += f", and again at {part:g} of the budget" if part else ""
    batches = sorted(timed[name]["batch"] for name in study.trained) or [batch_size]
    ends = " to ".join(str(end) for end in sorted({batches[0], batches[-1]}))
    in_batches = f" in batches of {ends} of {batch_size}" if batches[0] < batch_size else ""
    num_given = sum(study.num_networks(name) for name in study.models if study.is_given(name))
    given = f"{num_given} networks as given" if num_given else ""
    trained = f"{len(study.trained)} models x {len(study.seeds)} seeds{in_cells}"
    what = " and ".join(filter(None, [trained if study.trained else "", given]))
    console.print(
        f"{what}: about {duration(total)}"
        f" on this machine, probes and report not counted; timed {date}{in_batches}",
        highlight=False,
    )


def _million(macs: int | None) -> str:
    return "not counted" if macs is None else f"{macs / 1e6:,.1f} M"


def print_notes(console: Console, notes: Mapping[str, Sequence[str]]) -> None:
    """Print what models say about their parameters, such as a window that covers the grid."""
    for name, of_model in notes.items():
        for note in of_model:
            say(console, f"note     {name}: {note}")


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
        say(console, line)


def print_power(console: Console, said: Mapping[str, Any]) -> None:
    """Print what a plan could show of its hypotheses, see `power_lines`."""
    if not said["hypotheses"]:
        return
    console.print(
        f"\n[bold]hypotheses[/bold]  power {100 * said['power']:g} %, each tested at alpha / "
        f"{len(said['hypotheses'])}, the hardest of Holm's steps",
        highlight=False,
    )
    for each in said["hypotheses"]:
        head = Text.assemble((f"{each['id']}  ", "bold"), each["statement"])
        console.print(head, highlight=False)
        for line in each["lines"]:
            console.print(Padding(Text(line), (0, 0, 0, INDENT)))


def say(console: Console, text: str, style: str = "") -> None:
    """Print a line as it is, however long."""
    console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)


def start_table(*columns: str) -> Table:
    """Start a table; columns of names are set left, those of numbers right."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for column in columns:
        words = column in {"model", "component", "probe", "arm", ""}
        # What has no room goes on in the next line: a name that is cut names nothing.
        justify = "left" if words else "right"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column in _NUMBERS)
    return table


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

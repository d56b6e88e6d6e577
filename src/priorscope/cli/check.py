"""`priorscope check`: what a study would do, before it does it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from priorscope.errors import InputError

if TYPE_CHECKING:
    from priorscope.analysis.contrasts import Arms


def check(
    study: Annotated[
        str, typer.Argument(help="A study file, or the name of a packaged study.", metavar="STUDY")
    ],
    data_root: Annotated[
        Path | None,
        typer.Option(help="Where datasets lie.  [default: $PRIORSCOPE_DATA or the cache folder]"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    pilot: Annotated[
        Path | None,
        typer.Option(help="The output folder of a finished study, to take variances from."),
    ] = None,
) -> None:
    """Say what a study would do, how long it would take, and what it could show."""
    from priorscope.study.load import load_study

    loaded = load_study(study)
    pilot_arms = None if pilot is None else _read_pilot(pilot)

    from rich.console import Console

    from priorscope.analysis.power import plan_power
    from priorscope.cli._summary import (
        print_data,
        print_factors,
        print_fairness,
        print_models,
        print_notes,
        print_recipe,
    )
    from priorscope.cli._verdicts import print_power
    from priorscope.data._locations import data_root as find_data_root
    from priorscope.study.cost import seconds_per_image
    from priorscope.study.environment import choose_device
    from priorscope.study.fairness import as_plain, refuse
    from priorscope.study.prepare_cells import cell_loader, check_cells

    console = Console()
    torch_device = choose_device(device, loaded.recipe.precision)
    load_cell = cell_loader(loaded, find_data_root(data_root))
    checked = check_cells(loaded, load_cell)
    cell = load_cell(checked.first)
    sizes = checked.sizes[checked.first]
    print_data(console, loaded, cell.data, cell.probes)
    print_factors(console, loaded, checked)
    print_recipe(console, cell.study)
    seconds = seconds_per_image(cell.study, cell.data, sizes, torch_device)
    print_models(
        console, loaded, checked, sizes, seconds, len(cell.data.test.thinned(loaded.curve_images))
    )
    print_notes(console, checked.notes)
    print_fairness(console, as_plain(checked.differences))
    print_power(console, plan_power(loaded, cell.probes, pilot_arms))
    refuse(checked.differences)


def _read_pilot(folder: Path) -> "Arms":
    """Score the predictions of a finished study.

    Raises
    ------
    InputError : no study lies there, or it has no predictions
    """
    from priorscope.analysis.contrasts import by_name
    from priorscope.analysis.scores import read_scores
    from priorscope.study.store import read_study

    allowed = "the output folder of `priorscope run`"
    if not (folder / "study.json").is_file():
        raise InputError("no study lies there", where="--pilot", found=folder, allowed=allowed)
    arms, _ = read_scores(folder, read_study(folder))
    if not arms:
        raise InputError("no run of the pilot has predictions", where="--pilot", found=folder)
    return by_name(arms)

"""`priorscope check`: what a study would do, before it does it."""

from pathlib import Path
from typing import Annotated

import typer


def check(
    study: Annotated[
        str, typer.Argument(help="A study file, or the name of a packaged study.", metavar="STUDY")
    ],
    data_root: Annotated[
        Path | None,
        typer.Option(help="Where datasets lie.  [default: $PRIORSCOPE_DATA or the cache folder]"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Say what a study would do, and how long it would take."""
    from priorscope.study.load import load_study

    loaded = load_study(study)

    from rich.console import Console

    from priorscope.cli._summary import (
        print_data,
        print_factors,
        print_fairness,
        print_hypotheses,
        print_models,
        print_notes,
        print_recipe,
    )
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
    print_models(console, loaded, checked, sizes, seconds, len(cell.data.test))
    print_notes(console, checked.notes)
    print_fairness(console, as_plain(checked.differences))
    print_hypotheses(console, loaded)
    refuse(checked.differences)

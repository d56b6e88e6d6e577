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
        print_fairness,
        print_hypotheses,
        print_models,
        print_recipe,
    )
    from priorscope.data._locations import data_root as find_data_root
    from priorscope.study.conditions import check_conditions
    from priorscope.study.cost import seconds_per_image
    from priorscope.study.environment import choose_device
    from priorscope.study.fairness import as_plain, lint, refuse
    from priorscope.study.prepare import (
        build_models,
        build_probes,
        load_data,
        measure_models,
    )

    console = Console()
    torch_device = choose_device(device, loaded.recipe.precision)
    data = load_data(loaded, find_data_root(data_root))
    models = build_models(loaded, data)
    sizes = measure_models(models, data)
    probes = build_probes(loaded, data.test)
    check_conditions(loaded, probes)
    differences = lint(loaded, data, models, probes)
    print_data(console, loaded, data, probes)
    print_recipe(console, loaded)
    print_models(console, loaded, data, sizes, seconds_per_image(loaded, data, sizes, torch_device))
    print_fairness(console, as_plain(differences))
    print_hypotheses(console, loaded)
    refuse(differences)

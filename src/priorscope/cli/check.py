"""`priorscope check`: what a study would do, before it does it."""

import functools
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from priorscope.errors import InputError

if TYPE_CHECKING:  # nothing that needs torch is imported before it is known to be needed
    from priorscope.claims import ArmScores
    from priorscope.preflight.checked import Checked
    from priorscope.runs.load_cells import Cell
    from priorscope.study.levels import Levels


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
    anew: Annotated[
        bool, typer.Option("--anew", help="Measure and time, though nothing has changed.")
    ] = False,
) -> None:
    """Say what a study would do, how long it would take, and what it could show.

    What was measured once is kept until the study, its data, the libraries or the machine change.
    """
    from priorscope.study.load import load_study

    loaded = load_study(study)
    pilot_arms = None if pilot is None else _read_pilot(pilot)

    from rich.console import Console

    from priorscope.cli._summary import (
        print_data,
        print_factors,
        print_fairness,
        print_models,
        print_notes,
        print_power,
        print_recipe,
        print_remarks,
        print_warnings,
    )
    from priorscope.data import data_root as find_data_root
    from priorscope.preflight.fairness import as_plain, refuse
    from priorscope.preflight.known import kept, look, look_key, machine_key
    from priorscope.study.cells import study_at

    root = find_data_root(data_root)

    @functools.cache
    def loader() -> "Callable[[Levels], Cell]":
        from priorscope.runs.load_cells import cell_loader

        return cell_loader(loaded, root)

    def load_cell(levels: "Levels") -> "Cell":
        return loader()(levels)

    key = look_key(loaded, root)
    checked = look(loaded, key, load_cell, anew=anew)
    time_key = machine_key(key, device)
    timed = kept("time", time_key, lambda: _time(checked, load_cell, device), anew=anew)
    power_key = key if pilot is None else None  # what a pilot holds may change
    said = kept("power", power_key, lambda: _plan(checked, load_cell, pilot_arms), anew=anew)

    console = Console()
    print_data(console, checked)
    print_remarks(console, checked)
    print_factors(console, loaded, checked)
    print_recipe(console, study_at(loaded, checked.first))
    print_models(console, checked, timed["models"], timed["date"])
    print_notes(console, checked.notes)
    print_warnings(console, checked.rehearsed)
    print_fairness(console, as_plain(checked.differences))
    print_power(console, said)
    refuse(checked.differences)


def _time(checked: "Checked", load_cell: "Callable[[Levels], Cell]", device: str) -> dict[str, Any]:
    """Time the models of the first cell; say when."""
    from priorscope.preflight.cost import time_models
    from priorscope.runs.environment import choose_device, choose_threads, keep_freed_memory

    cell, sizes = load_cell(checked.first), checked.sizes[checked.first]
    torch_device = choose_device(device, cell.study.recipe.precision)
    choose_threads()
    keep_freed_memory()
    timed = time_models(cell.study, cell.data, sizes, torch_device, checked.rehearsed)
    models = {name: asdict(of_model) for name, of_model in timed.items()}
    return {"models": models, "date": f"{datetime.now():%Y-%m-%d %H:%M}"}


def _plan(
    checked: "Checked", load_cell: "Callable[[Levels], Cell]", pilot: "list[ArmScores] | None"
) -> dict[str, Any]:
    """Say what the study could show."""
    from priorscope.cli._verdicts import power_lines
    from priorscope.preflight.power import plan_power

    return power_lines(plan_power(checked.study, load_cell(checked.first).probes, pilot))


def _read_pilot(folder: Path) -> "list[ArmScores]":
    """Score the predictions of a finished study.

    Raises
    ------
    InputError : no study lies there, or it has no predictions
    """
    from priorscope.analysis.scores import read_scores
    from priorscope.runs.store import read_study

    allowed = "the output folder of `priorscope run`"
    if not (folder / "study.json").is_file():
        raise InputError("no study lies there", where="--pilot", found=folder, allowed=allowed)
    arms, _ = read_scores(folder, read_study(folder))
    if not arms:
        raise InputError("no run of the pilot has predictions", where="--pilot", found=folder)
    return arms

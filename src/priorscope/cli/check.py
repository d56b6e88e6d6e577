"""`priorscope check`: what a study would do, before it does it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from priorscope.cli._options import DataRoot, Device, StudyName

if TYPE_CHECKING:
    from priorscope.api.check import Check


def check(
    study: StudyName,
    data_root: DataRoot = None,
    device: Device = "auto",
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
    from priorscope.api.study import load_study

    loaded = load_study(study)

    from rich.console import Console

    from priorscope.api.check import check as check_study
    from priorscope.cli._summary import (
        print_fairness,
        print_models,
        print_notes,
        print_plan,
        print_power,
        print_recipe,
        print_warnings,
    )
    from priorscope.preflight.fairness import as_plain, refuse
    from priorscope.preflight.known import kept
    from priorscope.study.cells import study_at

    found = check_study(loaded.spec, data_root=data_root, device=device, pilot=pilot, anew=anew)
    console, checked = Console(), found.checked
    print_plan(console, checked)
    print_recipe(console, study_at(checked.study, checked.first))
    print_models(console, checked, found.timed, found.timed_on)
    print_notes(console, checked.notes)
    print_warnings(console, checked)
    print_fairness(console, as_plain(checked.differences))
    print_power(console, kept("power", found.power_key, lambda: _power(found), anew=anew))
    refuse(checked.differences)


def _power(found: "Check") -> dict[str, Any]:
    from priorscope.cli._plans import power_lines  # brings statistics: slow to import

    return power_lines(found.plans)

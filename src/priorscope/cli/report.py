"""`priorscope report`: analysis and page anew from stored predictions."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from priorscope.errors import InputError


def report(
    folder: Annotated[Path, typer.Argument(help="The output folder of a study.", metavar="DIR")],
    data_root: Annotated[
        Path | None,
        typer.Option(
            help="Where paper/ lies, for a study that reproduces the 2021 report."
            "  [default: $PRIORSCOPE_DATA or the cache folder]"
        ),
    ] = None,
) -> None:
    """Rebuild a report from stored predictions."""
    if not (folder / "study.json").is_file():
        raise InputError(
            "no study lies there",
            where="DIR",
            found=folder,
            allowed="the output folder of `priorscope run`",
        )
    from rich.console import Console

    from priorscope.analysis import analyse
    from priorscope.cli._verdicts import print_verdicts
    from priorscope.data import data_root as find_data_root
    from priorscope.report import build
    from priorscope.report.sections.report_2021.curves import keep_curves, read_curves
    from priorscope.runs.store import read_study

    if read_study(folder)["study"].get("reproduces"):
        keep_curves(folder, read_curves(find_data_root(data_root)))
    results = analyse(folder)
    if results.missing:
        print(f"missing from the report: {', '.join(results.missing)}", file=sys.stderr)
    page, console = build(results), Console()
    print_verdicts(console, results)
    console.print(f"report: {page}", soft_wrap=True, highlight=False)

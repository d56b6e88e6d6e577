"""`priorscope report`: analysis and page anew from stored predictions."""

import sys
from pathlib import Path
from typing import Annotated

import typer


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
    from rich.console import Console

    from priorscope.api.results import open_results
    from priorscope.cli._results import print_verdicts

    results = open_results(folder)
    page, console = results.report(data_root=data_root), Console()
    if results.missing:
        print(f"missing from the report: {', '.join(results.missing)}", file=sys.stderr)
    print_verdicts(console, results.findings)
    console.print(f"report: {page}", soft_wrap=True, highlight=False)
    results.findings.refuse_failed()

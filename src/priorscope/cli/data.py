"""`priorscope data`: fetch datasets, and verify those that are there."""

from typing import Annotated

import typer

from priorscope.cli._options import DataRoot

data_app = typer.Typer(help="Fetch or verify a dataset.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The dataset.")]


@data_app.command()
def fetch(
    name: Name,
    root: DataRoot = None,
    mirror: Annotated[
        list[str] | None, typer.Option(help="A URL to try first; may be given more than once.")
    ] = None,
) -> None:
    """Download a dataset; a broken download continues, a wrong checksum is refused."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    from priorscope.data import data_root
    from priorscope.data import fetch as fetch_files

    console = Console()
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=None)
        folder = fetch_files(
            name,
            data_root(root),
            mirrors=mirror or [],
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    print(f"{name}: {folder}")


@data_app.command()
def verify(name: Name, root: DataRoot = None) -> None:
    """Check every file of a dataset against its checksum, or decode it."""
    from priorscope.data import data_root
    from priorscope.data import verify as verify_files
    from priorscope.errors import InputError

    rows = verify_files(name, data_root(root))
    for file, status, detail in rows:
        print(f"{status:<6} {file}  {detail}")
    wrong = [file for file, status, _ in rows if status != "ok"]
    if wrong:
        raise InputError(f"{name}: {len(wrong)} of {len(rows)} files are not right", found=wrong[0])

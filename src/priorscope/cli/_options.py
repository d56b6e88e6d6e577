"""Arguments that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

StudyName = Annotated[
    str, typer.Argument(help="A study file, or the name of a packaged study.", metavar="STUDY")
]
DataRoot = Annotated[
    Path | None,
    typer.Option(help="Where datasets lie.  [default: $PRIORSCOPE_DATA or the cache folder]"),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]

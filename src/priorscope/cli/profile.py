"""`priorscope profile`: what networks that somebody else trained go by."""

from pathlib import Path
from typing import Annotated

import typer

from priorscope.cli._options import DataRoot, Device


def profile(
    networks: Annotated[
        list[str],
        typer.Argument(
            help="MODEL=FILE: a model as in a study, and its weights.", metavar="NETWORK..."
        ),
    ],
    data: Annotated[
        str, typer.Option(help="The dataset whose test images are shown, or {name: ..., ...}.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Output folder.  [default: outputs/profile-<networks>]")
    ] = None,
    data_root: DataRoot = None,
    num_images: Annotated[int, typer.Option(help="Of each probe, at most.", min=1)] = 500,
    device: Device = "auto",
) -> None:
    """Measure networks as they are given, without a study, into a page and profile.json."""
    from priorscope.api.profile import profile as ask
    from priorscope.study.yaml_text import read_yaml

    described = read_yaml(data) if data.lstrip().startswith("{") else data
    found = ask(
        networks,
        data=described,
        out=out,
        data_root=data_root,
        num_images=num_images,
        device=device,
    )
    page = found.results.report()
    for line in found.left_out:
        print(f"left out {line}")
    print(f"profile: {found.path}")
    print(f"report: {page}")

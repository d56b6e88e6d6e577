"""`priorscope list`: what a study can name."""

from typing import Annotated

import typer

from priorscope.components import PACKAGES, listing
from priorscope.errors import unknown_name

KINDS = (*PACKAGES, "studies")


def list_components(
    kind: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(KINDS)}.", metavar="KIND")
    ] = None,
) -> None:
    """List what a study can name, and the packaged studies."""
    if kind is not None and kind not in KINDS:
        raise unknown_name("kind", kind, KINDS, where="KIND")
    for each in [kind] if kind else KINDS:
        rows = _studies() if each == "studies" else _components(each)
        print(each)
        width = max((len(name) for name, _ in rows), default=0)
        for name, summary in rows:
            print(f"  {name:<{width}}  {summary}")
    if kind is None:
        print("\nmodels may also be timm:<name>, torchvision:<name>, ./file.py:callable")


def _components(kind: str) -> list[tuple[str, str]]:
    return [(component.name, component.summary) for component in listing(kind).values()]


def _studies() -> list[tuple[str, str]]:
    """Take each packaged study's summary from the first line of its header."""
    from priorscope.studies import packaged_studies

    return [
        (name, path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# "))
        for name, path in packaged_studies().items()
    ]

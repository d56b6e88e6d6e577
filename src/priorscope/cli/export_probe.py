"""`priorscope export-probe`: images and labels for use elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from priorscope.cli._options import DataRoot
from priorscope.errors import InputError


def export_probe(
    probe: Annotated[str, typer.Argument(help="A probe's name, or ./file.py:callable.")],
    data: Annotated[str, typer.Option(help="The dataset whose test images are used.")],
    out: Annotated[Path, typer.Option(help="A new folder.")],
    data_root: DataRoot = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(help="A parameter of the probe, such as num_images=500; repeatable."),
    ] = None,
    data_parameter: Annotated[
        list[str] | None, typer.Option(help="A parameter of the dataset, likewise.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="The probe's name in a study, which decides its randomness."),
    ] = None,
) -> None:
    """Write a probe's images and labels for other tools.

    A study's probe is reproduced exactly when `--name` and the parameters are those of the study.
    """
    from priorscope.data import data_root as find_data_root
    from priorscope.runs.export import export
    from priorscope.runs.prepare import build_probe, load_dataset
    from priorscope.study.spec import Component

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError("the folder is not empty", where="--out", found=out, allowed="a new one")
    component = Component(probe, _parse(parameter, "--parameter"))
    source = Component(data, _parse(data_parameter, "--data-parameter"))
    base = Path.cwd()
    dataset = load_dataset(source, find_data_root(data_root), base, where="--data")
    built = build_probe(
        component, dataset.test, base, where="PROBE", name=name or probe, train=dataset.train
    )
    export(built, out)
    print(f"{len(built)} images in {out}: images/, examples.csv, labels/<arm>.csv")


def _parse(pairs: list[str] | None, where: str) -> dict[str, object]:
    from priorscope.study.yaml_text import read_yaml

    parsed = {}
    for pair in pairs or []:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise InputError("not of the form key=value", where=where, found=pair)
        parsed[key] = read_yaml(value)
    return parsed

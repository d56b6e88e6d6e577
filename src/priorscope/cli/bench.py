"""`priorscope bench`: what the machine can do, and what share of it each stage of a run reaches."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from priorscope.cli._options import DataRoot, Device, StudyName
from priorscope.errors import unknown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from priorscope.preflight.speed import Limits, Stage


def bench(
    study: StudyName = "quickstart",
    data_root: DataRoot = None,
    device: Device = "auto",
    only: Annotated[list[str] | None, typer.Option(help="Only this model; repeatable.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Time the stages of a study's runs against the machine's matrix peak and copy bandwidth."""
    from priorscope.study.load import load_study

    loaded = load_study(study)
    for name in only or []:
        if name not in loaded.trained:
            raise unknown_name("model that is trained", name, loaded.trained, where="--only")
    models = [name for name in loaded.trained if not only or name in only]

    from rich.console import Console

    from priorscope.data import data_root as find_data_root
    from priorscope.preflight.known import look, look_key
    from priorscope.preflight.speed import arm_stages, measure_limits, pipeline_stages
    from priorscope.runs.environment import (
        choose_device,
        choose_threads,
        describe,
        keep_freed_memory,
    )
    from priorscope.runs.load_cells import cell_loader

    root = find_data_root(data_root)
    torch_device = choose_device(device, loaded.recipe.precision)
    choose_threads()
    keep_freed_memory()
    load_cell = cell_loader(loaded, root)
    checked = look(loaded, look_key(loaded, root), load_cell)
    cell, sizes = load_cell(checked.first), checked.sizes[checked.first]
    limits = measure_limits(torch_device)
    stages = pipeline_stages(cell.study, cell.data, torch_device)
    for name in models:
        stages += arm_stages(name, cell.study, cell.data, cell.probes, sizes[name], torch_device)
    precision = cell.study.recipe.precision
    if as_json:
        plain = _plain(loaded.name, limits, stages, precision, str(torch_device))
        print(json.dumps(plain, indent=1))
        return
    console = Console()
    console.print(
        f"[bold]{loaded.name}[/bold]  {precision} on {torch_device}, "
        f"batches of {cell.study.recipe.batch_size}",
        highlight=False,
    )
    _print(console, limits, stages, precision)
    console.print(describe(), highlight=False, soft_wrap=True)


def _print(console: "Console", limits: "Limits", stages: "Sequence[Stage]", precision: str) -> None:
    from rich.table import Table

    peaks = ", ".join(f"{k} {v / 1e9:,.1f} GFLOP/s" for k, v in limits.matrix_peak.items())
    console.print(f"matrix peak      {peaks}", highlight=False)
    bandwidth = f"{limits.copy_bandwidth / 1e9:,.1f} GB/s, read and written"
    console.print(f"copy bandwidth   {bandwidth}\n", highlight=False)
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for column in ("model", "stage"):
        table.add_column(column, no_wrap=True)
    for column in ("batch", "ms", "images/s", "share"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("of", no_wrap=True)
    shown = None
    for stage in stages:
        table.add_row(
            "" if stage.arm == shown else stage.arm or "all",
            stage.name,
            f"{stage.num_images:,}",
            f"{1e3 * stage.seconds:,.2f}",
            f"{stage.images_per_second:,.0f}",
            f"{100 * stage.share(limits, precision):.1f} %",
            stage.bound,
        )
        shown = stage.arm
    console.print(table)
    console.print(
        "Above 100 % of the copy bandwidth: small batches stay in the caches, the copy does not.\n",
        highlight=False,
    )


def _plain(
    study: str, limits: "Limits", stages: "Sequence[Stage]", precision: str, device: str
) -> dict[str, object]:
    from dataclasses import asdict

    import torch

    from priorscope.runs.environment import hardware, versions
    from priorscope.runs.store import now

    return {
        "study": study,
        "device": device,
        "precision": precision,
        "date": now(),
        "num_threads": torch.get_num_threads(),
        "hardware": hardware(torch.device(device)),
        "versions": versions(),
        "limits": asdict(limits),
        "stages": [
            asdict(stage)
            | {
                "images_per_second": stage.images_per_second,
                "share": stage.share(limits, precision),
            }
            for stage in stages
        ],
    }

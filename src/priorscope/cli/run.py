"""`priorscope run`: from a study to its report."""

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from priorscope.cli._options import DataRoot, Device, StudyName
from priorscope.errors import InputError

if TYPE_CHECKING:  # nothing that needs torch is imported before the study is known to be right
    from rich.console import Console

    from priorscope.api.results import Results


def run(
    invocation: typer.Context,
    study: StudyName,
    out: Annotated[
        Path | None, typer.Option(help="Output folder.  [default: outputs/<name of the study>]")
    ] = None,
    data_root: DataRoot = None,
    seeds: Annotated[str | None, typer.Option(help="Only these, such as 0,1.")] = None,
    only: Annotated[
        str | None,
        typer.Option(help="Only models, <model>-s<seed> or <factor>=<level> that match."),
    ] = None,
    device: Device = "auto",
    devices: Annotated[
        int | None,
        typer.Option(help="Train each run on so many devices.  [default: 1, or torchrun's]", min=1),
    ] = None,
    checkpoint_minutes: Annotated[
        float, typer.Option(help="Between two checkpoints of a training.", min=0)
    ] = 5.0,
    tracker: Annotated[
        list[str] | None,
        typer.Option(help="Log to tensorboard, wandb, mlflow or trackio too; may be repeated."),
    ] = None,
    executor: Annotated[str, typer.Option(help="Who executes the runs: local, ray.")] = "local",
    jobs: Annotated[
        int | None,
        typer.Option(help="Runs at once.  [default: 1; with ray what it has room for]", min=1),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            help="Of each run on CPUs.  [default: all, shared by --jobs; with ray 1]", min=1
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="Of a Ray cluster.  [default: $RAY_ADDRESS, or Ray on this machine]"),
    ] = None,
    shared: Annotated[
        bool,
        typer.Option(
            "--shared", help="Other processes with --shared may work in the output folder too."
        ),
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh/--resume",
            help="Set old results aside and start anew, or continue with what is not finished.",
        ),
    ] = False,
) -> None:
    """Run a study and write its report."""
    from priorscope.api.study import load_study
    from priorscope.api.work import Options, prepared

    options = Options(
        out=out,
        data_root=data_root,
        seeds=_parse_seeds(seeds),
        only=only,
        device=device,
        devices=devices,
        executor=executor,
        jobs=jobs,
        threads=threads,
        address=address,
        shared=shared,
        fresh=fresh,
        checkpoint_minutes=checkpoint_minutes,
        trackers=tracker or (),
        command=shlex.join(["priorscope", *invocation.obj]),
    )
    with prepared(load_study(study), options) as work:
        from priorscope.cli._summary import print_plan, print_warnings

        print_plan(work.console, work.checked)
        print_warnings(work.console, work.checked)
        work.console.print(f"runs     {work.pool.about}", highlight=False, soft_wrap=True)
        work.train()
        results = work.results() if work.speaks and work.has_finished else None
        if results:
            _report(work.console, results)
    work.refuse_failed()
    if results:
        results.findings.refuse_failed()


def _report(console: "Console", results: "Results") -> None:
    """Analyse what is finished, write the report, and print what it begins with."""
    from priorscope.cli._results import print_estimates, print_verdicts

    started = time.perf_counter()
    page = results.report()
    print_estimates(console, results.findings)
    print_verdicts(console, results.findings)
    console.print(f"analysed in {time.perf_counter() - started:.1f} s", style="dim")
    console.print(f"report: {page}", soft_wrap=True, highlight=False)


def _parse_seeds(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            "seeds are whole numbers", where="--seeds", found=text, allowed="such as 0,1,2"
        ) from None

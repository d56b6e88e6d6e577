"""`priorscope run`: from a study to its report."""

import shlex
import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from priorscope.errors import InputError

if TYPE_CHECKING:  # nothing that needs torch is imported before the study is known to be right
    from rich.console import Console

    from priorscope.report.wording import Row

_SHARED_WAIT_SECONDS = 600.0  # while another process opens the study or reports


def run(
    invocation: typer.Context,
    study: Annotated[
        str, typer.Argument(help="A study file, or the name of a packaged study.", metavar="STUDY")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Output folder.  [default: outputs/<name of the study>]")
    ] = None,
    data_root: Annotated[
        Path | None,
        typer.Option(help="Where datasets lie.  [default: $PRIORSCOPE_DATA or the cache folder]"),
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Only these, such as 0,1.")] = None,
    only: Annotated[
        str | None,
        typer.Option(help="Only models, <model>-s<seed> or <factor>=<level> that match."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
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
    from priorscope.runs.store import check_folder, is_finished, set_aside
    from priorscope.study.load import load_study
    from priorscope.study.plan import plan, select

    loaded = load_study(study)
    out = out or Path("outputs") / loaded.name
    runs = plan(loaded)
    chosen = select(runs, seeds=_parse_seeds(seeds), only=only)
    if shared and fresh:
        raise InputError("would set aside what others work on", where="--shared", found="--fresh")
    if not fresh:
        check_folder(out, loaded)

    trackers = tuple(tracker or ())
    if trackers:
        from priorscope.cli._trackers import check_trackers

        check_trackers(trackers)

    from rich.console import Console

    from priorscope import components
    from priorscope.cli._summary import print_data, print_factors, print_remarks, print_warnings
    from priorscope.cli._training import TrainingOptions, train_all
    from priorscope.data import data_root as find_data_root
    from priorscope.errors import PriorscopeWarning, RunFailed
    from priorscope.execution import Asked
    from priorscope.preflight.fairness import as_plain, refuse
    from priorscope.preflight.known import look, look_key
    from priorscope.runs.earlier import earlier_note, earlier_runs
    from priorscope.runs.environment import give_back_freed_memory, hardware, versions
    from priorscope.runs.load_cells import cell_loader
    from priorscope.runs.locks import locked
    from priorscope.runs.samples import write_samples
    from priorscope.runs.store import open_study
    from priorscope.study.levels import cell_name
    from priorscope.training import distributed

    execute = components.resolve("executors", executor, base=loaded.base, where="--executor")
    asked = Asked(device, devices, jobs, threads, address)
    root = find_data_root(data_root)
    with execute(asked, loaded.recipe) as pool:
        console = Console(quiet=not distributed.is_main())
        curves = _published_curves(root) if loaded.reproduces else []
        load_cell = cell_loader(loaded, root)
        checked = look(loaded, key := look_key(loaded, root), load_cell)
        refuse(checked.differences)
        print_data(console, checked)
        print_remarks(console, checked)
        print_factors(console, loaded, checked)
        print_warnings(console, checked.rehearsed)
        console.print(f"runs     {pool.about}", highlight=False, soft_wrap=True)

        about = {"command": shlex.join(["priorscope", *invocation.obj]), **checked.about()}
        about |= {"versions": versions(), "hardware": hardware(pool.device)}
        about |= {"executor": pool.about, "fairness": as_plain(checked.differences)}
        options = TrainingOptions(out, root, 60 * checkpoint_minutes, shared, trackers)

        if not distributed.is_main():
            train_all(console, pool, chosen, checked, load_cell, options)
            return
        if fresh and (aside := set_aside(out)):
            console.print(f"old results are now in {aside}")
        with ExitStack() as held:
            # Those who share a folder have it alone only while they open the study and report.
            wait_seconds = _SHARED_WAIT_SECONDS if shared else 0.0
            held.enter_context(locked(out, wait_seconds=wait_seconds))
            open_study(out, loaded, runs, about=about)
            if earlier := earlier_runs(out, runs):
                warnings.warn(PriorscopeWarning(earlier_note(earlier)), stacklevel=1)
            for levels in checked.shown():
                cell = load_cell(levels)
                write_samples(out, cell.data, cell.probes, cell_name(levels), key)
            del cell  # runs load the cells that they need
            if curves:
                from priorscope.report.sections.report_2021.curves import keep_curves

                keep_curves(out, curves)
            if shared:
                held.close()
            failed = train_all(console, pool, chosen, checked, load_cell, options)
            del load_cell  # and with it the images: a report needs none
            give_back_freed_memory()
            if shared:
                held.enter_context(locked(out, wait_seconds=wait_seconds))
            if any(is_finished(out, each) for each in runs):
                _report(console, out)
    if failed:
        names = ", ".join(each.title for each in failed)
        raise RunFailed(f"{len(failed)} of {len(chosen)} runs failed: {names}")


def _report(console: "Console", out: Path) -> None:
    """Analyse what is finished, write the report, and print what it begins with."""
    from priorscope.analysis import analyse
    from priorscope.cli._estimates import print_estimates
    from priorscope.cli._verdicts import print_verdicts
    from priorscope.report import build

    started = time.perf_counter()
    results = analyse(out)
    page = build(results)
    print_estimates(console, results)
    print_verdicts(console, results)
    console.print(f"analysed in {time.perf_counter() - started:.1f} s", style="dim")
    console.print(f"report: {page}", soft_wrap=True, highlight=False)


def _published_curves(root: Path) -> "list[Row]":
    """Read the curves before anything is written; a page's libraries are slow to import."""
    from priorscope.report.sections.report_2021.curves import read_curves

    return read_curves(root)


def _parse_seeds(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        seeds = [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            "seeds are whole numbers", where="--seeds", found=text, allowed="such as 0,1,2"
        ) from None
    if len(set(seeds)) < len(seeds):
        raise InputError(
            "a seed stands twice", where="--seeds", found=text, allowed="each seed once"
        )
    return seeds

"""`priorscope run`: from a study to its report."""

import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from priorscope.errors import InputError

if TYPE_CHECKING:  # nothing that needs torch is imported before the study is known to be right
    from rich.console import Console

    from priorscope.report.artefacts import Row
    from priorscope.study.plan import Run
    from priorscope.study.run import Context
    from priorscope.training.loop import Epoch


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
    executor: Annotated[str, typer.Option(help="Who executes the runs.")] = "local",
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh/--resume",
            help="Set old results aside and start anew, or continue with what is not finished.",
        ),
    ] = False,
) -> None:
    """Run a study and write its report."""
    from priorscope.study.load import load_study
    from priorscope.study.plan import plan, select
    from priorscope.study.store import check_folder, is_finished, set_aside

    loaded = load_study(study)
    out = out or Path("outputs") / loaded.name
    runs = plan(loaded)
    chosen = select(runs, seeds=_parse_seeds(seeds), only=only)
    if not fresh:
        check_folder(out, loaded)

    trackers = tuple(tracker or ())
    if trackers:
        from priorscope.cli._trackers import check_trackers

        check_trackers(trackers)

    from rich.console import Console

    from priorscope import components
    from priorscope.cli._processes import num_processes, run_in_processes
    from priorscope.cli._summary import print_data, print_device, print_factors
    from priorscope.data._locations import data_root as find_data_root
    from priorscope.errors import RunFailed
    from priorscope.study.environment import (
        check_num_devices,
        choose_device,
        choose_threads,
        hardware,
        versions,
    )
    from priorscope.study.fairness import as_plain, refuse
    from priorscope.study.known import look, look_key
    from priorscope.study.levels import cell_name
    from priorscope.study.prepare_cells import cell_loader
    from priorscope.study.run import Context
    from priorscope.study.samples import write_samples
    from priorscope.study.store import locked, open_study
    from priorscope.training import distributed

    torch_device = choose_device(device, loaded.recipe.precision)
    num_devices = devices or num_processes()
    check_num_devices(torch_device, num_devices, loaded.recipe.batch_size)
    if num_devices > num_processes():
        raise typer.Exit(run_in_processes(invocation.obj, num_devices, device=torch_device.type))
    torch_device = distributed.join(torch_device)
    threads = choose_threads()
    console = Console(quiet=not distributed.is_main())
    execute_all = components.resolve("executors", executor, base=loaded.base, where="--executor")
    root = find_data_root(data_root)
    curves = _published_curves(root) if loaded.reproduces else []
    load_cell = cell_loader(loaded, root)
    checked = look(loaded, key := look_key(loaded, root), load_cell)
    refuse(checked.differences)
    print_data(console, checked)
    print_factors(console, loaded, checked)
    print_device(console, torch_device.type, num_devices, threads)

    about = {"command": shlex.join(["priorscope", *invocation.obj]), **checked.about()}
    about |= {"versions": versions(), "hardware": hardware(torch_device)}
    about["fairness"] = as_plain(checked.differences)

    def context(each: "Run") -> Context:
        cell = load_cell(each.levels)
        sizes = checked.sizes[each.levels]
        seconds = 60 * checkpoint_minutes
        return Context(cell.study, cell.data, cell.probes, sizes, torch_device, out, seconds)

    def train_all() -> "tuple[Run, ...]":
        distributed.wait_for_all()
        named = trackers if distributed.is_main() else ()
        failed = _train(console, execute_all, chosen, context, checked.work_of, out, named)
        distributed.leave()
        return failed

    # A scheduler's SIGTERM ends a run as Ctrl-C does: with a word, and ready to continue.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if not distributed.is_main():
        train_all()
        return
    if fresh and (aside := set_aside(out)):
        console.print(f"old results are now in {aside}")
    with locked(out):
        open_study(out, loaded, runs, about=about)
        for levels in checked.shown():
            cell = load_cell(levels)
            write_samples(out, cell.data, cell.probes, cell_name(levels), key)
        del cell  # runs load the cells that they need
        if curves:
            from priorscope.report.published_curves import keep_curves

            keep_curves(out, curves)
        failed = train_all()
        if any(is_finished(out, each) for each in runs):
            from priorscope.analysis import analyse
            from priorscope.cli._summary import print_estimates
            from priorscope.cli._verdicts import print_verdicts
            from priorscope.report import build

            started = time.perf_counter()
            analyse(out)
            page = build(out)
            print_estimates(console, out)
            print_verdicts(console, out)
            console.print(f"analysed in {time.perf_counter() - started:.1f} s", style="dim")
            console.print(f"report: {page}", soft_wrap=True, highlight=False)
    if failed:
        names = ", ".join(each.title for each in failed)
        raise RunFailed(f"{len(failed)} of {len(chosen)} runs failed: {names}")


def _train(
    console: "Console",
    execute_all: Callable[..., "tuple[Run, ...]"],
    chosen: Sequence["Run"],
    context: "Callable[[Run], Context]",
    work: "Callable[[Run], tuple[int, float]]",
    out: Path,
    trackers: Sequence[str],
) -> "tuple[Run, ...]":
    """Execute the chosen runs with their progress on the console; give those that failed.

    `work` gives a run's epochs, and the MACs of one forward pass of an epoch.
    """
    from priorscope.cli._progress import TrainingProgress
    from priorscope.cli._trackers import epoch_values, probe_scores, tracked
    from priorscope.study.run import execute
    from priorscope.study.store import is_finished, run_folder

    to_train = [each for each in chosen if not is_finished(out, each)]
    if len(to_train) < len(chosen):
        console.print(f"{len(chosen) - len(to_train)} of {len(chosen)} runs are finished already")
    progress = TrainingProgress(console, to_train, work)

    def one(each: "Run") -> None:
        if each not in to_train:  # trained already; its predictions may still be due
            execute(each, context(each), on_epoch=lambda _: None)
            return
        epochs: list[Epoch] = []
        of_run = context(each)

        def on_epoch(epoch: "Epoch") -> None:
            epochs.append(epoch)
            progress.epoch(each, epoch)
            log(epoch_values(epoch), epoch.epoch)

        progress.start(each)
        with tracked(trackers, of_run.study.name, each, out) as log:
            execute(each, of_run, on_epoch=on_epoch)
            if trackers:
                log(probe_scores(run_folder(out, each)), of_run.study.recipe.epochs)
        progress.finish(each, epochs)

    def on_failure(each: "Run", failure: Exception) -> None:
        print(f"run failed: {each.title}: {failure}", file=sys.stderr)

    with progress:
        return execute_all(chosen, one, on_failure=on_failure)


def _published_curves(root: Path) -> "list[Row]":
    """Read the curves before anything is written; a page's libraries are slow to import."""
    from priorscope.report.published_curves import read_curves

    return read_curves(root)


def _parse_seeds(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(
            "seeds are whole numbers", where="--seeds", found=text, allowed="such as 0,1,2"
        ) from None

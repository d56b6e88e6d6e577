"""From the chosen runs to their ends: jobs for an executor, and its events for the user."""

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from priorscope.api.progress import TrainingProgress
from priorscope.api.trackers import RunLogs
from priorscope.errors import PriorscopeWarning
from priorscope.execution import Event, Job, OnEvent, Pool, bring_to_end, named_files
from priorscope.preflight.checked import Checked
from priorscope.preflight.rehearse_models import is_foreign
from priorscope.runs.load_cells import Cell
from priorscope.runs.locks import WAIT_SECONDS
from priorscope.runs.prepare import fingerprints_in
from priorscope.runs.rehearsed import Rehearsed
from priorscope.runs.run import Context
from priorscope.runs.store import is_finished, read_study, run_folder
from priorscope.study.levels import Levels
from priorscope.study.plan import Run
from priorscope.training import distributed
from priorscope.training.loop import Epoch


@dataclass(frozen=True)
class TrainingOptions:
    """What all runs of a command share, beside the study.

    `shared`: other processes work in the output folder too. `trackers`: log there as well.
    """

    out: Path
    data_root: Path
    checkpoint_seconds: float
    shared: bool
    trackers: tuple[str, ...] = ()


def train_all(
    console: Console,
    pool: Pool,
    chosen: Sequence[Run],
    checked: Checked,
    load_cell: Callable[[Levels], Cell],
    options: TrainingOptions,
) -> tuple[Run, ...]:
    """Bring the chosen runs to their ends, show their progress, and return those that failed."""
    distributed.wait_for_all()  # the first process has opened the study
    out = options.out
    to_train = [each for each in chosen if not is_finished(out, each)]
    if len(to_train) < len(chosen):
        console.print(f"{len(chosen) - len(to_train)} of {len(chosen)} runs are finished already")
    progress = TrainingProgress(console, to_train, checked.work_of, pool.num_jobs)
    by_id = {run.run_id: run for run in chosen}
    logs = RunLogs(options.trackers if distributed.is_main() else (), checked.study.name, out)
    taken = []

    def here(job: Job, on_event: OnEvent) -> None:
        run = by_id[job.run_id]
        cell, sizes = load_cell(run.levels), checked.sizes[run.levels]
        seconds = options.checkpoint_seconds
        shared = (cell.study, cell.data, cell.probes, sizes, pool.device, out, seconds)
        context = Context(*shared, checked.rehearsed)
        bring_to_end(job, run, context, lambda event: on_event(job, event))

    def on_event(job: Job, event: Event) -> None:
        run = by_id[job.run_id]
        match event["event"]:
            case "warning":
                warnings.warn(PriorscopeWarning(event["text"]), stacklevel=2)
            case "again":
                print(f"warning: {run.title}: {event['text']}", file=sys.stderr)
            case "failed":
                print(f"run failed: {run.title}: {event['text']}", file=sys.stderr)
                progress.drop(run)
                logs.close(run)
            case "taken":
                taken.append(run)
                progress.drop(run)
            case _ if run not in to_train:  # trained already; its predictions may have been due
                pass
            case "begin":
                progress.start(run)
                logs.open(run)
            case "epoch":
                epoch = Epoch(**event["epoch"])
                progress.epoch(run, epoch)
                logs.epoch(run, epoch)
            case "finished":
                progress.finish(run)
                logs.scores(run, run_folder(out, run), progress.work(run)[0])
                logs.close(run)

    with progress, logs:
        failed = pool.execute(jobs_of(pool, chosen, checked, options), here, on_event)
    if taken:
        console.print(f"{len(taken)} of {len(chosen)} runs are with other processes")
    distributed.leave()
    return tuple(by_id[job.run_id] for job in failed)


def jobs_of(
    pool: Pool, chosen: Sequence[Run], checked: Checked, options: TrainingOptions
) -> list[Job]:
    """Write down each run as plain data, once the study's folder is open."""
    study, stored = checked.study, read_study(options.out)
    files = named_files(study)
    return [
        Job(
            run_id=run.run_id,
            title=run.title,
            text=study.text,
            base=str(study.base),
            files=files,
            out=str(options.out.resolve()),
            data_root=str(options.data_root.resolve()),
            mark=(stored["hash"], stored["created"]),
            size=vars(checked.sizes[run.levels][run.model]),
            rehearsed=asdict(checked.rehearsed.get(run.model, Rehearsed())),
            foreign=is_foreign(run.component),
            fingerprints=fingerprints_in(checked.data[run.levels]),
            device=pool.device.type,
            checkpoint_seconds=options.checkpoint_seconds,
            wait_seconds=0.0 if options.shared else WAIT_SECONDS,
            may_be_taken=options.shared,
        )
        for run in chosen
    ]

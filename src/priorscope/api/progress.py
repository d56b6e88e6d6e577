"""What a user sees while runs train: a live bar on a terminal or in a notebook, or plain lines."""

import time
from collections.abc import Callable, Sequence
from importlib import metadata
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from priorscope.study.plan import Run

if TYPE_CHECKING:
    from priorscope.training.loop import Epoch


class TrainingProgress:
    """Show each epoch's figures, and an estimate of the time that is left.

    Parameters
    ----------
    runs : those that will be trained, in order
    work : gives a run's epochs, and the MACs of one of them; until a model has been timed, its cost
        is guessed from those that were
    num_jobs : runs at once
    """

    def __init__(
        self,
        console: Console,
        runs: Sequence[Run],
        work: Callable[[Run], tuple[int, float]],
        num_jobs: int = 1,
    ):
        self.console, self.runs, self.work, self.num_jobs = console, runs, work, num_jobs
        self.seconds_per_mac: dict[str, float] = {}
        # By the names of runs.
        self.epochs_left = {run.run_id: work(run)[0] for run in runs}
        self.seen: dict[str, list[Epoch]] = {}
        self.epoch_started: dict[str, float] = {}
        self.tasks: dict[str, TaskID] = {}
        self.live = console.is_terminal or (console.is_jupyter and _has_widgets())
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            transient=True,
            disable=not self.live,
        )

    def __enter__(self) -> "TrainingProgress":
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.bar.stop()

    def start(self, run: Run) -> None:
        """Begin a run, or go on with it in another worker."""
        self._close(run)
        self.seen.setdefault(run.run_id, [])
        self.epoch_started[run.run_id] = time.monotonic()
        self.tasks[run.run_id] = self.bar.add_task(
            self._title(run), total=self.work(run)[0], figures=self._left()
        )

    def epoch(self, run: Run, epoch: "Epoch") -> None:
        """Show the figures of a finished epoch."""
        # Wall time, since the accuracies at an epoch's end cost time as well.
        seconds = time.monotonic() - self.epoch_started[run.run_id]
        self.epoch_started[run.run_id] = time.monotonic()
        self.seen[run.run_id].append(epoch)
        num_epochs, macs = self.work(run)
        self.seconds_per_mac[run.model] = seconds / max(1.0, macs)
        self.epochs_left[run.run_id] = num_epochs - epoch.epoch
        figures = (
            f"epoch {epoch.epoch:>{len(str(num_epochs))}}/{num_epochs}"
            f"  loss {epoch.train_loss:.3f}  test {100 * epoch.test_accuracy:5.1f} %"
            f"  {epoch.images_per_second:,.0f} img/s  {self._left()}"
        )
        self.bar.update(self.tasks[run.run_id], completed=epoch.epoch, figures=figures)
        if not self.live:
            self.console.print(f"{self._title(run)}  {figures}", highlight=False, soft_wrap=True)

    def finish(self, run: Run) -> None:
        """Leave one line for a finished run on the terminal."""
        self.drop(run)
        if run.is_given:
            self.console.print(f"{self._title(run)}  evaluated as given", highlight=False)
        elif self.live and (epochs := self.seen.get(run.run_id)):
            self.console.print(
                f"{self._title(run)}  test {100 * epochs[-1].test_accuracy:.1f} %"
                f"  in {duration(sum(e.seconds for e in epochs))}",
                highlight=False,
            )

    def drop(self, run: Run) -> None:
        """Expect no more of a run: it has come to an end, or others have it."""
        self._close(run)
        self.epochs_left.pop(run.run_id, None)

    def _close(self, run: Run) -> None:
        if run.run_id in self.tasks:
            self.bar.remove_task(self.tasks.pop(run.run_id))

    def _title(self, run: Run) -> str:
        # Names of models are padded, so that the figures of all lines stand below each other.
        padding = " " * (max(len(each.title) for each in self.runs) - len(run.title))
        number = self.runs.index(run) + 1
        return rf"\[{number}/{len(self.runs)}] {run.title}{padding}"

    def _left(self) -> str:
        """Estimate the time to the end of the last run."""
        known = self.seconds_per_mac
        if not known:
            return ""
        guess = sum(known.values()) / len(known)
        each = [
            self.epochs_left[run.run_id] * self.work(run)[1] * known.get(run.model, guess)
            for run in self.runs
            if run.run_id in self.epochs_left
        ]
        # No sooner than the longest run, however many there are at once.
        seconds = max(sum(each) / self.num_jobs, max(each, default=0.0))
        return f"{duration(seconds)} left" if seconds >= 1 else ""


def _has_widgets() -> bool:
    """Tell whether a notebook can show what changes; without, it gets plain lines."""
    try:
        metadata.version("ipywidgets")
    except metadata.PackageNotFoundError:
        return False
    return True


def duration(seconds: float) -> str:
    """Say a duration as a person would."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"

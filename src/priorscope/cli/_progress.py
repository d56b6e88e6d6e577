"""What a user sees while runs train: a live bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

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
    """

    def __init__(
        self,
        console: Console,
        runs: Sequence[Run],
        work: Callable[[Run], tuple[int, float]],
    ):
        self.console, self.runs, self.work = console, runs, work
        self.seconds_per_mac: dict[str, float] = {}
        self.started = time.monotonic()
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> "TrainingProgress":
        self.bar.start()
        self.task = self.bar.add_task("starting", total=1, figures="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.bar.stop()

    def start(self, run: Run) -> None:
        """Begin a run."""
        self.epoch_started = time.monotonic()
        self.bar.update(
            self.task,
            description=self._title(run),
            total=self.work(run)[0],
            completed=0,
            figures=self._left(run, 0),
        )

    def epoch(self, run: Run, epoch: "Epoch") -> None:
        """Show the figures of a finished epoch."""
        # Wall time, since the accuracies at an epoch's end cost time as well.
        seconds, self.epoch_started = time.monotonic() - self.epoch_started, time.monotonic()
        num_epochs, macs = self.work(run)
        self.seconds_per_mac[run.model] = seconds / max(1.0, macs)
        figures = (
            f"epoch {epoch.epoch:>{len(str(num_epochs))}}/{num_epochs}"
            f"  loss {epoch.train_loss:.3f}  test {100 * epoch.test_accuracy:5.1f} %"
            f"  {epoch.images_per_second:,.0f} img/s  {self._left(run, epoch.epoch)}"
        )
        self.bar.update(self.task, completed=epoch.epoch, figures=figures)
        if not self.console.is_terminal:
            self.console.print(f"{self._title(run)}  {figures}", highlight=False, soft_wrap=True)

    def finish(self, run: Run, epochs: "Sequence[Epoch]") -> None:
        """Leave one line for a finished run on the terminal."""
        if self.console.is_terminal and epochs:
            self.console.print(
                f"{self._title(run)}  test {100 * epochs[-1].test_accuracy:.1f} %"
                f"  in {duration(sum(e.seconds for e in epochs))}",
                highlight=False,
            )

    def _title(self, run: Run) -> str:
        # Names of models are padded, so that the figures of all lines stand below each other.
        padding = " " * (max(len(each.title) for each in self.runs) - len(run.title))
        number = self.runs.index(run) + 1
        return rf"\[{number}/{len(self.runs)}] {run.title}{padding}"

    def _left(self, run: Run, epochs_done: int) -> str:
        """Estimate the time to the end of the last run."""
        known = self.seconds_per_mac
        if not known:
            return ""
        guess = sum(known.values()) / len(known)
        seconds = 0.0
        for each in self.runs[self.runs.index(run) :]:
            num_epochs, macs = self.work(each)
            num_left = num_epochs - (epochs_done if each is run else 0)
            seconds += num_left * macs * known.get(each.model, guess)
        return f"{duration(seconds)} left" if seconds >= 1 else ""


def duration(seconds: float) -> str:
    """Say a duration as a person would."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"

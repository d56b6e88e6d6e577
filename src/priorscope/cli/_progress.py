"""What a user sees while runs train: a live bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from priorscope.study.plan import Run
from priorscope.training.loop import Epoch


class TrainingProgress:
    """Show each epoch's figures, and an estimate of the time that is left.

    Parameters
    ----------
    runs : those that will be trained, in order
    num_epochs : of each run
    macs : by model; until a model has been timed, its cost is guessed from those that were
    """

    def __init__(
        self, console: Console, runs: Sequence[Run], num_epochs: int, macs: Mapping[str, int]
    ):
        self.console, self.runs, self.num_epochs, self.macs = console, runs, num_epochs, macs
        self.seconds_per_epoch: dict[str, float] = {}
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
        self.task = self.bar.add_task("starting", total=self.num_epochs, figures="")
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
            self.task, description=self._title(run), completed=0, figures=self._left(run, 0)
        )

    def epoch(self, run: Run, epoch: Epoch) -> None:
        """Show the figures of a finished epoch."""
        # Wall time, since the accuracies at an epoch's end cost time as well.
        seconds, self.epoch_started = time.monotonic() - self.epoch_started, time.monotonic()
        self.seconds_per_epoch[run.model] = seconds
        figures = (
            f"epoch {epoch.epoch:>{len(str(self.num_epochs))}}/{self.num_epochs}"
            f"  loss {epoch.train_loss:.3f}  test {100 * epoch.test_accuracy:5.1f} %"
            f"  {epoch.images_per_second:,.0f} img/s  {self._left(run, epoch.epoch)}"
        )
        self.bar.update(self.task, completed=epoch.epoch, figures=figures)
        if not self.console.is_terminal:
            self.console.print(f"{self._title(run)}  {figures}", highlight=False, soft_wrap=True)

    def finish(self, run: Run, epochs: Sequence[Epoch]) -> None:
        """Leave one line for a finished run on the terminal."""
        if self.console.is_terminal and epochs:
            self.console.print(
                f"{self._title(run)}  test {100 * epochs[-1].test_accuracy:.1f} %"
                f"  in {duration(sum(e.seconds for e in epochs))}",
                highlight=False,
            )

    def _title(self, run: Run) -> str:
        width = max(len(r.model) for r in self.runs)
        number = self.runs.index(run) + 1
        return f"[{number}/{len(self.runs)}] {run.model:<{width}} seed {run.seed}".replace(
            "[", r"\["
        )

    def _left(self, run: Run, epochs_done: int) -> str:
        """Estimate the time to the end of the last run."""
        known = self.seconds_per_epoch
        if not known:
            return ""
        per_mac = sum(known.values()) / max(1, sum(self.macs[model] for model in known))
        epochs = {id(r): self.num_epochs for r in self.runs[self.runs.index(run) :]}
        epochs[id(run)] -= epochs_done
        seconds = sum(
            epochs[id(r)] * known.get(r.model, per_mac * self.macs[r.model])
            for r in self.runs
            if id(r) in epochs
        )
        return f"{duration(seconds)} left" if seconds >= 1 else ""


def duration(seconds: float) -> str:
    """Say a duration as a person would."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"

"""Trackers of experiments, through Accelerate: what a run logs beside the study's own files.

Nothing is logged anywhere, and nothing leaves the machine, unless a tracker is named.
"""

import queue
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from priorscope.errors import InputError, PriorscopeWarning, unknown_name

if TYPE_CHECKING:
    from priorscope.study.plan import Run
    from priorscope.training.loop import Epoch

TRACKERS = ("tensorboard", "wandb", "mlflow", "trackio")
_INSTALL = "pip install 'priorscope[trackers]'"
_ANSWER_SECONDS = 30.0  # for a tracker to open, to take values, and to end
_OF_EPOCH = (  # what of an Epoch is logged
    *("train_loss", "train_accuracy", "test_accuracy", "held_out_accuracy"),
    *("learning_rate", "images_per_second"),
)
Log = Callable[[Mapping[str, float], int], None]


def check_trackers(names: Sequence[str]) -> None:
    """Refuse trackers that are unknown or not installed.

    Raises
    ------
    InputError : names the tracker, and the command that installs it
    """
    for name in names:
        if name not in TRACKERS:
            raise unknown_name("tracker", name, TRACKERS, where="--tracker")
        for package, command in (("accelerate", _INSTALL), (name, f"pip install {name}")):
            try:
                metadata.version(package)
            except metadata.PackageNotFoundError:
                raise InputError(
                    f"{package} is not installed", where="--tracker", found=name, hint=command
                ) from None


@contextmanager
def tracked(
    names: Sequence[str], study: str, run: "Run", out: Path, silent: set[str] | None = None
) -> Iterator[Log]:
    """Open the named trackers for a run; give the function that logs values at a step.

    TensorBoard writes to `OUT/tracking/tensorboard/<run_id>`; the others keep a project (MLflow: an
    experiment) named as the study, and in it a run named by its id. A tracker that fails is left
    with a warning: the training is worth more than its log. One that does not answer is waited for
    once, and joins `silent`, those that are not asked again.
    """
    silent = set() if silent is None else silent
    opened: dict[str, Any] = {}
    lines = {name: _Line() for name in dict.fromkeys(names) if name not in silent}

    def asked(name: str, ask: Callable[[], Any]) -> Any:
        try:
            return lines[name].answer(ask)
        except Exception as error:
            opened.pop(name, None)
            said = f"tracker {name} fails, and the run goes on without it: {error}"
            if isinstance(error, TimeoutError):
                silent.add(name)
                said = f"tracker {name} does not answer, and is left alone from here on: {error}"
            warnings.warn(PriorscopeWarning(said), stacklevel=3)
            return None

    for name in lines:
        tracker = asked(name, partial(_open, name, study, run, out / "tracking"))
        if tracker is not None:
            opened[name] = tracker

    def log(values: Mapping[str, float], step: int) -> None:
        for name, tracker in [*opened.items()]:
            asked(name, partial(tracker.log, dict(values), step=step))

    try:
        yield log
    finally:
        for name, tracker in [*opened.items()]:
            asked(name, tracker.finish)


class RunLogs(AbstractContextManager):
    """The logs of the runs that are under way, wherever they train; all closed at the end."""

    def __init__(self, names: Sequence[str], study: str, out: Path):
        self.names, self.study, self.out = names, study, out
        self.opened: dict[str, tuple[ExitStack, Log]] = {}
        self.silent: set[str] = set()  # that have not answered

    def __exit__(self, *_: object) -> None:
        for held, _log in self.opened.values():
            held.close()

    def open(self, run: "Run") -> None:
        """Open the trackers for a run, unless it only goes on in another worker."""
        if self.names and run.run_id not in self.opened:
            held = ExitStack()
            log = held.enter_context(tracked(self.names, self.study, run, self.out, self.silent))
            self.opened[run.run_id] = held, log

    def epoch(self, run: "Run", epoch: "Epoch") -> None:
        """Log a finished epoch."""
        if run.run_id in self.opened:
            self.opened[run.run_id][1](epoch_values(epoch), epoch.epoch)

    def scores(self, run: "Run", folder: Path, step: int) -> None:
        """Log the scores of a finished run's predictions, which lie in its folder."""
        if run.run_id in self.opened:
            self.opened[run.run_id][1](probe_scores(folder), step)

    def close(self, run: "Run") -> None:
        """Close a run's trackers."""
        if run.run_id in self.opened:
            self.opened.pop(run.run_id)[0].close()


def epoch_values(epoch: "Epoch") -> dict[str, float]:
    """Return what is logged of an epoch."""
    values = {name: getattr(epoch, name) for name in _OF_EPOCH}
    return {name: float(value) for name, value in values.items() if value is not None}


def probe_scores(folder: Path) -> dict[str, float]:
    """Score a finished run's stored predictions: `<probe>/<arm>/<metric>` -> mean score."""
    from priorscope.components import resolve
    from priorscope.evaluation import read_predictions
    from priorscope.metrics import main_metric

    scores = {}
    for path in sorted((folder / "predictions").glob("*.parquet")):
        predictions = read_predictions(path, in_place=True)
        for arm in dict.fromkeys(predictions.conditions["arm"].tolist()):
            of_arm = predictions.arm(arm)
            metric = main_metric(of_arm.targets)
            score = resolve("metrics", metric, base=folder)
            scores[f"{path.stem}/{arm}/{metric}"] = float(score(of_arm).mean())
    return scores


def _open(name: str, study: str, run: "Run", folder: Path) -> Any:
    from accelerate import tracking

    make = tracking.LOGGER_TYPE_TO_CLASS[name]
    folder.mkdir(parents=True, exist_ok=True)
    match name:
        case "tensorboard":
            tracker = make(run.run_id, logging_dir=folder / name)
        case "wandb":  # the same id again continues the run
            tracker = make(study, name=run.run_id, id=run.run_id, resume="allow", dir=str(folder))
        case "mlflow":
            tracker = make(experiment_name=study, run_name=run.run_id)
        case _:
            tracker = make(study, name=run.run_id)
    tracker.start()
    return tracker


class _Line:
    """A thread of a tracker's own, as what it logs to may be a server that nobody reaches."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            ask = self._asked.get()
            try:
                self._said.put((ask(), None))
            except Exception as error:
                self._said.put((None, error))

    def answer(self, ask: Callable[[], Any]) -> Any:
        """Return what a tracker answers.

        Raises
        ------
        TimeoutError : it has not answered in time; its thread is left behind
        Exception : whatever the tracker raises
        """
        self._asked.put(ask)
        try:
            answer, error = self._said.get(timeout=_ANSWER_SECONDS)
        except queue.Empty:
            raise TimeoutError(f"no answer in {_ANSWER_SECONDS:g} s") from None
        if error is not None:
            raise error
        return answer

"""A study whose models kill their own process, once, when a test asks for it."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from priorscope.api.training import TrainingOptions, jobs_of, train_all
from priorscope.components import resolve
from priorscope.execution._job import Job
from priorscope.execution._pool import Asked, Event, Pool
from priorscope.preflight.check_cells import check_cells
from priorscope.preflight.checked import Checked
from priorscope.runs.load_cells import cell_loader
from priorscope.runs.store import open_study
from priorscope.study.load import load_study
from priorscope.study.plan import Run, plan
from priorscope.study.spec import Study

# Four steps an epoch. Dropout, so that a run which went on with other randomness would differ.
STUDY = """
name: small
data: {{name: synthetic, task: objects, num_train: 200, num_test: 50}}
recipe: {{learning_rate: 1e-2, batch_size: 50, epochs: 3, augment: [random_crop]}}
models:
  plain: {{name: "./sub/mine.py:mortal"}}
  itself: {{name: "./sub/mine.py:mortal", flag: "{flags}/itself", step: 6}}
  starter: {{name: "./sub/mine.py:mortal", flag: "{flags}/starter", step: 6}}
"""
MODEL = """
import os, signal, time
from pathlib import Path
from torch import nn

class Mortal(nn.Sequential):
    num_steps = 0

    def forward(self, x):
        self.num_steps += self.training
        kind = self.flag.read_text() if self.training and self.flag.exists() else ""
        if kind == "raise":  # at once: how many steps a run has left hangs on the machine's load
            self.flag.unlink()
            raise ValueError("no training today")
        if kind and self.num_steps == self.step:
            if kind != "always":
                self.flag.unlink()
            if kind == "wait":
                time.sleep(6)
                return super().forward(x)
            os.kill(os.getppid() if kind == "starter" else os.getpid(), signal.SIGKILL)
            time.sleep(0.5)
        return super().forward(x)

def mortal(*, num_classes: int, image_px: int, flag: Path = Path("no/flag"), step: int = 0):
    layers = nn.Linear(3 * image_px**2, 16), nn.Dropout(0.2), nn.Linear(16, num_classes)
    model = Mortal(nn.Flatten(), *layers)
    model.flag, model.step = flag, step
    return model
"""


@dataclass
class Small:
    """The study, checked; `flags` is the folder whose files let a model die."""

    study: Study
    flags: Path
    runs: tuple[Run, ...]
    checked: Checked
    load_cell: object
    reference: dict[str, bytes]

    def jobs(self, pool: Pool, out: Path) -> list[Job]:
        """Open the study in a folder, with a checkpoint after every step."""
        open_study(out, self.study, self.runs, about=self.checked.about())
        settings = TrainingOptions(out, self.flags.parent, 0.0, shared=False)
        return jobs_of(pool, self.runs, self.checked, settings)

    def execute(self, pool: Pool, jobs: list[Job], on_event=lambda _job, _event: None):
        """Bring jobs to their ends; give the failed models, and the events of each model."""
        told: dict[str, list[Event]] = {}
        model = {run.run_id: run.model for run in self.runs}

        def keep(job, event):
            told.setdefault(model[job.run_id], []).append(event)
            on_event(job, event)

        def here(job, on_event):
            raise AssertionError("this executor was to use other processes")

        failed = pool.execute(jobs, here, keep)
        return [model[job.run_id] for job in failed], told


def weights(out: Path) -> dict[str, bytes]:
    """Read the weights of each run that came to its end."""
    return {p.parent.name: p.read_bytes() for p in out.glob("runs/*/model.safetensors")}


def epochs(events: list[Event]) -> list[int]:
    return [event["epoch"]["epoch"] for event in events if event["event"] == "epoch"]


def away(job: Job) -> Job:
    """Let the study lie where the worker cannot see it."""
    return dataclasses.replace(job, base="/no/such/folder")


def interrupted(small: Small, pool: Pool, jobs: list[Job]) -> None:
    """Interrupt the executor while `itself` is between its first epoch and its end."""
    (small.flags / "itself").write_text("wait")
    (waiting,) = (run.run_id for run in small.runs if run.model == "itself")

    def interrupt(job, event):
        if event["event"] == "epoch" and job.run_id == waiting:
            raise KeyboardInterrupt

    # Without a checkpoint after every step: what is kept was kept because of the interruption.
    with pytest.raises(KeyboardInterrupt):
        jobs = [dataclasses.replace(job, checkpoint_seconds=300.0) for job in jobs]
        small.execute(pool, jobs, interrupt)
    assert list(Path(jobs[0].out).glob(f"runs/{waiting}/checkpoint/*.ckpt"))


@pytest.fixture(scope="session")
def small_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    (folder / "flags").mkdir()
    (folder / "sub").mkdir()
    (folder / "sub" / "mine.py").write_text(MODEL)
    (folder / "small.yaml").write_text(STUDY.format(flags=folder / "flags"))
    study = load_study(str(folder / "small.yaml"))
    load_cell = cell_loader(study, folder)
    runs, checked = plan(study), check_cells(study, load_cell)
    small = Small(study, folder / "flags", runs, checked, load_cell, {})
    # The reference: one after another in this process, with the one thread that others have.
    with resolve("executors", "local", base=folder)(Asked("cpu", num_threads=1), study.recipe) as p:
        small.jobs(p, folder / "out")
        settings = TrainingOptions(folder / "out", folder, 300.0, shared=False)
        assert not train_all(Console(quiet=True), p, runs, checked, load_cell, settings)
    small.reference.update(weights(folder / "out"))
    assert len(small.reference) == 3
    return small


@pytest.fixture
def small(small_once):
    """Return the study, with no model that is to die."""
    for flag in small_once.flags.iterdir():
        flag.unlink()
    return small_once

"""Several processes on one machine: the bits of one, also when workers are killed."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from priorscope.api.training import TrainingOptions, train_all
from priorscope.components import resolve
from priorscope.errors import InputError
from priorscope.execution import _pool
from priorscope.execution._pool import Asked, Losses, after_loss
from priorscope.runs.environment import num_processors

from .conftest import away, epochs, interrupted, weights

pytestmark = pytest.mark.skipif(num_processors() < 2, reason="needs two processors")


@pytest.fixture
def two(small):
    """Return two workers with one thread each."""
    asked = Asked("cpu", num_jobs=2, num_threads=1)
    with resolve("executors", "local", base=Path())(asked, small.study.recipe) as pool:
        yield pool


def test_killed_workers_are_replaced_but_not_for_ever(small, two, tmp_path, monkeypatch):
    monkeypatch.setattr(_pool, "MOST_RESTARTS", 1)
    (small.flags / "itself").write_text("itself")
    (small.flags / "starter").write_text("always")
    jobs = [away(job) for job in small.jobs(two, tmp_path / "out")]
    # Nothing is kept before its fatal step: it comes there anew each time.
    jobs[2] = dataclasses.replace(jobs[2], checkpoint_seconds=300.0)
    failed, told = small.execute(two, jobs)
    assert failed == ["starter"]
    assert "2 times" in told["starter"][-1]["text"]
    kept = weights(tmp_path / "out")
    assert kept == {job.run_id: small.reference[job.run_id] for job in jobs[:2]}
    assert [epochs(told[model]) for model in ("plain", "itself")] == [[1, 2, 3]] * 2
    (again,) = [event for event in told["itself"] if event["event"] == "again"]
    assert "SIGKILL" in again["text"]


@pytest.mark.parametrize(("code", "kinds"), [(-9, ["again"] * 3 + ["failed"]), (1, ["failed"])])
def test_only_who_was_killed_is_started_again(code, kinds, tmp_path):
    job, losses = SimpleNamespace(run_id="run", out=str(tmp_path)), Losses()
    lost = {"event": "lost", "code": code, "text": ""}
    assert [after_loss(job, lost, losses)["event"] for _ in kinds] == kinds


def test_losses_between_which_a_run_comes_further_are_not_added_up(tmp_path):
    job, losses = SimpleNamespace(run_id="run", out=str(tmp_path)), Losses()
    folder = tmp_path / "runs" / "run" / "checkpoint"
    folder.mkdir(parents=True)
    lost, events = {"event": "lost", "code": -9, "text": ""}, []
    for step in (10, 20, 30, 40, 50, 50, 50, 50):
        (folder / f"step-{step:09d}.ckpt").touch()
        events.append(after_loss(job, lost, losses)["event"])
    assert events == ["again"] * 7 + ["failed"]


def test_stopped_in_the_middle_checkpoints_are_kept_and_no_process_is_left(small, two, tmp_path):
    out = tmp_path / "out"
    interrupted(small, two, small.jobs(two, out))
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    names = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]
    assert not [name for name in names if b"priorscope.execution._worker" in name]
    assert finish_here(small, out) == small.reference


def test_a_command_that_is_ended_goes_on_when_called_again(small, tmp_path):
    study, out = small.flags.parent / "small.yaml", tmp_path / "out"
    command = [sys.executable, "-m", "priorscope", "run", study, "--out", out, "--jobs", "2"]
    command += ["--threads", "1", "--device", "cpu", "--checkpoint-minutes", "0"]
    for number in (signal.SIGTERM, signal.SIGKILL):
        before = set(out.glob("runs/*/checkpoint/*.ckpt"))
        process = subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 100
        while set(out.glob("runs/*/checkpoint/*.ckpt")) <= before and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(number)
        _, error = process.communicate(timeout=100)
        assert process.returncode == (130 if number == signal.SIGTERM else -number), error
        assert ("continues" in error) == (number == signal.SIGTERM)
    # Workers whose command was killed end by themselves, and let go of their runs.
    assert finish_here(small, out) == small.reference


def finish_here(small, out) -> dict[str, bytes]:
    """Bring all runs to their ends in this process."""
    with resolve("executors", "local", base=Path())(
        Asked("cpu", num_threads=1), small.study.recipe
    ) as pool:
        settings = TrainingOptions(out, small.flags.parent, 300.0, shared=False)
        assert not train_all(
            Console(quiet=True), pool, small.runs, small.checked, small.load_cell, settings
        )
    return weights(out)


def refusal(name, small, **options) -> str:
    execute = resolve("executors", name, base=Path())
    with pytest.raises(InputError) as caught, execute(Asked(**options), small.study.recipe):
        pass
    return str(caught.value)


def test_what_this_machine_does_not_have_is_refused(small, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)))
    options = {"device": "cpu", "num_jobs": 2}
    assert "--jobs" in refusal("local", small, **options | {"num_jobs": 5})
    assert "1 .. 2" in refusal("local", small, **options | {"num_jobs": 3, "num_devices": 2})
    assert "--threads" in refusal("local", small, **options, num_threads=3)
    assert "--executor ray" in refusal("local", small, address="10.0.0.1:6379")


def test_torchrun_starts_the_processes_or_the_executor_does(small, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name, options in [
        ("local", {"num_jobs": 2}),
        ("local", {"num_devices": 4}),
        ("ray", {}),
    ]:
        assert "torchrun" in refusal(name, small, device="cpu", **options)


def test_torchrun_on_several_machines_needs_its_share_of_devices_here(small, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(5)))
    monkeypatch.setattr("priorscope.training.distributed.join", lambda device: device)
    monkeypatch.setenv("WORLD_SIZE", "10")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "5")
    local = resolve("executors", "local", base=Path())
    with local(Asked("cpu"), small.study.recipe) as pool:
        assert pool.num_jobs == 1
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "10")
    assert "1 .. 5" in refusal("local", small, device="cpu")

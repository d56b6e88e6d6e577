"""The program of a worker: jobs come on stdin as lines of JSON, events go to stdout.

`python -m priorscope.execution._worker` is started by an executor. Several of them make a group
that trains each run together, one device each; the first one speaks. When stdin ends, whoever
started the worker is gone: a training keeps its checkpoint and stops, as it does on SIGTERM.
"""

import json
import os
import queue
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from priorscope.errors import InputError, PriorscopeError, PriorscopeWarning, RunFailed
from priorscope.execution._bring import bring_to_end
from priorscope.execution._job import Job, base_for, job_from
from priorscope.runs.environment import keep_freed_memory
from priorscope.runs.load_cells import Cell, cell_loader
from priorscope.runs.model_size import ModelSize
from priorscope.runs.rehearsed import rehearsed_from
from priorscope.runs.run import Context
from priorscope.runs.store import read_study
from priorscope.study.load import parse_study
from priorscope.study.plan import Run, plan
from priorscope.training import distributed

_INTERRUPTED = 130
_SIGHT_SECONDS = 10.0  # that shared storage may take to show a new file everywhere

Tell = Callable[[dict[str, Any]], None]


def main() -> int:
    """Do jobs until there are no more; 0 done, 3 a group must be started anew, 130 interrupted."""
    voice = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a user's model prints is no event

    def tell(event: dict[str, Any]) -> None:
        if distributed.is_main():
            print(json.dumps(event), file=voice, flush=True)

    def warn(message: Warning | str, category: type[Warning], *where: Any) -> None:
        if issubclass(category, PriorscopeWarning):
            tell({"event": "warning", "text": str(message)})
        else:
            sys.stderr.write(warnings.formatwarning(message, category, *where[:2]))

    warnings.showwarning = warn  # type: ignore[assignment]
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="priorscope-") as scratch:
        try:
            return _work(tell, Path(scratch))
        except KeyboardInterrupt:
            return _INTERRUPTED


def _work(tell: Tell, scratch: Path) -> int:
    jobs: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    busy = threading.Event()

    def listen() -> None:
        for line in sys.stdin:
            jobs.put(line)
        jobs.put(None)
        if busy.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=listen, daemon=True).start()
    studies = _Studies(scratch)
    device = None
    while (line := jobs.get()) is not None:
        busy.set()
        job = job_from(json.loads(line))
        end: list[dict[str, Any]] = []

        def hold_end(event: dict[str, Any], end: list[dict[str, Any]] = end) -> None:
            (tell if event["event"] in ("begin", "epoch") else end.append)(event)

        if device is None:
            device = distributed.join(torch.device(job.device))
        try:
            run, context = studies.prepare(job, device)
            bring_to_end(job, run, context, hold_end)
        except RunFailed as failure:
            end.append({"event": "failed", "text": str(failure)})
        except PriorscopeError as error:
            end.append({"event": "error", "text": str(error), "exit_code": error.exit_code})
        except OSError as error:
            end.append({"event": "error", "text": str(error), "exit_code": 2})
        except Exception:  # a defect of ours: the traceback is for the terminal, not for a log
            end.append({"event": "error", "text": traceback.format_exc(), "exit_code": 1})
        busy.clear()
        tell(end[-1])
        if distributed.world_size() > 1 and end[-1]["event"] in ("failed", "error"):
            sys.stderr.write(end[-1]["text"])  # the others may wait for this process: start anew
            return 3
    distributed.leave()
    return 0


class _Studies:
    """The study that jobs are about, with the cells that its loader keeps."""

    def __init__(self, scratch: Path):
        self.scratch = scratch
        self.key: tuple[str, str, dict[str, str]] | None = None
        self.runs: dict[str, Run] = {}
        self.load: Callable[..., Cell] | None = None

    def prepare(self, job: Job, device: torch.device) -> tuple[Run, Context]:
        """Find the run in the study, and load its cell from the data root.

        Raises
        ------
        InputError : the output folder or the data are not those of the process that gave the job
        """
        _check_folder(job)
        key = (job.text, job.base, dict(job.files))
        if key != self.key or self.load is None:
            folder = Path(tempfile.mkdtemp(dir=self.scratch))
            base = base_for(job, folder)
            study = parse_study(job.text, base=base)
            self.runs = {run.run_id: run for run in plan(study)}
            self.load = cell_loader(study, Path(job.data_root))
            self.key = key
        if job.run_id not in self.runs:
            raise InputError(
                "the study's files are not those with which the command began",
                where=_here(job.base),
                found=f"no run {job.run_id}",
            )
        run = self.runs[job.run_id]
        cell = self.load(run.levels)
        if cell.data.fingerprints() != dict(job.fingerprints):
            raise InputError(
                "a worker has other data than the process that started it",
                where=_here(job.data_root),
                found=cell.data.fingerprints(),
                allowed=str(dict(job.fingerprints)),
                hint="the data root must be the same on all machines",
            )
        size = {run.model: ModelSize(**job.size)}
        seconds, out = job.checkpoint_seconds, Path(job.out)
        rehearsed = {run.model: rehearsed_from(job.rehearsed)}
        shared = (cell.study, cell.data, cell.probes, size, device, out, seconds)
        return run, Context(*shared, rehearsed)


def _check_folder(job: Job) -> None:
    """Refuse an output folder that is not the one which the process that gave the job writes.

    Raises
    ------
    InputError : no such folder here, or another one
    """
    deadline = time.monotonic() + _SIGHT_SECONDS
    while True:
        try:
            stored = read_study(Path(job.out))
            found = (stored.get("hash"), stored.get("created"))
        except InputError:
            found = None
        if found == job.mark:
            return
        if time.monotonic() > deadline:
            raise InputError(
                "a worker does not see the output folder",
                where=_here(job.out),
                found="another study.json" if found else "no study.json there",
                hint="--out and --data-root must lie on storage that all machines share",
            )
        time.sleep(0.2)


def _here(path: str) -> str:
    return f"{socket.gethostname()}: {path}"


if __name__ == "__main__":
    sys.exit(main())

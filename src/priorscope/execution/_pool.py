"""What an executor is asked for, what it gives, and what happens to a run whose worker is lost."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from priorscope.errors import InputError, PriorscopeError, RunFailed, ended_by
from priorscope.execution._job import Job
from priorscope.runs.environment import num_processors

# Of one run without a new checkpoint in between; what kills its worker again and again there is
# not chance.
MOST_RESTARTS = 3
_INTERRUPTED = 130
_OWN_FAULTS = {-signal.SIGSEGV, -signal.SIGILL, -signal.SIGFPE}  # it would come there again
_LOCK_SECONDS = 120.0  # a lost worker's lock on shared storage may outlive it

# What happens to a job: `event` is begin, epoch (with the figures), warning, again, or one of the
# ends; the others say in `text` what a user should read.
Event = dict[str, Any]
OnEvent = Callable[[Job, Event], None]
ENDS = ("finished", "failed", "taken", "error", "lost")


@dataclass(frozen=True)
class Asked:
    """What the user wants; None where the executor decides.

    Attributes
    ----------
    device : its name, or auto
    num_devices : of each run
    num_jobs : runs at once
    num_threads : of each process on CPUs
    address : of a cluster
    """

    device: str = "auto"
    num_devices: int | None = None
    num_jobs: int | None = None
    num_threads: int | None = None
    address: str | None = None


@dataclass(frozen=True)
class Pool:
    """Who executes runs.

    Attributes
    ----------
    device : on which this process trains, or what it knows of those that do
    num_jobs : runs at once, at most
    about : where and with how many threads, for a reader
    execute : brings jobs to their ends and gives those that failed; tells events as they come.
        `here` does a job in this process, for executors that do not leave it. Raises what stops
        all runs, with every checkpoint kept.
    """

    device: torch.device
    num_jobs: int
    about: str
    execute: Callable[[Sequence[Job], Callable[[Job, OnEvent], None], OnEvent], tuple[Job, ...]]


def started_by_torchrun() -> int:
    """Count the processes that torchrun started with this one; 1 where it did not."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def refuse_torchrun(where: str, found: object) -> None:
    """Refuse what starts processes of its own where torchrun has started some already.

    Raises
    ------
    InputError : it has
    """
    if started_by_torchrun() > 1:
        raise InputError(
            "torchrun has started the processes already, all for one run after another",
            where=where,
            found=found,
            hint="without torchrun, --jobs N --devices M trains N runs at once on M devices each",
        )


def check_threads(asked: Asked, num_processes: int) -> int:
    """Return the threads of each of several processes on this machine: an equal share of its cores.

    Raises
    ------
    InputError : more than the cores can carry
    """
    cores = num_processors()
    share = max(1, cores // num_processes)
    if asked.num_threads is not None and asked.num_threads > share:
        raise InputError(
            "not as many processors here",
            where="--threads",
            found=f"{asked.num_threads} for each of {num_processes} processes",
            allowed=f"1 .. {share}",
        )
    return asked.num_threads or min(share, torch.get_num_threads())


def work_of_lost(job: Job) -> Job:
    """Return the job for another worker, which waits until the lost one has let go of the run."""
    return replace(job, wait_seconds=_LOCK_SECONDS)


class Losses:
    """Count the lost workers of each run since its newest checkpoint."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._newest: dict[str, str] = {}

    def count(self, job: Job) -> int:
        """Count one more, from 1 again where the run came further than before the last one."""
        kept = Path(job.out, "runs", job.run_id, "checkpoint").glob("step-*.ckpt")
        newest = max((path.name for path in kept), default="")
        if newest > self._newest.get(job.run_id, ""):
            self._counts[job.run_id] = 0
            self._newest[job.run_id] = newest
        self._counts[job.run_id] += 1
        return self._counts[job.run_id]


def after_loss(job: Job, lost: Mapping[str, Any], losses: Losses) -> Event:
    """Decide about a run whose worker ended before its end: `again`, or `failed`.

    A worker that was killed is nobody's fault, so its run goes on from the checkpoint, a bounded
    number of times from each. One that ended by itself would do so again.
    """
    code, said = lost.get("code"), lost.get("text", "")
    killed = code is None or (code < 0 and code not in _OWN_FAULTS) or code == _INTERRUPTED
    how = ended_by(code) + (f"\n{said}" if said else "")
    if not killed:
        return {"event": "failed", "text": f"its worker {how}"}
    number = losses.count(job)
    if number > MOST_RESTARTS:
        text = f"its worker {how}, {number} times without a new checkpoint"
        return {"event": "failed", "text": text}
    count = f"{number} of at most {MOST_RESTARTS} times from there"
    return {"event": "again", "text": f"the worker {how}; it goes on from its checkpoint ({count})"}


def stopped_by(event: Mapping[str, Any]) -> PriorscopeError:
    """Make the error that stops all runs from what a worker told."""
    code = event["exit_code"]
    error = InputError(event["text"]) if code == InputError.exit_code else RunFailed(event["text"])
    error.exit_code = code
    return error

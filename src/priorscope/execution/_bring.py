"""Bring one run to its end, in whatever process; alone in its folder."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from priorscope.errors import InputError
from priorscope.execution._job import Job
from priorscope.runs.locks import lock_run
from priorscope.runs.run import Context, execute
from priorscope.study.plan import Run
from priorscope.training import distributed


def bring_to_end(
    job: Job, run: Run, context: Context, tell: Callable[[dict[str, Any]], None]
) -> None:
    """Execute a run while no other process does, and tell its events and its end.

    Raises
    ------
    RunFailed : as `execute`
    InputError : another process has the run, and the job does not expect it
    """
    lock = None
    if distributed.is_main():
        lock = lock_run(Path(job.out), job.run_id, wait_seconds=job.wait_seconds)
    if not distributed.said_by_main(lock is not None):
        if job.may_be_taken:
            tell({"event": "taken"})
            return
        raise InputError(
            f"another process is working on {job.title}",
            where="--out",
            found=job.out,
            hint="wait for it to end, choose another --out, or start all of them with --shared",
        )
    try:
        tell({"event": "begin"})
        execute(run, context, lambda epoch: tell({"event": "epoch", "epoch": asdict(epoch)}))
        tell({"event": "finished"})
    finally:
        if lock is not None:
            lock.release()

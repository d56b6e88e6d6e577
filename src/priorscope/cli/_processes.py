"""Start this very command once a device, and give the exit code of the first process."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import IO

_KILLED = 3  # a process that a signal ended: the run failed, what is finished is kept
_GRACE_SECONDS = 20  # between the end of one process and that of those that wait for it in vain


def num_processes() -> int:
    """Count the processes that this one belongs to, started here or by torchrun."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def run_in_processes(arguments: Sequence[str], number: int, *, device: str) -> int:
    """Run `priorscope ARGUMENTS` in `number` processes that find each other, as torchrun does.

    The first process speaks to the user. What another says is shown only if it fails while the
    first one does not. Ctrl-C reaches all of them by itself; SIGTERM is passed on.

    Parameters
    ----------
    device : its type; processes on CPUs share the processors

    Returns
    -------
    the first process's exit code if it failed, else that of one that did, else 0
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": str(number), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    if device == "cpu":
        shared["OMP_NUM_THREADS"] = str(max(1, len(os.sched_getaffinity(0)) // number))
    command = [sys.executable, "-m", "priorscope", *arguments]
    with ExitStack() as files:
        said = [None, *(files.enter_context(_temporary()) for _ in range(1, number))]
        processes = [
            subprocess.Popen(
                command,
                env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdout=None if rank == 0 else subprocess.DEVNULL,
                stderr=said[rank],
            )
            for rank in range(number)
        ]
        codes = _wait(processes)
        failed = [rank for rank, code in enumerate(codes) if code]
        if failed and (text := said[failed[0]]):
            text.seek(0)
            sys.stderr.write(text.read())
    code = codes[0] or max(codes, key=abs)
    return code if code >= 0 else _KILLED


def _temporary() -> IO[str]:
    return tempfile.TemporaryFile("w+")


def _wait(processes: Sequence[subprocess.Popen]) -> list[int]:
    """Wait for all; when one has failed, the others cannot go on and are ended after a while."""

    def pass_on(number: int, _: object) -> None:
        for process in processes:
            process.send_signal(number)

    handlers = {signal.SIGTERM: pass_on, signal.SIGINT: lambda *_: None}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        deadline = None
        while any(process.poll() is None for process in processes):
            if deadline is None and any(process.poll() for process in processes):
                deadline = time.monotonic() + _GRACE_SECONDS
            if deadline is not None and time.monotonic() > deadline:
                for process in processes:
                    process.kill()
            time.sleep(0.05)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return [process.returncode for process in processes]

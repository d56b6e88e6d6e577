"""The processes of one worker: one, or several that train each run together. Imports no torch."""

import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

_GRACE_SECONDS = 20  # between the end of one process and that of those that wait for it in vain
_STOP_SECONDS = 60  # for a step to end and its checkpoint to be written
_ENDS = ("finished", "failed", "taken", "error")
_MOMENT_SECONDS = 0.2
_TAIL_LINES = 20


class Group:
    """Start processes that do jobs, and hear what becomes of them.

    They live in sessions of their own, so that Ctrl-C reaches only the process that started them,
    which then asks them to stop once. Should it be killed, they notice and stop as well.

    Parameters
    ----------
    num_processes : that train each run together
    environment : variables that they get
    """

    def __init__(self, num_processes: int, environment: Mapping[str, str]):
        # The order of sets, and what is made of hashes, would else be another one in each process.
        shared = {"PYTHONHASHSEED": "0", **os.environ, **environment}
        if num_processes > 1:
            port = str(_free_port())
            shared |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
            shared["WORLD_SIZE"] = str(num_processes)
        self._heard: queue.SimpleQueue[tuple[int, str | None]] = queue.SimpleQueue()
        self._errors: list[IO[str]] = []
        self._asked = False
        self.processes: list[subprocess.Popen[str]] = []
        for rank in range(num_processes):
            own = {"RANK": str(rank), "LOCAL_RANK": str(rank)} if num_processes > 1 else {}
            errors = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
            process = subprocess.Popen(
                [sys.executable, "-m", "priorscope.execution._worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**shared, **own},
                encoding="utf-8",
                start_new_session=True,
            )
            self._errors.append(errors)
            self.processes.append(process)
            threading.Thread(target=self._listen, args=(rank, process), daemon=True).start()

    def _listen(self, rank: int, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._heard.put((rank, line))
        self._heard.put((rank, None))

    @property
    def alive(self) -> bool:
        """Tell whether every process is there to take a job."""
        return all(process.poll() is None for process in self.processes)

    def execute(self, job: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Give a job to the processes, and their events up to its end.

        The last event is `finished`, `failed`, `taken`, `error`, or `lost` with the exit code of a
        process that ended before; the group is gone then.
        """
        for process in self.processes:
            assert process.stdin is not None
            with suppress(OSError):  # ended already: its silence says so
                process.stdin.write(json.dumps(job) + "\n")
                process.stdin.flush()
        deadline = None
        while deadline is None or time.monotonic() < deadline:
            try:
                # A short wait, since an interruption from Ray does not wake a thread that sleeps.
                rank, line = self._heard.get(timeout=0.1)
            except queue.Empty:
                continue
            if line is not None:
                event = json.loads(line)
                if event["event"] in ("failed", "error") and len(self.processes) > 1:
                    if self._one_was_killed():
                        break  # the others failed for want of it
                    self.close()  # the others may be anywhere in the run
                yield event
                if event["event"] in _ENDS:
                    return
            elif rank == 0:
                break
            elif deadline is None:
                deadline = time.monotonic() + _GRACE_SECONDS
        yield self._lost()

    def _one_was_killed(self) -> bool:
        time.sleep(_MOMENT_SECONDS)  # its connections close a little before it is seen to end
        return any((process.poll() or 0) < 0 for process in self.processes)

    def _lost(self) -> dict[str, Any]:
        ended = [p for p in self.processes if _ended(p)] or self.processes
        self._kill()
        first = min(ended, key=lambda p: (p.returncode >= 0, not p.returncode))
        said = self._errors[self.processes.index(first)]
        said.seek(0)
        text = "\n".join(said.read().splitlines()[-_TAIL_LINES:])
        return {"event": "lost", "code": first.returncode, "text": text}

    def ask_to_stop(self) -> None:
        """Let the processes keep their checkpoints and end."""
        if not self._asked:  # a second signal would interrupt at once
            self._asked = True
            for process in self.processes:
                if process.poll() is None:
                    process.terminate()

    def stop(self) -> None:
        """Let the processes keep their checkpoints, and wait until they have ended."""
        self.ask_to_stop()
        self._wait(_STOP_SECONDS)

    def close(self) -> None:
        """End processes that have nothing to do."""
        for process in self.processes:
            assert process.stdin is not None
            with suppress(OSError):
                process.stdin.close()
        self._wait(_GRACE_SECONDS)

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with suppress(subprocess.TimeoutExpired):
            for process in self.processes:
                process.wait(max(0.0, deadline - time.monotonic()))
        self._kill()

    def _kill(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()


def with_own_package(environment: Mapping[str, str]) -> dict[str, str]:
    """Let processes import the very priorscope that this one has."""
    package = str(Path(__file__).parents[2])
    return {
        **environment,
        "PYTHONPATH": os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])]),
    }


def _ended(process: subprocess.Popen[str]) -> bool:
    with suppress(subprocess.TimeoutExpired):
        process.wait(1)  # its pipe closes a moment earlier
    return process.poll() is not None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]

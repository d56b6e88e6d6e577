"""Who works in an output folder, and on which run: a lock goes with the process that has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from priorscope.errors import InputError

LOCKS = ".locks"  # a file a run, held by the process that works on it
WAIT_SECONDS = 30.0  # for workers whose command was killed: they end after a step


@contextmanager
def locked(out: Path, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Keep a second process out of an output folder; the lock goes with the process.

    Raises
    ------
    InputError : another process still has it after so many seconds, or it cannot be written
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / ".lock")
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise InputError(
            "another process is working in the output folder",
            where="--out",
            found=out,
            hint="wait for it to end, or choose another --out",
        ) from None
    except OSError as error:
        raise InputError("cannot write there", where="--out", found=error) from None
    try:
        yield
    finally:
        lock.release()


def lock_run(out: Path, run_id: str, *, wait_seconds: float = 0.0) -> FileLock | None:
    """Keep other processes away from a run; None where one still has it after so many seconds.

    The lock goes with the process, and with `release`. Its file stays, beside the runs' own.
    """
    folder = out / LOCKS
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / run_id)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        return None
    return lock


def refuse_busy(out: Path) -> None:
    """Refuse a folder where others, who share it, are training.

    Raises
    ------
    InputError : they are
    """
    for path in sorted(out.glob(f"{LOCKS}/*")):
        lock = lock_run(out, path.name, wait_seconds=WAIT_SECONDS)
        if lock is None:
            raise InputError(
                "another process is training a run in the output folder",
                where="--out",
                found=path.name,
                hint="wait for it to end, or choose another --out",
            )
        lock.release()

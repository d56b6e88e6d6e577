"""Who works in an output folder, and on which run: a lock goes with the process that has it."""

import errno
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from priorscope.errors import InputError, PriorscopeWarning

LOCKS = ".locks"  # a file a run, held by the process that works on it
_MARK = ".held"  # ends the name of what stands for a lock where there are none
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
WAIT_SECONDS = 30.0  # for workers whose command was killed: they end after a step


def _acquired(path: Path, wait_seconds: float) -> BaseFileLock:
    """Take a lock; where the file system has none, a file that is there while it is held.

    Raises
    ------
    Timeout : another process has it
    OSError : it cannot be written
    """
    lock: BaseFileLock = FileLock(path)
    try:
        lock.acquire(timeout=wait_seconds)
    except (OSError, NotImplementedError) as error:
        if isinstance(error, Timeout) or getattr(error, "errno", errno.ENOSYS) not in _NO_LOCKS:
            raise
        mark = path.with_name(path.name + _MARK)
        said = (
            f"the file system of {path.parent} has no locks: {mark.name} says there that a process "
            "is at work; remove it if one that was killed on another machine has left it"
        )
        warnings.warn(PriorscopeWarning(said), stacklevel=3)
        lock = SoftFileLock(mark)
        lock.acquire(timeout=wait_seconds)
    return lock


@contextmanager
def locked(out: Path, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Keep a second process out of an output folder; the lock goes with the process.

    Raises
    ------
    InputError : another process still has it after so many seconds, or it cannot be written
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = _acquired(out / ".lock", wait_seconds)
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


def lock_run(out: Path, run_id: str, *, wait_seconds: float = 0.0) -> BaseFileLock | None:
    """Keep other processes away from a run; None where one still has it after so many seconds.

    The lock goes with the process, and with `release`. Its file stays, beside the runs' own.
    """
    folder = out / LOCKS
    folder.mkdir(exist_ok=True)
    try:
        return _acquired(folder / run_id, wait_seconds)
    except Timeout:
        return None


def refuse_busy(out: Path) -> None:
    """Refuse a folder where others, who share it, are training.

    Raises
    ------
    InputError : they are
    """
    names = {path.name.removesuffix(_MARK) for path in out.glob(f"{LOCKS}/*")}
    for name in sorted(names):
        lock = lock_run(out, name, wait_seconds=WAIT_SECONDS)
        if lock is None:
            raise InputError(
                "another process is training a run in the output folder",
                where="--out",
                found=name,
                hint="wait for it to end, or choose another --out",
            )
        lock.release()

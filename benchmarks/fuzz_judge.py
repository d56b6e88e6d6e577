"""What may become of a spoilt file: a word for it, in bounded time and memory."""

import resource
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from priorscope.errors import InputError

SECONDS = 5.0  # of the processor that one file may take, whatever else the machine does
MEMORY_BYTES = 1 << 30  # beyond what the process holds before
LONGEST_MESSAGE = 4000  # letters


def judge(action: Callable[[], str], limit: float = SECONDS) -> tuple[str, str]:
    """Return the word that an action returns, "refused" for an InputError, else "wrong" and why."""
    started = time.process_time()
    try:
        with bounded(limit):
            word = action()
    except InputError as error:
        message = str(error)
        if len(message) > LONGEST_MESSAGE:
            return "wrong", f"a message of {len(message)} letters: {message[:200]}"
        unsaid = [letter for letter in message if not (letter.isprintable() or letter == "\n")]
        if unsaid:
            return "wrong", f"a message with {unsaid[0]!r}: {message[:200]!r}"
        word = "refused"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return "wrong", f"{type(error).__name__}: {str(error)[:300]}"
    seconds = time.process_time() - started
    return (word, "") if seconds < limit else ("wrong", f"took {seconds:.1f} s")


class TooSlow(BaseException):
    """No `except Exception` may hold it."""


@contextmanager
def bounded(seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES) -> Iterator[None]:
    """Stop what takes longer, and let allocations beyond a limit fail."""

    def stop(*_: object) -> None:
        raise TooSlow(f"longer than {seconds:g} s")

    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGPROF, stop)
    resource.setrlimit(resource.RLIMIT_AS, (size + memory_bytes, before[1]))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)

"""What went wrong, where, and what to do: one hierarchy, one exit code a class."""

import errno
import signal
from collections.abc import Iterable
from difflib import get_close_matches

# No room, or no right to write: nothing that another run could do better.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NO_ROOM = {*_FULL, errno.EROFS, errno.EACCES, errno.EPERM}
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
_LONGEST = 1000  # letters of each part of a message


class PriorscopeError(Exception):
    """Everything that priorscope raises on purpose; `exit_code` is the command line's."""

    exit_code = 2


class InputError(PriorscopeError):
    """What the user gave cannot be used.

    Parameters
    ----------
    problem : one line that says what is wrong
    where : the file, the key's path (`recipe.batch_size`), or both
    found : what stood there
    allowed : what may stand there: a phrase, or the valid names
    hint : what to do next
    """

    def __init__(
        self,
        problem: str,
        *,
        where: object = None,
        found: object = None,
        allowed: str | Iterable[object] | None = None,
        hint: str | None = None,
    ):
        if allowed is not None and not isinstance(allowed, str):
            allowed = ", ".join(str(name) for name in allowed)
        self.problem, self.where, self.found, self.allowed, self.hint = (
            problem,
            None if where is None else str(where),
            found,
            allowed,
            hint,
        )
        super().__init__(problem)

    def __str__(self) -> str:
        rows = [("where", self.where), ("found", self.found), ("allowed", self.allowed)]
        rows.append(("hint", self.hint))
        return "\n".join(
            [shown(self.problem)]
            + [f"  {name:<8} {shown(value)}" for name, value in rows if value is not None]
        )


def shown(value: object) -> str:
    """Write a value from outside for a terminal: cut, and nothing in it that a terminal obeys."""
    text = str(value)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 3]}..."
    return "".join(
        letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1] for letter in text
    )


class PriorscopeWarning(UserWarning):
    """Something was not as expected, and priorscope went on in the way that the message says."""


class RunFailed(PriorscopeError):
    """A run stopped before its end (the other runs are kept)."""

    exit_code = 3


class StorageFailed(PriorscopeError):
    """The disk is full, or does not let us write; what was written before is whole."""

    exit_code = 3

    def __init__(self, error: OSError):
        self.error = error
        super().__init__(str(error))

    def __str__(self) -> str:
        full = self.error.errno in _FULL
        what = "make room there" if full else "give yourself the right to write there"
        return (
            f"cannot write: {self.error.strerror or self.error}\n"
            f"  where    {self.error.filename or 'the output folder'}\n"
            f"  hint     {what}: the same command continues"
        )


def out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out: a GPU's, or what PyTorch's allocator for CPUs says in words."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)


def ended_by(code: int | None) -> str:
    """Say how a process ended, by its exit code; None where it is not known."""
    if code is None:
        return "was lost"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def unknown_name(
    what: str, name: str, options: Iterable[str], *, where: object = None
) -> InputError:
    """Say that `name` is no valid `what`, and offer the nearest of `options`."""
    options = sorted(options)
    return InputError(
        f"unknown {what}: {name}",
        where=where,
        found=name,
        allowed=options,
        hint=did_you_mean(name, options),
    )


def did_you_mean(name: str, options: Iterable[str]) -> str | None:
    """Offer the option nearest to `name`, or nothing when none is near."""
    near = get_close_matches(name, list(options), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else None

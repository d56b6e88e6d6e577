"""What a model raises, as the failure of its run alone."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from priorscope.errors import NO_ROOM, PriorscopeError, RunFailed, StorageFailed, out_of_memory


@contextmanager
def failures_of_the_model(folder: Path, stage: str) -> Iterator[None]:
    """Let what a model raises stop its run only; the traceback is kept beside its metrics."""
    try:
        yield
    except PriorscopeError:
        raise
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise RunFailed(f"{type(error).__name__}: {error}") from error
        raise StorageFailed(error) from error  # no other run could be written either
    except Exception as error:
        path = folder / "error.txt"
        path.write_text(traceback.format_exc(), encoding="utf-8")
        said = f"{type(error).__name__}: {error}"
        if out_of_memory(error):
            said = f"out of memory in {stage}"
        raise RunFailed(f"{said} (traceback in {path})") from error

"""Runs one after another, in this process."""

from collections.abc import Callable, Sequence

from priorscope.errors import RunFailed
from priorscope.study.plan import Run


def local(
    runs: Sequence[Run],
    execute: Callable[[Run], None],
    *,
    on_failure: Callable[[Run, RunFailed], None],
) -> tuple[Run, ...]:
    """Execute runs in order; a run that fails does not stop the others.

    Returns
    -------
    the runs that failed
    """
    failed = []
    for run in runs:
        try:
            execute(run)
        except RunFailed as failure:
            failed.append(run)
            on_failure(run, failure)
    return tuple(failed)

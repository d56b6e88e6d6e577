"""What Ray runs on a node: it hands a job to a worker there, and passes on what that tells.

Ray's own process only relays. Training is left to a process whose signals, threads and standard
streams are ours alone, and which keeps its checkpoint when Ray's is gone. Imports no torch.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from priorscope.execution._group import Group, with_own_package

_kept: list[tuple[object, Group]] = []


def relay(
    job: Mapping[str, Any], *, num_processes: int, environment: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Give a job to this node's worker, and its events up to the end.

    The worker is kept for the next job that comes to this process, which spares it its start.
    """
    key = (num_processes, dict(environment))
    if _kept and (_kept[0][0] != key or not _kept[0][1].alive):
        _kept.pop()[1].stop()
    if not _kept:
        _kept.append((key, Group(num_processes, with_own_package(environment))))
    group = _kept[0][1]
    try:
        yield from group.execute(job)
    except BaseException:  # cancelled: the checkpoint is kept before the task ends
        _kept.clear()
        group.stop()
        raise
    if job["device"] != "cpu":  # the next run on these GPUs may be in another process of Ray
        _kept.clear()
        group.close()

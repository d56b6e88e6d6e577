"""A Ray cluster: runs are tasks, GPUs resources, and lost workers are replaced."""

from collections.abc import Iterator
from contextlib import contextmanager

from priorscope.errors import InputError
from priorscope.execution._pool import Asked, Pool, refuse_torchrun
from priorscope.training.recipe import Recipe


@contextmanager
def ray(asked: Asked, recipe: Recipe) -> Iterator[Pool]:
    """Runs on a Ray cluster, as many at once as it has room for.

    The cluster is the one at `--address`, or at `RAY_ADDRESS`; without either, Ray is started on
    this machine alone. The output folder and the data root must lie on storage that all nodes
    share. Of priorscope, the study and the files that it names, the cluster needs nothing
    beforehand: they travel; PyTorch and the other requirements must be there, in the same versions
    for the same bits.

    Raises
    ------
    InputError : Ray is not installed, no cluster answers, or no node of it has room for one run
    """
    refuse_torchrun("--executor", "ray")
    try:
        from priorscope.execution._ray_cluster import cluster
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise InputError(
            "Ray is not installed",
            where="--executor",
            found="ray",
            hint="python -m pip install 'priorscope[ray]'",
        ) from None
    with cluster(asked, recipe) as pool:
        yield pool

"""Run a study: from its plan to trained runs with their predictions."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from priorscope.api.study import Study, load_study
from priorscope.api.work import Options, prepared
from priorscope.errors import PriorscopeWarning

if TYPE_CHECKING:
    from priorscope.api.results import Results


def run(
    study: Study | str | Path,
    *,
    out: str | Path | None = None,
    data_root: str | Path | None = None,
    seeds: Sequence[int] | None = None,
    only: str | None = None,
    device: str = "auto",
    devices: int | None = None,
    executor: str = "local",
    jobs: int | None = None,
    threads: int | None = None,
    address: str | None = None,
    shared: bool = False,
    fresh: bool = False,
    checkpoint_minutes: float = 5.0,
    trackers: Sequence[str] = (),
) -> "Results":
    """Train what a study declares and is not finished yet, and return its results.

    The progress is shown as `priorscope run` shows it. An interrupted call (Ctrl-C, or a notebook's
    stop) leaves a folder from which the same call continues. The report is written when it is
    asked for, by `results.report()`.

    Parameters
    ----------
    study : a `Study`, a study file, or the name of a packaged study
    out : output folder; by default outputs/<name of the study>
    data_root : where datasets lie; by default $PRIORSCOPE_DATA or the cache folder
    seeds : only these
    only : only models, <model>-s<seed> or <factor>=<level> that match this glob
    device : auto, cpu, cuda, cuda:1, mps
    devices : to train each run on; by default 1, or torchrun's
    executor : who executes the runs: local, ray
    jobs : runs at once; by default 1, and with ray what it has room for
    threads : of each run on CPUs; by default all, shared by `jobs`, and with ray 1
    address : of a Ray cluster; by default $RAY_ADDRESS, or Ray on this machine
    shared : other processes that say so too may work in the output folder
    fresh : set old results aside and start anew
    checkpoint_minutes : between two checkpoints of a training
    trackers : log to tensorboard, wandb, mlflow or trackio too

    Raises
    ------
    InputError : the study, an option or the data cannot be used
    RunFailed : a run stopped before its end; the others are kept: `ps.open(out)` has them
    """
    options = Options(
        out=out,
        data_root=data_root,
        seeds=seeds,
        only=only,
        device=device,
        devices=devices,
        executor=executor,
        jobs=jobs,
        threads=threads,
        address=address,
        shared=shared,
        fresh=fresh,
        checkpoint_minutes=checkpoint_minutes,
        trackers=trackers,
    )
    with prepared(study if isinstance(study, Study) else load_study(study), options) as work:
        for line in work.warnings:
            warnings.warn(PriorscopeWarning(line), stacklevel=2)
        work.train()
        results = work.results()
    work.refuse_failed()
    return results

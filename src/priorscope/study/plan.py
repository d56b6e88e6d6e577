"""Which runs a study consists of."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from priorscope.errors import InputError
from priorscope.study.spec import Component, Study, digest


@dataclass(frozen=True)
class Run:
    """One model with one seed; `run_id` changes with anything that changes its weights."""

    run_id: str
    model: str
    seed: int
    component: Component


def plan(study: Study) -> tuple[Run, ...]:
    """List the runs, seed by seed, so that an interrupted study has whole comparisons first."""
    shared = {key: study.as_dict()[key] for key in ("data", "recipe")}
    shared["data_code"] = _code(study.data, study.base)
    runs = []
    for seed in study.seeds:
        for model, component in study.models.items():
            identity = {**shared, "model": component.as_dict(), "seed": seed}
            identity["code"] = _code(component, study.base)
            runs.append(Run(f"{model}-s{seed}-{digest(identity)[:8]}", model, seed, component))
    return tuple(runs)


def select(
    runs: Sequence[Run], *, seeds: Sequence[int] | None = None, only: str | None = None
) -> tuple[Run, ...]:
    """Choose runs by seed and by a glob over `<model>` or `<model>-s<seed>`.

    Raises
    ------
    InputError : a seed that the study does not have, or nothing is left
    """
    planned = sorted({run.seed for run in runs})
    for seed in seeds or ():
        if seed not in planned:
            raise InputError("seed not in the study", where="--seeds", found=seed, allowed=planned)
    chosen = tuple(
        run
        for run in runs
        if (seeds is None or run.seed in seeds)
        and (
            only is None
            or fnmatchcase(run.model, only)
            or fnmatchcase(f"{run.model}-s{run.seed}", only)
        )
    )
    if not chosen:
        names = sorted({run.model for run in runs})
        raise InputError("no run has that name", where="--only", found=only, allowed=names)
    return chosen


def _code(component: Component, base: Path) -> str | None:
    """Hash the user's own file, so that a changed model is another run."""
    file, colon, _ = component.name.partition(":")
    path = base / file
    if not colon or not file.endswith(".py") or not path.is_file():
        return None
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]

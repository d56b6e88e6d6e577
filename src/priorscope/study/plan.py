"""Which runs a study consists of."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path

from priorscope.errors import InputError
from priorscope.own_code import code_digest, own_modules
from priorscope.study.cells import cells, study_at
from priorscope.study.levels import Levels, cell_name, listed_levels
from priorscope.study.spec import Component, Study, digest, strings

MOST_IN_NAME = 100  # letters of a cell's name in that of a folder


@dataclass(frozen=True)
class Run:
    """One model with one seed at one level of each factor, for the whole budget or a part of it.

    `run_id` changes with anything that changes its weights.
    """

    run_id: str
    model: str
    seed: int
    component: Component
    levels: Levels = ()
    budget: float = 1.0

    @property
    def title(self) -> str:
        """Name the run for a reader."""
        at = listed_levels(self.levels)
        part = "" if self.budget == 1 else f", {self.budget:g} of the budget"
        return f"{self.model} seed {self.seed}" + (f" at {at}" if at else "") + part


def plan(study: Study) -> tuple[Run, ...]:
    """List the runs, seed by seed, so that an interrupted study has whole comparisons first.

    Within a seed the runs go cell by cell, so that the data of a cell are needed once a seed. Those
    at a part of the budget come behind those of the whole.
    """
    budgets = [1.0] if study.stability is None else [1.0, study.stability.budget]
    codes = {name: code_of(component, study.base) for name, component in study.models.items()}
    shared = []
    for budget, levels in product(budgets, cells(study)):
        at = study_at(study, levels, budget)
        plain = at.as_dict()
        identity = {key: plain[key] for key in ("data", "recipe")}
        shared.append((budget, levels, identity | {"data_code": code_of(at.data, study.base)}))
    codes = {name: code_of(component, study.base) for name, component in study.models.items()}
    runs = []
    for seed in study.seeds:
        for budget, levels, of_cell in shared:
            for model, component in study.models.items():
                identity = {**of_cell, "model": component.as_dict(), "seed": seed}
                identity["code"] = codes[model]
                cell = f"-{cell_name(levels)[:MOST_IN_NAME]}" if levels else ""
                part = "" if budget == 1 else f"-budget{budget:g}"
                run_id = f"{model}-s{seed}{cell}{part}-{digest(identity)[:8]}"
                runs.append(Run(run_id, model, seed, component, levels, budget))
    return tuple(runs)


def select(
    runs: Sequence[Run], *, seeds: Sequence[int] | None = None, only: str | None = None
) -> tuple[Run, ...]:
    """Choose runs by seed and by a glob.

    The glob may match `<model>`, `<model>-s<seed>`, a level as `<factor>=<value>`, a whole cell as
    `task=far_relation,train_fraction=0.1`, or model and cell as `<model>-s<seed>-<cell>`.

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
        and (only is None or any(fnmatchcase(name, only) for name in _names(run)))
    )
    if not chosen:
        names = sorted({run.model for run in runs})
        names += sorted({cell_name([level]) for run in runs for level in run.levels})
        raise InputError("no run has that name", where="--only", found=only, allowed=names)
    return chosen


def _names(run: Run) -> list[str]:
    names = [run.model, f"{run.model}-s{run.seed}"]
    if run.levels:
        cell = cell_name(run.levels)
        names += [cell_name([level]) for level in run.levels]
        names += [cell, f"{names[1]}-{cell}"]
    return names


def code_of(component: Component, base: Path) -> str | None:
    """Hash the user's own code that a component names, anywhere in it, with all that it imports.

    None where it names none.
    """
    own: dict[str, Path] = {}
    for number, reference in enumerate(strings(component.as_dict())):
        found = own_modules(reference, base)
        own |= {f"{number}:" * bool(number) + name: path for name, path in found.items()}
    return code_digest(own)

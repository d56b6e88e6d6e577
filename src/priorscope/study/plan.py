"""Which runs a study consists of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path

from priorscope.errors import InputError
from priorscope.own_code import code_digest, own_modules
from priorscope.study.cells import cells, study_at
from priorscope.study.levels import Levels, cell_name, listed_levels
from priorscope.study.plain import digest, strings
from priorscope.study.spec import Component, Study
from priorscope.study.weights import OF_GIVEN, Weights

MOST_IN_NAME = 100  # letters of a cell's name in that of a folder


@dataclass(frozen=True)
class Run:
    """One model with one seed at one level of each factor, for the whole budget or a part of it.

    `run_id` changes with anything that changes its weights. `weights` is the fingerprint (SHA-256)
    of the file that they are from, and `is_given` tells whether they are evaluated as they are.
    """

    run_id: str
    model: str
    seed: int
    component: Component
    levels: Levels = ()
    budget: float = 1.0
    weights: str | None = None
    is_given: bool = False

    @property
    def title(self) -> str:
        """Name the run for a reader."""
        at = listed_levels(self.levels)
        part = "" if self.budget == 1 else f", {self.budget:g} of the budget"
        return f"{self.model} seed {self.seed}" + (f" at {at}" if at else "") + part


def plan(study: Study, weights: Mapping[tuple[str, int], str] | None = None) -> tuple[Run, ...]:
    """List the runs, seed by seed, so that an interrupted study has whole comparisons first.

    Within a seed the runs go cell by cell, so that the data of a cell are needed once a seed. Those
    at a part of the budget come behind those of the whole. A network that is given has no budget,
    and where all seeds share one file it is one network: one run, of the first seed.

    Parameters
    ----------
    weights : model and seed -> fingerprint of its file of weights, in place of that of the file

    Raises
    ------
    InputError : a file of weights is missing
    """
    budgets = [1.0] if study.stability is None else [1.0, study.stability.budget]
    codes = {name: code_of(component, study.base) for name, component in study.models.items()}
    files = fingerprints(study) if weights is None else weights
    shared = []
    for budget, levels in product(budgets, cells(study)):
        at = study_at(study, levels, budget)
        plain = at.as_dict()
        identity = {key: plain[key] for key in ("data", "recipe")}
        shared.append((budget, levels, identity | {"data_code": code_of(at.data, study.base)}))
    runs = []
    for seed in study.seeds:
        for budget, levels, of_cell in shared:
            for model, component in study.models.items():
                given, of_file = study.is_given(model), files.get((model, seed))
                if given and (budget != 1 or of_file is None):
                    continue
                identity = {**of_cell, "model": component.as_dict(), "seed": seed}
                identity["code"] = codes[model]
                if given:
                    identity["recipe"] = {key: of_cell["recipe"][key] for key in OF_GIVEN}
                if of_file is not None:
                    identity["weights"] = {"sha256": of_file, **study.weights[model].meaning()}
                cell = f"-{cell_name(levels)[:MOST_IN_NAME]}" if levels else ""
                part = "" if budget == 1 else f"-budget{budget:g}"
                run_id = f"{model}-s{seed}{cell}{part}-{digest(identity)[:8]}"
                runs.append(Run(run_id, model, seed, component, levels, budget, of_file, given))
    return tuple(runs)


def fingerprints(study: Study) -> dict[tuple[str, int], str]:
    """Hash the files of weights that a study names: model and seed -> SHA-256.

    Raises
    ------
    InputError : a file is missing or cannot be read, or two seeds of a model have the same file
    """
    found: dict[tuple[str, int], str] = {}
    for model, weights in study.weights.items():
        where = f"models.{model}"
        of_model: dict[str, int] = {}
        for seed in study.seeds:
            if weights.is_shared and not weights.initial and seed != study.seeds[0]:
                continue
            found[model, seed] = sha256 = weights.sha256(seed, where)
            if sha256 in of_model and not weights.initial:
                raise same_network(f"{where}.{weights.key}", weights, of_model[sha256], seed)
            of_model[sha256] = seed
    return found


def same_network(where: str, weights: Weights, first: int, second: int) -> InputError:
    """Say that the files of two seeds hold one network."""
    return InputError(
        "the files of two seeds hold the same network, and copies of one network are no sample of "
        "networks",
        where=where,
        found=f"seeds {first} and {second}: {weights.paths[first]} and {weights.paths[second]}",
        allowed="a network of its own for each seed; or one path, not in a list, which is one "
        "network whatever the seeds",
    )


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

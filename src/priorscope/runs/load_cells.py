"""Data and probes of each cell of a study: made when they are needed, and not all kept."""

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from priorscope.data import Dataset
from priorscope.errors import InputError
from priorscope.probes import ProbeSet
from priorscope.runs.prepare import StudyData, build_probes, load_dataset, split_data
from priorscope.study.cells import SPLIT_KEYS, study_at
from priorscope.study.levels import Levels, cell_name
from priorscope.study.spec import TEST_PROBE, Component, Study

# Two, so that runs may go back and forth between two tasks; the probes of one can take gigabytes.
NUM_KEPT = 2


class Probes(Mapping[str, ProbeSet]):
    """The probes of a cell by name; they are built, all at once, when one is first looked at.

    A training that continues needs none of them before the epoch at which they are answered.
    """

    def __init__(self, names: Iterable[str], build: Callable[[], Mapping[str, ProbeSet]]):
        self._names, self._build = tuple(names), functools.cache(build)

    def __getitem__(self, name: str) -> ProbeSet:
        return self._build()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True, eq=False)
class Cell:
    """One level of each factor: the study without factors that it is, with its data and probes."""

    study: Study
    data: StudyData
    probes: Mapping[str, ProbeSet]


def cell_loader(study: Study, root: Path) -> Callable[[Levels], Cell]:
    """Return the function that makes a cell, or finds it among the last few that were made.

    Cells whose levels differ in the training images, the recipe or the intervention only share the
    dataset and the probes, which are made once.
    """

    @functools.lru_cache(maxsize=NUM_KEPT)
    def dataset(component: str) -> Dataset:
        parameters = json.loads(component)
        named = Component(parameters.pop("name"), parameters)
        return load_dataset(named, root, study.base, where="data", beside=SPLIT_KEYS)

    @functools.lru_cache(maxsize=NUM_KEPT)
    def probes(component: str) -> Probes:
        names = [TEST_PROBE, *study.probes]
        return Probes(names, lambda: build_probes(study, dataset(component)))

    @functools.lru_cache(maxsize=NUM_KEPT)
    def load(levels: Levels) -> Cell:
        at = study_at(study, levels)
        component = json.dumps(at.data.as_dict())
        with naming_cell(levels):
            return Cell(at, split_data(at, dataset(component)), probes(component))

    return load


@contextmanager
def naming_cell(levels: Levels) -> Iterator[None]:
    """Let an error name the cell in which it came up."""
    try:
        yield
    except InputError as error:
        if levels:
            error.where = f"{error.where or 'study'} (at {cell_name(levels)})"
        raise

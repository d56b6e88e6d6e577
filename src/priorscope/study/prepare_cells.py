"""Data and probes of each cell of a study: made when they are needed, and not all kept."""

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from priorscope.data import Dataset
from priorscope.errors import InputError
from priorscope.models._notes import notes
from priorscope.probes import ProbeSet
from priorscope.study.cells import SPLIT_KEYS, cells, study_at
from priorscope.study.checked import Checked, ModelSize, ProbeShape
from priorscope.study.conditions import check_conditions
from priorscope.study.fairness import lint
from priorscope.study.levels import Levels, cell_name
from priorscope.study.prepare import (
    StudyData,
    build_models,
    build_probes,
    load_dataset,
    measure_models,
    split_data,
)
from priorscope.study.spec import TEST_PROBE, Component, Study
from priorscope.training.single_images import (
    check_single_images,
    fewest_at_once,
    single_image_note,
)

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
    """Give the function that makes a cell, or finds it among the last few that were made.

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
        return Probes(names, lambda: build_probes(study, dataset(component).test))

    @functools.lru_cache(maxsize=NUM_KEPT)
    def load(levels: Levels) -> Cell:
        at = study_at(study, levels)
        component = json.dumps(at.data.as_dict())
        with _naming(levels):
            return Cell(at, split_data(at, dataset(component)), probes(component))

    return load


def check_cells(study: Study, load: Callable[[Levels], Cell]) -> Checked:
    """Make every cell once, and build, measure and compare the models that it would train.

    Models are built once for each number of classes and image size.

    Raises
    ------
    InputError : a dataset, probe or model that fails, or a condition that its probe does not have
    """
    checked = Checked(study, {}, {}, {}, {}, {}, {}, {}, [])
    by_shape: dict[tuple[int, int], Mapping[str, ModelSize]] = {}
    for levels in cells(study):
        cell = load(levels)
        data = cell.data
        with _naming(levels):
            check_conditions(cell.study, cell.probes)
            shape = (data.train.num_classes, data.preprocess.image_px)
            if shape not in by_shape:
                models = build_models(cell.study, data)
                if not by_shape:
                    checked.probes.update(_shapes(cell.probes))
                    checked.notes.update({name: notes(model) for name, model in models.items()})
                by_shape[shape] = measure_models(models, data)
                checked.differences.extend(
                    lint(cell.study, data, models, cell.probes, by_shape[shape])
                )
            _note_single_images(cell, checked.notes)
        checked.data[levels] = data.describe()
        checked.sizes[levels] = by_shape[shape]
        checked.num_epochs[levels] = cell.study.recipe.epochs
        checked.num_train[levels] = len(data.train)
        checked.seen_px[levels] = data.preprocess.image_px
    return checked


def _note_single_images(cell: Cell, noted: dict[str, list[str]]) -> None:
    """Note where a batch norm sees an image alone, and refuse models that fail on it.

    Raises
    ------
    InputError : as `check_single_images`
    """
    recipe, num_images = cell.study.recipe, len(cell.data.train)
    if fewest_at_once(num_images, recipe.batch_size, recipe.micro_batch_size) > 1:
        return
    image_px = cell.data.preprocess.image_px
    for name, model in build_models(cell.study, cell.data).items():
        check_single_images(model, recipe, num_images, image_px, where=f"models.{name}")
        note = single_image_note(model, recipe, num_images)
        if note is not None and note not in (of_model := noted.setdefault(name, [])):
            of_model.append(note)


def _shapes(probes: Mapping[str, ProbeSet]) -> dict[str, ProbeShape]:
    return {
        name: ProbeShape(len(probe) // len(probe.arms), probe.images.shape[1], probe.arms)
        for name, probe in probes.items()
        if name != TEST_PROBE
    }


@contextmanager
def _naming(levels: Levels) -> Iterator[None]:
    """Let an error name the cell in which it came up."""
    try:
        yield
    except InputError as error:
        if levels:
            error.where = f"{error.where or 'study'} (at {cell_name(levels)})"
        raise

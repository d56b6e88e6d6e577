"""Make every cell of a study, and see that all models and probes are fit to train and to test."""

from collections.abc import Callable, Mapping
from typing import Any

from priorscope.bias import plain_biases
from priorscope.components import companion, resolve
from priorscope.preflight.checked import Checked, ProbeShape
from priorscope.preflight.conditions import check_conditions
from priorscope.preflight.fairness import lint
from priorscope.preflight.given import read_all
from priorscope.preflight.measures import check_measures
from priorscope.preflight.notes import notes
from priorscope.preflight.overlaps import overlaps
from priorscope.preflight.rehearse_models import both, rehearse_models
from priorscope.probes import ProbeSet
from priorscope.runs.given_images import as_seen
from priorscope.runs.load_cells import Cell, naming_cell
from priorscope.runs.model_size import ModelSize
from priorscope.runs.prepare_models import build_models, measure_models
from priorscope.study.cells import cells, study_at
from priorscope.study.levels import Levels
from priorscope.study.spec import TEST_PROBE, Study
from priorscope.training.single_images import (
    check_single_images,
    fewest_at_once,
    single_image_note,
)


def check_cells(study: Study, load: Callable[[Levels], Cell]) -> Checked:
    """Make every cell once, and build, measure and compare the models that it would train.

    Models are built once for each number of classes and image size.

    Raises
    ------
    InputError : a dataset, probe, model or measure that fails, or a condition that its probe does
        not have
    """
    checked = Checked(study, {}, {}, {}, {}, {}, {}, {}, [])
    checked.overlaps.update(_overlaps(study))
    by_shape: dict[tuple[int, int], Mapping[str, ModelSize]] = {}
    for levels in cells(study):
        cell = load(levels)
        data = cell.data
        with naming_cell(levels):
            check_conditions(cell.study, cell.probes)
            shape = (data.train.num_classes, data.preprocess.image_px)
            if shape not in by_shape:
                rehearsed = rehearse_models(cell.study, *shape)
                for name, found in rehearsed.items():
                    checked.rehearsed[name] = both(checked.rehearsed.get(name, found), found)
                read = read_all(cell.study, data)
                models = build_models(cell.study, data, rehearsed) | read.networks
                models = {name: models[name] for name in study.models}
                if not by_shape:
                    checked.probes.update(_shapes(cell.probes))
                    checked.biases.update(_biases(cell.study))
                    for name, model in models.items():
                        of_training = rehearsed[name].notes if name in rehearsed else ()
                        of_weights = read.notes.get(name, ())
                        checked.notes[name] = [*of_weights, *notes(model), *of_training]
                seen = {name: as_seen(cell.study, name, data) for name in models}
                by_shape[shape] = measure_models(models, seen)
                for name, about in check_measures(cell.study, cell.probes, models, data).items():
                    known = checked.measures.setdefault(name, about)
                    known["does_not_apply"] |= about["does_not_apply"]
                checked.differences.extend(
                    lint(cell.study, data, models, cell.probes, by_shape[shape])
                )
            _note_single_images(cell, checked)
        checked.data[levels] = data.describe()
        checked.sizes[levels] = by_shape[shape]
        checked.num_epochs[levels] = cell.study.recipe.epochs
        checked.num_train[levels] = len(data.train)
        checked.seen_px[levels] = data.preprocess.image_px
    return checked


def _note_single_images(cell: Cell, checked: Checked) -> None:
    """Note where a batch norm sees an image alone, and refuse models that fail on it.

    Raises
    ------
    InputError : as `check_single_images`
    """
    recipe, num_images = cell.study.recipe, len(cell.data.train)
    if fewest_at_once(num_images, recipe.batch_size, recipe.micro_batch_size) > 1:
        return
    image_px = cell.data.preprocess.image_px
    for name, model in build_models(cell.study, cell.data, checked.rehearsed).items():
        check_single_images(model, recipe, num_images, image_px, where=f"models.{name}")
        note = single_image_note(model, recipe, num_images)
        if note is not None and note not in (of_model := checked.notes.setdefault(name, [])):
            of_model.append(note)


def _biases(study: Study) -> dict[str, dict[str, dict[str, Any]]]:
    """Read what a profile says of each probe and declared measure, where their files say it."""
    named = [("probes", "BIASES", study.probes), ("measures", "BIAS", study.measures)]
    found = {
        name: plain_biases(
            companion(resolve(kind, each.name, base=study.base), beside), f"{kind}.{name}"
        )
        for kind, beside, components in named
        for name, each in components.items()
    }
    return {name: biases for name, biases in found.items() if biases}


def _overlaps(study: Study) -> dict[str, list[str]]:
    """Name the augmentations that overlap with each probe, of any cell's recipe."""
    recipes = [study_at(study, levels).as_dict()["recipe"] for levels in cells(study)]
    found = {}
    for name, component in study.probes.items():
        probe = resolve("probes", component.name, base=study.base, where=f"probes.{name}.name")
        changed = companion(probe, "OVERLAPS") or ()
        lines = [line for recipe in recipes for line in overlaps(recipe, changed)]
        if lines:
            found[name] = list(dict.fromkeys(lines))
    return found


def _shapes(probes: Mapping[str, ProbeSet]) -> dict[str, ProbeShape]:
    return {
        name: ProbeShape(len(probe) // len(probe.arms), probe.images.shape[1], probe.arms)
        for name, probe in probes.items()
        if name != TEST_PROBE
    }

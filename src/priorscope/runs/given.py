"""Networks that were trained elsewhere: built, filled with their weights, and told the labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from priorscope.errors import InputError
from priorscope.runs.classes import OutputsToLabels, outputs_of_labels
from priorscope.runs.given_images import preprocess_note
from priorscope.runs.prepare import StudyData
from priorscope.runs.prepare_models import build_model
from priorscope.runs.weight_files import read_state
from priorscope.runs.weights import load_state, num_outputs
from priorscope.study.plan import Run
from priorscope.study.spec import Component, Study
from priorscope.study.weights import Weights


@dataclass(frozen=True, eq=False)
class Given:
    """A network with its weights.

    Attributes
    ----------
    notes : what was done to read them and what was assumed, a line each
    """

    network: nn.Module
    notes: tuple[str, ...]


def build_given(
    component: Component,
    weights: Weights,
    path: Path,
    *,
    class_names: Sequence[str],
    image_px: int,
    base: Path,
    where: str,
) -> Given:
    """Build a network, fill it with the weights of a file, and let it answer in labels.

    Parameters
    ----------
    class_names : the labels of the data
    where : the model's key

    Raises
    ------
    InputError : as `build_model`, `read_state`, `load_state` and `outputs_of_labels`
    """
    at, num_classes = f"{where}.{weights.key}", len(class_names)
    shape = {"image_px": image_px, "seed": 0, "base": base, "where": where}
    network = build_model(component, num_classes=num_classes, **shape)
    file = read_state(path, at)
    of_head = num_outputs(network, file, num_classes)
    if of_head != num_classes:
        network = build_model(component, num_classes=of_head, **shape)
    load_state(network, file, at)
    notes = list(file.notes)
    outputs = outputs_of_labels(class_names, of_head, weights.classes, file.class_names, where)
    if outputs != tuple((number,) for number in range(of_head)):
        network.register_forward_hook(OutputsToLabels(outputs))
    unused = of_head - sum(map(len, outputs))
    if weights.classes is None and file.class_names is None:
        notes.append(
            f"its {of_head} outputs are taken to be the labels in their order, "
            f"{class_names[0]} first: neither the file nor the study names them"
        )
    if unused:
        notes.append(f"{unused} of its {of_head} outputs are no label, and no answer of it")
    return Given(network.eval(), tuple(notes))


def begin_at(
    model: nn.Module, weights: Weights, path: Path, *, num_classes: int, where: str
) -> list[str]:
    """Fill a model that is to be trained with initial weights; say in notes what stayed as new.

    Raises
    ------
    InputError : as `read_state` and `load_state`
    """
    at = f"{where}.{weights.key}"
    file = read_state(path, at)
    anew = load_state(model, file, at, new_head=num_classes)
    notes = list(file.notes)
    if anew:
        notes.append(f"its head is made anew, for {num_classes} classes: {', '.join(anew)}")
    return notes


def given_network(run: Run, study: Study, data: StudyData, path: Path) -> Given:
    """Build the network of a run that is given, from the study's file or from that of the run.

    Parameters
    ----------
    data : as the network sees it
    path : of its weights

    Raises
    ------
    InputError : as `build_given`
    """
    weights = study.weights[run.model]
    found = build_given(
        run.component,
        weights,
        path,
        class_names=data.train.class_names,
        image_px=data.preprocess.image_px,
        base=study.base,
        where=f"models.{run.model}",
    )
    images = preprocess_note(run.component, weights.preprocess, data.preprocess)
    return Given(found.network, (*found.notes, images))


def weights_file(run: Run, study: Study) -> Path:
    """Find the file of a run's weights.

    Raises
    ------
    InputError : it is not the one that the run was planned with
    """
    weights = study.weights[run.model]
    path, where = weights.path(run.seed), f"models.{run.model}"
    if weights.sha256(run.seed, where) != run.weights:
        raise InputError(
            "a file of weights changed after the command began",
            where=f"{where}.{weights.key}",
            found=path,
            hint="run the command again: the file as it is now is another run",
        )
    return path


def weights_record(run: Run, study: Study, notes: Sequence[str]) -> Mapping[str, Any]:
    """Return what `run.json` says of weights from a file; nothing where there are none."""
    if run.weights is None:
        return {}
    about = {"file": study.weights[run.model].path(run.seed).name, "sha256": run.weights}
    return {"weights": about | {"given": run.is_given, "notes": list(notes)}}

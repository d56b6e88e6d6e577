"""Weights of a study that were trained elsewhere, read before anything is trained or evaluated."""

from dataclasses import dataclass, field

import torch
from torch import nn

from priorscope.errors import InputError
from priorscope.runs.given import begin_at, build_given
from priorscope.runs.given_images import as_seen, preprocess_note
from priorscope.runs.prepare import StudyData
from priorscope.runs.prepare_models import build_model
from priorscope.runs.weights import state_digest
from priorscope.study.plan import same_network
from priorscope.study.spec import Study

_FEW_IMAGES = 8
_ROUNDING = 1e-4  # of a sum of probabilities
NOT_KNOWN = "evaluated as given: its training (data, recipe, budget, seeds) is not known"


@dataclass(frozen=True, eq=False)
class Read:
    """What was found in the files of weights of a study.

    Attributes
    ----------
    networks : model that is given -> its first network
    notes : model with weights -> what was done to read them and what was assumed, a line each
    """

    networks: dict[str, nn.Module] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)


def read_all(study: Study, data: StudyData) -> Read:
    """Read every file of weights, and fit it to its model.

    Raises
    ------
    InputError : a file that does not fit, two seeds of a given model with the same network, or a
        network that answers in probabilities
    """
    found = Read()
    for model, weights in study.weights.items():
        component, where = study.models[model], f"models.{model}"
        seen = as_seen(study, model, data)
        names, px = data.train.class_names, seen.preprocess.image_px
        notes: list[str] = []
        digests: dict[str, int] = {}
        for seed in weights.paths:
            path = weights.path(seed)
            shape = {"image_px": px, "base": study.base, "where": where}
            if weights.initial:
                fresh = build_model(component, num_classes=len(names), seed=0, **shape)
                notes += begin_at(fresh, weights, path, num_classes=len(names), where=where)
                continue
            given = build_given(component, weights, path, class_names=names, **shape)
            notes += given.notes
            few = seen.preprocess(torch.from_numpy(data.test.images[:_FEW_IMAGES].copy()))
            _refuse_probabilities(given.network, few, where)
            same = digests.setdefault(state_digest(given.network), seed)
            if same != seed:
                raise same_network(f"{where}.{weights.key}", weights, same, seed)
            found.networks.setdefault(model, given.network)
        if weights.initial:
            notes.insert(0, _initial_note(study, model))
        else:
            notes.insert(0, _given_note(study, model))
            notes.append(preprocess_note(component, weights.preprocess, seen.preprocess))
        found.notes[model] = list(dict.fromkeys(notes))
    return found


def _refuse_probabilities(network: nn.Module, images: torch.Tensor, where: str) -> None:
    """Refuse a network that ends in a softmax: all that is computed takes what it gives for logits.

    The network itself is asked, before `classes` picks from its outputs.
    """
    given: list[object] = []
    hook = network.register_forward_hook(lambda *called: given.append(called[2]), prepend=True)
    try:
        with torch.no_grad():
            network(images)
    finally:
        hook.remove()
    rows = given[-1]
    if not isinstance(rows, torch.Tensor) or rows.ndim != 2 or rows.shape[1] < 2:
        return
    shares = bool((rows >= 0).all()) and bool(((rows.double().sum(1) - 1).abs() < _ROUNDING).all())
    if shares:
        raise InputError(
            "the network answers in probabilities, and not in logits",
            where=where,
            found=f"rows that sum to 1 and have nothing below 0, on {len(rows)} images",
            allowed="a network without the softmax at its end",
            hint="cross-entropy, calibration and sums over outputs would be wrong without a word",
        )


def _given_note(study: Study, model: str) -> str:
    if study.weights[model].is_shared and len(study.seeds) > 1:
        return f"{NOT_KNOWN}; one network, which counts once whatever the seeds"
    return NOT_KNOWN


def _initial_note(study: Study, model: str) -> str:
    text = "training begins at weights that were trained elsewhere, how is not known"
    if study.weights[model].is_shared and len(study.seeds) > 1:
        return f"{text}; all seeds begin at the same ones, so they differ by their training here"
    return text

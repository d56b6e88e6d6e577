"""Weights of a study that were trained elsewhere, read before anything is trained or evaluated."""

from dataclasses import dataclass, field

from torch import nn

from priorscope.runs.given import begin_at, build_given
from priorscope.runs.given_images import as_seen, preprocess_note
from priorscope.runs.prepare import StudyData
from priorscope.runs.prepare_models import build_model
from priorscope.runs.weights import state_digest
from priorscope.study.plan import same_network
from priorscope.study.spec import Study

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
    InputError : a file that does not fit, or two seeds of a given model with the same network
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


def _given_note(study: Study, model: str) -> str:
    if study.weights[model].is_shared and len(study.seeds) > 1:
        return f"{NOT_KNOWN}; one network, which counts once whatever the seeds"
    return NOT_KNOWN


def _initial_note(study: Study, model: str) -> str:
    text = "training begins at weights that were trained elsewhere, how is not known"
    if study.weights[model].is_shared and len(study.seeds) > 1:
        return f"{text}; all seeds begin at the same ones, so they differ by their training here"
    return text

"""Models of a study, built, looked at and measured before anything is trained."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model
from torch import nn

from priorscope import components
from priorscope.errors import InputError
from priorscope.runs.count_macs import count_macs
from priorscope.runs.model_size import ModelSize
from priorscope.runs.prepare import StudyData
from priorscope.runs.rehearsed import Rehearsed
from priorscope.study.spec import Component, Study
from priorscope.training.memory_format import MemoryFormat, stay_contiguous
from priorscope.training.outputs import answer_in_logits
from priorscope.training.streams import seeded_streams


def build_model(
    component: Component,
    *,
    num_classes: int,
    image_px: int,
    seed: int,
    base: Path,
    where: str,
    memory_format: MemoryFormat = "channels_last",
) -> nn.Module:
    """Build a model whose initial weights are decided by `seed`.

    Modules draw their weights from the streams that a process has only one of; they are seeded
    here and left as they were. Whatever the model returns, its output is its logits; see
    `training/outputs.py` for what it may return while it trains.

    Raises
    ------
    InputError : unknown name or parameter, the model refuses the image size, or it is no module
    """
    function = components.resolve("models", component.name, base=base, where=f"{where}.name")
    parameters = components.bind(
        function, component.parameters, where=where, reserved=("num_classes", "image_px"), base=base
    )
    with seeded_streams(seed), components.errors_at(where):
        model = function(num_classes=num_classes, image_px=image_px, **parameters)
    _check_module(model, where)
    answer_in_logits(model)
    return stay_contiguous(model) if memory_format == "contiguous" else model


def load_weights(model: nn.Module, folder: Path) -> None:
    """Load what a run stored of its trained network into a model of the same kind.

    Raises
    ------
    InputError : the file cannot be read, or is of another model
    """
    path = folder / "model.safetensors"
    try:
        load_model(model, path)
    except Exception as error:
        raise InputError(
            "stored weights cannot be read",
            where=path,
            found=f"{type(error).__name__}: {error}",
            hint=f"remove {folder} to train this run again",
        ) from error


def _check_module(model: object, where: str) -> None:
    if not isinstance(model, nn.Module):
        raise InputError("a model must be a torch.nn.Module", where=where, found=type(model))


def measure_model(model: nn.Module, *, num_classes: int, image_px: int, where: str) -> ModelSize:
    """Pass two blank images through a model on the CPU, and count; None for what cannot be.

    Raises
    ------
    InputError : the model is no module, fails on the image size, or returns no logits
    """
    _check_module(model, where)
    model.eval()
    blank = torch.zeros(2, 3, image_px, image_px)
    try:
        with torch.no_grad():
            logits = model(blank)
        num_parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    except Exception as error:
        raise InputError(
            f"the model fails on images of {image_px} px",
            where=where,
            found=f"{type(error).__name__}: {error}",
            allowed=getattr(model, "known_image_px", None),  # what a library says of its models
        ) from error
    if not isinstance(logits, torch.Tensor) or logits.shape != (2, num_classes):
        found = list(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise InputError(
            "a model must return logits", where=where, found=found, allowed=f"[2, {num_classes}]"
        )
    if not num_parameters:
        raise InputError("a model needs trainable parameters", where=where, found="none")
    return ModelSize(num_parameters, count_macs(model, blank))


def build_models(
    study: Study, data: StudyData, rehearsed: Mapping[str, Rehearsed] | None = None
) -> dict[str, nn.Module]:
    """Build every model that the study trains once, which shows that it can be built.

    Parameters
    ----------
    rehearsed : says in which memory format a model lies

    Raises
    ------
    InputError : as `build_model`
    """
    shape: dict[str, Any] = {
        "num_classes": data.train.num_classes,
        "image_px": data.preprocess.image_px,
    }
    return {
        name: build_model(
            component,
            **shape,
            seed=0,
            base=study.base,
            where=f"models.{name}",
            memory_format=(rehearsed or {}).get(name, Rehearsed()).memory_format,
        )
        for name, component in study.trained.items()
    }


def measure_models(
    models: Mapping[str, nn.Module], data: Mapping[str, StudyData]
) -> dict[str, ModelSize]:
    """Count every model.

    Parameters
    ----------
    data : of the study, as each model sees it

    Raises
    ------
    InputError : as `measure_model`
    """
    return {
        name: measure_model(
            model,
            num_classes=data[name].train.num_classes,
            image_px=data[name].preprocess.image_px,
            where=f"models.{name}",
        )
        for name, model in models.items()
    }

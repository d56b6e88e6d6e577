"""How long a study will take on this machine, from a few steps of each model."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from priorscope.components import errors_at
from priorscope.evaluation.predict import predict
from priorscope.runs.given import build_given
from priorscope.runs.given_images import as_seen
from priorscope.runs.model_size import ModelSize
from priorscope.runs.prepare import StudyData
from priorscope.runs.prepare_models import build_model
from priorscope.runs.rehearsed import Rehearsed
from priorscope.study.spec import Study
from priorscope.training.loop import train
from priorscope.training.memory_format import lay_out

# A step on a CPU: as many images as can be waited for, and never so few that what a step costs
# whatever its batch (launching, the optimizer) would pass for the cost of an image.
CPU_STEP_MACS, CPU_FEWEST = 4e10, 8
# An epoch: enough work to be timed. The batch of an accelerator is always the recipe's.
CPU_EPOCH_MACS, OTHER_EPOCH_MACS = 6e9, 2e13
MOST_STEPS = 20
_GIVEN_IMAGES = 64  # at most, that a network which is given is timed on


@dataclass(frozen=True)
class TimedModel:
    """Seconds to train on one image and to predict one, and the images of a step that was timed.

    A network that is given is not trained: it has the second alone.
    """

    train: float | None
    predict: float
    batch: int | None


def timed_steps(
    macs: int, batch_size: int, num_images: int, device: torch.device
) -> tuple[int, int]:
    """Choose the images of a step and the number of steps with which a model is timed.

    Parameters
    ----------
    macs : multiply-accumulates of a forward pass for one image
    batch_size : the recipe's; the step has as many, but on a CPU no more than can be waited for
    num_images : that there are to train on
    """
    per_image = 3 * macs  # a forward and backward pass costs about three forward passes
    batch, on_cpu = min(batch_size, num_images), device.type == "cpu"
    if on_cpu:
        batch = min(batch, max(CPU_FEWEST, int(CPU_STEP_MACS / per_image)))
    affordable = int((CPU_EPOCH_MACS if on_cpu else OTHER_EPOCH_MACS) / (per_image * batch))
    return batch, max(1, min(MOST_STEPS, affordable, num_images // batch))


def time_models(
    study: Study,
    data: StudyData,
    sizes: Mapping[str, ModelSize],
    device: torch.device,
    rehearsed: Mapping[str, Rehearsed] | None = None,
) -> dict[str, TimedModel]:
    """Time each model on a few training images, an epoch of a few steps after one that warms up.

    The images are real and the recipe is the study's, but no result leaves this function. The
    epoch's end waits for the device.
    """
    timed = {}
    for name, component in study.models.items():
        if study.is_given(name):
            timed[name] = _time_given(study, name, data, sizes[name], device)
            continue
        model = build_model(
            component,
            num_classes=data.train.num_classes,
            image_px=data.preprocess.image_px,
            seed=0,
            base=study.base,
            where=f"models.{name}",
            memory_format=(rehearsed or {}).get(name, Rehearsed()).memory_format,
        )
        batch, num_steps = timed_steps(
            sizes[name].about_macs, study.recipe.batch_size, len(data.train), device
        )
        images = data.train.images[: batch * num_steps]
        seconds: list[float] = []
        with errors_at(f"models.{name}"):  # some models fail only while they train
            train(
                model,
                # In one training, so that what did not fit into memory is found out but once.
                replace(study.recipe, epochs=2, batch_size=batch),
                images,
                data.train.labels[: len(images)],
                preprocess=data.preprocess,
                seed=0,
                device=device,
                accuracies=lambda _: {"test_accuracy": float("nan")},
                on_epoch=lambda epoch: seconds.append(epoch.seconds),  # noqa: B023
            )
        predicting = _predicting(model, images, study, data, device)
        timed[name] = TimedModel(seconds[-1] / len(images), predicting, batch)
    return timed


def _time_given(
    study: Study, name: str, data: StudyData, size: ModelSize, device: torch.device
) -> TimedModel:
    """Time the first network of a model that is given on a few test images."""
    seen, weights = as_seen(study, name, data), study.weights[name]
    given = build_given(
        study.models[name],
        weights,
        weights.path(study.seeds[0]),
        class_names=data.train.class_names,
        image_px=seen.preprocess.image_px,
        base=study.base,
        where=f"models.{name}",
    )
    few, _ = timed_steps(size.about_macs, _GIVEN_IMAGES, len(data.test), device)
    network = lay_out(given.network, device)
    return TimedModel(None, _predicting(network, data.test.images[:few], study, seen, device), None)


def _predicting(
    model: nn.Module, images: np.ndarray, study: Study, data: StudyData, device: torch.device
) -> float:
    """Return the seconds that it takes to predict an image, where many are."""
    options = {"device": device, "precision": study.recipe.precision}
    if device.type != "cpu":  # the first pass there chooses its kernels
        predict(model, images, preprocess=data.preprocess, **options)
    started = time.perf_counter()
    predict(model, images, preprocess=data.preprocess, **options)
    return (time.perf_counter() - started) / len(images)

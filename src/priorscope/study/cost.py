"""How long a study will take on this machine, from a few steps of each model."""

import time
from collections.abc import Mapping
from dataclasses import replace

import torch

from priorscope.components import errors_at
from priorscope.evaluation.predict import predict
from priorscope.study.checked import ModelSize
from priorscope.study.prepare import StudyData, build_model
from priorscope.study.spec import Study
from priorscope.training.loop import train

TIMED_MACS = 1e10  # enough work to be timed, little enough to be waited for


def seconds_per_image(
    study: Study, data: StudyData, sizes: Mapping[str, ModelSize], device: torch.device
) -> dict[str, tuple[float, float]]:
    """Time each model on a few training images: seconds to train on one, and to predict one.

    The images are real and the recipe is the study's, but no result leaves this function.
    """
    timed = {}
    for name, component in study.models.items():
        model = build_model(
            component,
            num_classes=data.train.num_classes,
            image_px=data.preprocess.image_px,
            seed=0,
            base=study.base,
            where=f"models.{name}",
        )
        # A forward and backward pass costs about three forward passes.
        affordable = max(2, int(TIMED_MACS / (3 * sizes[name].macs)))
        per_step = min(study.recipe.batch_size, affordable, len(data.train))
        num_steps = max(1, min(20, affordable // per_step))
        images = data.train.images[: num_steps * per_step]
        durations: list[float] = []
        with errors_at(f"models.{name}"):  # some models fail only while they train
            for used in (images[:per_step], images):  # the first step warms up
                train(
                    model,
                    replace(study.recipe, epochs=1),
                    used,
                    data.train.labels[: len(used)],
                    preprocess=data.preprocess,
                    seed=0,
                    device=device,
                    accuracies=lambda _: {"test_accuracy": float("nan")},
                    on_epoch=lambda epoch: durations.append(epoch.seconds / len(used)),  # noqa: B023
                )
        started = time.perf_counter()
        predict(model, images, preprocess=data.preprocess, device=device)
        timed[name] = (durations[-1], (time.perf_counter() - started) / len(images))
    return timed

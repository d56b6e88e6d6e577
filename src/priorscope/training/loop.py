"""The training loop, read top to bottom."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from priorscope.data._preprocess import Preprocess, autocast_for, resize
from priorscope.errors import RunFailed
from priorscope.training.augment import augment
from priorscope.training.optimize import build_optimizer, build_schedule
from priorscope.training.recipe import Recipe


@dataclass(frozen=True)
class Epoch:
    """What is known at the end of an epoch; one line of `metrics.jsonl`.

    `train_loss` and `train_accuracy` are means over the epoch's examples as they were seen,
    augmented and by weights that changed underway; `learning_rate` is that of the last step;
    `seconds` are those of training alone.
    """

    epoch: int
    step: int
    train_loss: float
    train_accuracy: float
    test_accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float
    held_out_accuracy: float | None = None


def train(
    model: nn.Module,
    recipe: Recipe,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    preprocess: Preprocess,
    seed: int,
    device: torch.device,
    accuracies: Callable[[nn.Module], dict[str, float]],
    on_epoch: Callable[[Epoch], None],
) -> None:
    """Train a model in place by the recipe, from the weights that it has.

    Parameters
    ----------
    images : uint8 [n, height, width, 3]
    labels : int64 [n]
    seed : decides the order of the examples and their augmentation, each by a stream of its own
    accuracies : gives an Epoch's accuracies on other images at its end; recorded, never used
    on_epoch : called at the end of every epoch

    Raises
    ------
    RunFailed : the loss is not finite; names the step and its learning rate
    """
    order, augmentation = (
        torch.Generator(device).manual_seed(int(stream.generate_state(1, np.uint64)[0] >> 1))
        for stream in np.random.SeedSequence([seed, 1]).spawn(2)
    )
    # All images stay on the device as bytes: 60,000 of 32 px are 184 MB.
    pool = torch.from_numpy(np.array(images)).to(device)  # a copy: a memory map is read-only
    answers = torch.from_numpy(np.array(labels)).to(device)
    num_images = len(pool)
    steps_per_epoch = math.ceil(num_images / recipe.batch_size)

    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = build_optimizer(model, recipe)
    schedule = build_schedule(optimizer, recipe, recipe.epochs * steps_per_epoch)
    autocast = autocast_for(recipe.precision, device)
    # Does nothing unless the precision is fp16, whose small gradients would vanish unscaled.
    scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16")
    if recipe.compile:
        model.compile()

    for epoch in range(1, recipe.epochs + 1):
        model.train()
        started = time.perf_counter()
        # Sums stay on the device: reading one would make the host wait for it at every step.
        losses = torch.zeros(steps_per_epoch, device=device)
        num_correct = torch.zeros((), dtype=torch.int64, device=device)
        learning_rates = []
        batches = torch.randperm(num_images, generator=order, device=device)
        for step, batch in enumerate(batches.split(recipe.batch_size)):
            pixels, target = pool[batch], answers[batch]
            if recipe.resize == "before_augment":
                pixels = resize(pixels, preprocess.image_px).round().to(torch.uint8)
            inputs = preprocess(augment(pixels, recipe.augment, augmentation))
            optimizer.zero_grad(set_to_none=True)
            micro_batch_size = recipe.micro_batch_size or len(batch)
            for part, answer in zip(
                inputs.split(micro_batch_size), target.split(micro_batch_size), strict=True
            ):
                with autocast:
                    logits = model(part).float()
                share = len(part) / len(batch)
                loss = share * F.cross_entropy(
                    logits, answer, label_smoothing=recipe.label_smoothing
                )
                scaler.scale(loss).backward()
                losses[step] += loss.detach() * len(batch)
                num_correct += (logits.detach().argmax(dim=1) == answer).sum()
            if recipe.clip_grad_norm is not None:
                scaler.unscale_(optimizer)
                nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_grad_norm)
            learning_rates.append(schedule.get_last_lr()[0])
            scaler.step(optimizer)
            scaler.update()
            schedule.step()
        if not torch.isfinite(losses).all():
            first = int((~torch.isfinite(losses)).nonzero()[0])
            step = (epoch - 1) * steps_per_epoch + first + 1
            raise RunFailed(
                f"the training loss is not finite at step {step}"
                f" (epoch {epoch}, learning rate {learning_rates[first]:.3g})"
            )
        mean_loss, accuracy = float(losses.sum()) / num_images, int(num_correct) / num_images
        seconds = time.perf_counter() - started
        on_epoch(
            Epoch(
                epoch=epoch,
                step=epoch * steps_per_epoch,
                train_loss=mean_loss,
                train_accuracy=accuracy,
                **accuracies(model),
                learning_rate=learning_rates[-1],
                seconds=seconds,
                images_per_second=num_images / seconds,
            )
        )

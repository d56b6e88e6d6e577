"""The recipe's optimizer and learning-rate schedule."""

import math
from typing import Any

import torch
from torch import nn

from priorscope.training.compiler import uncompiled
from priorscope.training.recipe import Recipe


def build_optimizer(
    model: nn.Module, recipe: Recipe, device: torch.device
) -> torch.optim.Optimizer:
    """Build the recipe's optimizer over all parameters of the model, which lie on the device.

    On CUDA it updates all of them in a few launches. Not so under fp16: whether a step counts would
    then be decided on the device alone, and the schedule could not know.
    """
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    kind = kinds[recipe.optimizer]
    build = kind if recipe.compile else uncompiled(kind)
    options: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    if recipe.optimizer == "sgd":
        options["momentum"] = recipe.momentum
    if device.type == "cuda" and recipe.precision != "fp16":
        options["fused"] = True
    return build(model.parameters(), **options)


def build_schedule(
    optimizer: torch.optim.Optimizer, recipe: Recipe, num_steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """Build the recipe's schedule over `num_steps` optimizer steps, at least 1.

    Its peak is the last step of the warm-up, and the first step where there is no other.
    """
    if recipe.schedule == "one_cycle":
        total_steps, warmup_fraction = num_steps, recipe.warmup_fraction
        if num_steps == 1:  # the peak and not the end: the first of two steps, the other never made
            total_steps, warmup_fraction = 2, 0.5
        if float(warmup_fraction * total_steps) == 1.0:
            warmup_fraction *= 1 - 1e-9  # PyTorch divides by the length of the rise, which is 0
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=recipe.learning_rate,
            total_steps=total_steps,
            pct_start=warmup_fraction,
            cycle_momentum=recipe.optimizer != "sgd" or recipe.momentum > 0,
        )
    if recipe.schedule == "constant":
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    num_warmup = min(round(recipe.warmup_fraction * num_steps), num_steps - 1)

    def factor(step: int) -> float:
        if step < num_warmup:
            return (step + 1) / (num_warmup + 1)
        return 0.5 * (1 + math.cos(math.pi * (step - num_warmup) / max(1, num_steps - num_warmup)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)

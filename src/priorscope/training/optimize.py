"""The recipe's optimizer and learning-rate schedule."""

import math

import torch
from torch import nn

from priorscope.training.compiler import uncompiled
from priorscope.training.recipe import Recipe


def build_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Build the recipe's optimizer over all parameters of the model."""
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    kind = kinds[recipe.optimizer]
    build = kind if recipe.compile else uncompiled(kind)
    momentum = {"momentum": recipe.momentum} if recipe.optimizer == "sgd" else {}
    return build(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, **momentum
    )


def build_schedule(
    optimizer: torch.optim.Optimizer, recipe: Recipe, num_steps: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """Build the recipe's schedule over `num_steps` optimizer steps."""
    if recipe.schedule == "one_cycle":
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=recipe.learning_rate,
            total_steps=num_steps,
            pct_start=recipe.warmup_fraction,
            cycle_momentum=recipe.optimizer != "sgd" or recipe.momentum > 0,
        )
    if recipe.schedule == "constant":
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    num_warmup = round(recipe.warmup_fraction * num_steps)

    def factor(step: int) -> float:
        if step < num_warmup:
            return (step + 1) / (num_warmup + 1)
        return 0.5 * (1 + math.cos(math.pi * (step - num_warmup) / max(1, num_steps - num_warmup)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)

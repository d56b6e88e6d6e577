"""Time the training of each arm of `paper` on this CPU against its bare module stepped by hand.

    python benchmarks/arms.py [--seconds N] [--batch N] [--only NAME ...]

Both train the same module at 224 px in fp32 with the recipe's optimizer and take turns in one
process, an epoch of a few steps each: priorscope's `training.loop.train`, and forward, cross
entropy, backward and optimizer step written out on a batch that is ready. What is compared gets
images of 224 px without augmentation. Resizing and AutoAugment have no counterpart in the bare
module: the last columns show what the study's own recipe costs with them, from images of 32 px.
Ratios are medians over pairs of neighbouring epochs. The exit code is 1 when priorscope is more
than 5 % slower on an arm by wall time, which needs a quiet machine; CPU time is beside it.
"""

import argparse
import contextlib
import statistics
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from priorscope.data._preprocess import preprocess_for
from priorscope.runs.environment import describe, keep_freed_memory
from priorscope.runs.prepare_models import build_model
from priorscope.study.load import load_study
from priorscope.study.spec import Study
from priorscope.training.loop import Epoch, train
from priorscope.training.recipe import Recipe

BOUND = 1.05
IMAGE_PX, DATA_PX, NUM_CLASSES = 224, 32, 10
NUM_STEPS = 2  # an epoch
FEWEST = 3  # pairs of epochs; the one before them warms up


@dataclass(frozen=True)
class Pairs:
    """Seconds an image of neighbouring epochs, by priorscope and by hand: wall and CPU time."""

    ours: list[tuple[float, float]]
    by_hand: list[tuple[float, float]]

    def ratio(self, clock: int) -> float:
        """Return the median of ours by theirs; clock 0 is wall time, 1 is CPU time."""
        pairs = zip(self.ours, self.by_hand, strict=True)
        return statistics.median(a[clock] / b[clock] for a, b in pairs)


class _Enough(Exception):
    """The time for an arm is spent."""


def take_turns(
    model: nn.Module,
    recipe: Recipe,
    data_px: int,
    seconds: float,
    image_px: int = IMAGE_PX,
    num_steps: int = NUM_STEPS,
) -> Pairs:
    """Train by priorscope and by hand in turns, an epoch each, until `seconds` are spent.

    Both step the very same module, so that neither has weights that lie better in memory; each has
    an optimizer of its own.
    """
    rng = np.random.default_rng(0)
    n = num_steps * recipe.batch_size
    images = rng.integers(0, 256, (n, data_px, data_px, 3), dtype=np.uint8)
    labels = rng.integers(0, NUM_CLASSES, n)
    preprocess = preprocess_for(images, image_px)
    batch = preprocess(torch.from_numpy(images[: recipe.batch_size]))
    answers = torch.from_numpy(labels[: recipe.batch_size])
    optimizer = torch.optim.Adam(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    pairs = Pairs([], [])
    started = time.perf_counter()
    cpu = [0.0]  # when the epoch that is under way began

    def by_hand() -> tuple[float, float]:
        begun = time.perf_counter(), time.process_time()
        for _ in range(num_steps):
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(batch), answers)
            loss.backward()
            optimizer.step()
        return (time.perf_counter() - begun[0]) / n, (time.process_time() - begun[1]) / n

    def after_ours(epoch: Epoch) -> None:
        spent = time.process_time() - cpu[0]
        theirs = by_hand()
        if epoch.epoch > 1:  # the first epoch allocates the optimizers' moments
            pairs.ours.append((epoch.seconds / n, spent / n))
            pairs.by_hand.append(theirs)
        if len(pairs.ours) >= FEWEST and time.perf_counter() - started > seconds:
            raise _Enough
        cpu[0] = time.process_time()

    with contextlib.suppress(_Enough):
        train(
            model,
            replace(recipe, epochs=1000),
            images,
            labels,
            preprocess=preprocess,
            seed=0,
            device=torch.device("cpu"),
            accuracies=lambda _: {"test_accuracy": float("nan")},
            on_epoch=after_ours,
        )
    return pairs


def arm(study: Study, name: str) -> nn.Module:
    """Build one of the study's models."""
    return build_model(
        study.models[name],
        num_classes=NUM_CLASSES,
        image_px=IMAGE_PX,
        seed=0,
        base=study.base,
        where=name,
    )


def main() -> int:
    study = load_study("paper")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=220, help="for all arms together")
    parser.add_argument("--batch", type=int, default=2, help="images a step")
    parser.add_argument("--only", nargs="+", choices=list(study.models), default=list(study.models))
    arguments = parser.parse_args()
    if arguments.batch < 2:
        parser.error("--batch: batch norm needs two images")
    assert study.recipe.optimizer == "adam", "stepped by hand as Adam"

    keep_freed_memory()
    recipe = replace(study.recipe, precision="fp32", batch_size=arguments.batch)
    bare = replace(recipe, augment=(), image_px=None, resize="after_augment")
    # Resizing and augmentation differ little between epochs: the comparison gets most of the time.
    share = arguments.seconds / len(arguments.only)
    print(f"{IMAGE_PX} px, batches of {arguments.batch}, fp32, medians\n")
    print(f"{'':<55}{'seconds an image':>21}{'ratio':>8}{'':>14}{'ratio,':>9}{'full':>10}")
    head = f"{'arm':<17}{'module':<38}{'by hand':>9}{'priorscope':>12}{'':>8}{'bound':>8}  ok  "
    print(f"{head}{'CPU time':>9}{'recipe':>10}{'ratio':>8}{'pairs':>7}")
    missed = False
    for name in arguments.only:
        model = arm(study, name)
        module = f"{type(model).__module__.partition('.')[0]} {type(model).__name__}"
        compared = take_turns(model, bare, IMAGE_PX, 0.65 * share)
        full = take_turns(model, recipe, DATA_PX, 0.35 * share)
        ratio = compared.ratio(0)
        missed |= ratio > BOUND
        by_hand, ours, whole = (
            statistics.median(wall for wall, _ in times)
            for times in (compared.by_hand, compared.ours, full.ours)
        )
        row = f"{name:<17}{module:<38}{by_hand:>9.3f}{ours:>12.3f}{ratio:>8.3f}{BOUND:>8.2f}"
        row += f"  {'yes' if ratio <= BOUND else 'NO ':<4}{compared.ratio(1):>8.3f}"
        print(f"{row}{whole:>10.3f}{full.ratio(0):>8.3f}{len(compared.ours):>7}", flush=True)
    print(f"\n{describe()}")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())

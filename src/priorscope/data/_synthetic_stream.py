"""Endless, repeatable streams of drawn images: block by block, each block from its own seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

# A multiple of 1 .. 10, so that groups of one image a class never straddle two blocks.
BLOCK_SIZE = 2520
IMAGE_PX = 32
Split = Literal["train", "test"]
_STREAMS = {"train": 0, "test": 1}


@dataclass(frozen=True, eq=False)
class Block:
    """Some images, and what they were drawn from.

    Attributes
    ----------
    images : uint8 [n, 32, 32, 3]
    labels : int64 [n]
    factors : name -> array [n, ...]
    """

    images: np.ndarray
    labels: np.ndarray
    factors: dict[str, np.ndarray]


Draw = Callable[[int, np.random.Generator], Block]


def blocks(
    draw: Draw,
    num_images: int,
    *,
    seed: int,
    task_id: int,
    split: Split,
) -> Iterator[Block]:
    """Draw the first `num_images` of a stream; `task_id` is a number that no other task has.

    A stream depends on seed, task and split; its images do not depend on `num_images`: every block
    is drawn whole and then cut. Keys that differ give statistically independent streams (NumPy's
    SeedSequence).
    """
    for index, start in enumerate(range(0, num_images, BLOCK_SIZE)):
        key = np.random.SeedSequence(seed, spawn_key=(task_id, _STREAMS[split], index))
        block = draw(BLOCK_SIZE, np.random.default_rng(key))
        n = min(BLOCK_SIZE, num_images - start)
        yield Block(
            block.images[:n],
            block.labels[:n],
            {name: values[:n] for name, values in block.factors.items()},
        )


def balanced_labels(num_images: int, num_classes: int, rng: np.random.Generator) -> np.ndarray:
    """Draw labels in which every `num_classes` successive images hold each class once: int64 [n].

    So the beginning of a stream is balanced too, whatever its length.
    """
    num_groups = -(-num_images // num_classes)
    groups = np.tile(np.arange(num_classes), (num_groups, 1))
    return rng.permuted(groups, axis=1).ravel()[:num_images]

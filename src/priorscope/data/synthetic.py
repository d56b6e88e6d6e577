"""Images drawn from named factors; no files."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt

from priorscope.data import _synthetic_cues, _synthetic_objects, _synthetic_relation
from priorscope.data._dataset import Dataset
from priorscope.data._labeled_images import LabeledImages, fingerprint
from priorscope.data._synthetic_stream import IMAGE_PX, Block, Draw, Split, blocks
from priorscope.errors import InputError

Task = Literal["objects", "cues", "near_relation", "far_relation", "relation"]
NumKinds = Annotated[int, Field(ge=2, le=len(_synthetic_relation.PATTERNS))]
Distance = Annotated[int, Field(ge=1, lt=_synthetic_relation.GRID)]
DEFAULT_NUM_KINDS = 3
_CUES_ID = 3
_RELATION_ID = 10  # of the streams of `relation`; its distance is added


def synthetic(
    *,
    root: Path,  # noqa: ARG001  (every dataset gets one; this one needs no files)
    task: Task = "objects",
    num_train: PositiveInt = 4000,
    num_test: PositiveInt = 2000,
    num_kinds: NumKinds = DEFAULT_NUM_KINDS,
    distance: Distance | None = None,
    seed: NonNegativeInt = 0,
) -> Dataset:
    """Images of 32 px drawn from named factors by seed: objects, cues, a near or far relation.

    - `objects`: one object that fills the frame; ten classes such as "striped blue disc", none of
      which is given away by texture, colour or shape alone.
    - `cues`: the same with four classes that each own a shape, a texture and a colour, so that a
      probe can set them against each other.
    - `near_relation`: patterns in the cells of a grid; two of them are neighbours, among isolated
      distractors, and the class is the sum modulo `num_kinds` of their kinds. Local attention
      learns it, global attention does not.
    - `far_relation`: the same with two patterns on opposite sides of the image. Global attention
      learns it, local attention does not.
    - `relation`: the same at any `distance`, always with few distractors, so that images of all
      distances are drawn alike. From a distance of 5 on, distractors stay off the columns of the
      pair.

    Measured for the relations, with a 3-layer pre-norm transformer of width 64 on 4-px patches,
    K = 3, 4,000 images, 15 epochs of Adam, one seed: test accuracy near and far is 100.0 and 34.0 %
    if tokens see their 3 x 3 neighbourhood, 34.5 and 100.0 % with global attention; chance is
    33.3 %.

    The first n images of a split are the same whatever `num_train` and `num_test`; the classes of
    any beginning of a split are balanced to within one image. Memory: the images and one block of
    2,520. On another kind of CPU a few pixels of `objects` may differ by one level, as NumPy's
    sines may, and with them the fingerprint.

    Parameters
    ----------
    root : not used
    num_kinds : K, 2 .. 6, the number of classes of a relation; of no other task
    distance : cells between the two patterns of `relation`, and of it only: 1 (neighbours) .. 7
    seed : changes every image

    Raises
    ------
    InputError : `num_kinds` with `objects` or `cues`, `relation` without a distance, or one with
        another task
    """
    draw, class_names, task_id = _task(task, num_kinds, distance)

    def split(name: Split, num_images: int) -> LabeledImages:
        stream = blocks(draw, num_images, seed=seed, task_id=task_id, split=name)
        images, labels = _collect(stream, num_images)
        named = _synthetic_cues.NAMED if task == "cues" else None
        return LabeledImages(images, labels, class_names, fingerprint(images, labels), named)

    at = "" if distance is None else f" at distance {distance}"
    title = f"synthetic images ({task.replace('_', ' ')}{at})"
    return Dataset(title, split("train", num_train), split("test", num_test))


def sources(**_: object) -> list[Path]:
    """List the files that are read: none."""
    return []


def synthetic_factors(
    *,
    split: Split,
    num_images: PositiveInt,
    task: Task = "objects",
    num_kinds: NumKinds = DEFAULT_NUM_KINDS,
    distance: Distance | None = None,
    seed: NonNegativeInt = 0,
) -> dict[str, np.ndarray]:
    """Tell what the first images of a split of `synthetic` were drawn from.

    Returns
    -------
    factor name -> array [num_images, ...], in the order of the images. For `objects` and `cues` see
    `_synthetic_objects.draw_objects`, for the relations `_synthetic_relation.draw_relation`.

    Raises
    ------
    InputError : as `synthetic`
    """
    draw, _, task_id = _task(task, num_kinds, distance)
    stream = blocks(draw, num_images, seed=seed, task_id=task_id, split=split)
    parts = [block.factors for block in stream]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _task(task: Task, num_kinds: int, distance: int | None) -> tuple[Draw, tuple[str, ...], int]:
    """Return a task's drawing function, its class names, and the number that keys its streams."""
    if (task == "relation") != (distance is not None):
        raise InputError(
            "the task relation needs a distance, and no other task has one",
            where="distance",
            found=f"task {task}, distance {'none' if distance is None else distance}",
            allowed=f"1 .. {_synthetic_relation.GRID - 1} with task relation",
        )
    if task in ("objects", "cues"):
        if num_kinds != DEFAULT_NUM_KINDS:
            raise InputError(
                f"the task {task} has no kinds",
                where="num_kinds",
                found=num_kinds,
                hint="remove num_kinds, or choose task near_relation or far_relation",
            )
        if task == "cues":
            return _synthetic_cues.draw_cues, _synthetic_cues.CLASS_NAMES, _CUES_ID
        return _synthetic_objects.draw_objects, _synthetic_objects.CLASS_NAMES, 0
    draw_relation = functools.partial(_synthetic_relation.draw_relation, num_kinds=num_kinds)
    if task == "near_relation":
        draw, task_id = functools.partial(draw_relation, distance=1, distractors="balanced"), 1
    elif distance is not None:
        draw = functools.partial(draw_relation, distance=distance, distractors="few")
        task_id = _RELATION_ID + distance
    else:
        opposite = _synthetic_relation.GRID - 1
        draw, task_id = functools.partial(draw_relation, distance=opposite, distractors="few"), 2
    return draw, _synthetic_relation.class_names(num_kinds), task_id


def _collect(stream: Iterator[Block], num_images: int) -> tuple[np.ndarray, np.ndarray]:
    """Fill images and labels from blocks, one block at a time."""
    images = np.empty((num_images, IMAGE_PX, IMAGE_PX, 3), dtype=np.uint8)
    labels = np.empty(num_images, dtype=np.int64)
    start = 0
    for block in stream:
        stop = start + len(block.labels)
        images[start:stop], labels[start:stop] = block.images, block.labels
        start = stop
    return images, labels

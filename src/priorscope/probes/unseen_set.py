"""A second labelled test set: photographs of one's own, or a set that others collected anew."""

import warnings
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from priorscope.components import bind, resolve
from priorscope.data import Dataset, LabeledImages, data_root, proportional_sample
from priorscope.errors import InputError, PriorscopeWarning, did_you_mean
from priorscope.probes._altered import INTACT
from priorscope.probes._probe_set import ProbeSet


def unseen_set(
    source: LabeledImages,
    *,
    rng: np.random.Generator,
    train: LabeledImages | None = None,
    dataset: str = "image_folder",
    path: Path | None = None,
    options: dict[str, Any] | None = None,
    split: Literal["test", "train"] = "test",
    num_images: Annotated[int, Field(ge=1)] = 2000,
) -> ProbeSet:
    """Show labelled images of another dataset, with the study's test images as their control.

    Classes are matched by name, whatever their numbers: a class that the study has not is refused,
    and one that the set lacks is left out of the control too.

    - `unseen`: images of the other set;
    - `intact`: as many test images of the study, of the same classes.

    The two arms show other scenes: their difference is one between sets, as Recht et al. 2019
    (arXiv:1902.10811) report it, and says nothing of single images.

    Parameters
    ----------
    train : the study's training images, for what the set shares with them
    dataset : of `priorscope list data`
    path : of its files
    options : its further parameters, such as `{image_px: 32}`
    split : of it
    num_images : of each arm, at most so many; each class by its share

    Returns
    -------
    ProbeSet : conditions `arm`, and `in_training`: 1 where the image stands among the study's
        training images, pixel by pixel. A warning says how many do

    Raises
    ------
    InputError : as the dataset; images of another size; a class that the study has not
    """
    other = _read(dataset, path, options or {}, split)
    if other.images.shape[1:] != source.images.shape[1:]:
        raise InputError(
            "images of another size than the study's",
            where="options",
            found=f"{other.image_px} px",
            allowed=f"{source.image_px} px",
            hint=f"options: {{image_px: {source.image_px}}}",
        )
    numbers = {name: number for number, name in enumerate(source.class_names)}
    used = np.unique(other.labels)
    for label in used:
        if (name := other.class_names[label]) not in numbers:
            raise InputError(
                "a class that the study's data have not",
                where="path",
                found=name,
                allowed=source.class_names,
                hint=did_you_mean(name, source.class_names),
            )
    to_ours = np.array([numbers.get(name, -1) for name in other.class_names])
    shown = proportional_sample([other.labels], min(num_images, len(other)), rng)
    same_classes = np.flatnonzero(np.isin(source.labels, to_ours[used]))
    wanted = min(len(shown), len(same_classes))
    control = same_classes[proportional_sample([source.labels[same_classes]], wanted, rng)]
    images = np.concatenate([other.images[shown], source.images[control]])
    known = {_bytes(image) for image in train.images} if train is not None else set()
    in_training = np.array([_bytes(image) in known for image in images], dtype=np.int64)
    if copies := int(in_training[: len(shown)].sum()):
        text = f"{copies:,} of {len(shown):,} images of the unseen set are training images"
        warnings.warn(PriorscopeWarning(text), stacklevel=2)
    return ProbeSet(
        images,
        np.concatenate([to_ours[other.labels[shown]], source.labels[control]]),
        np.arange(len(images)),
        {"arm": np.repeat(["unseen", INTACT], [len(shown), wanted]), "in_training": in_training},
        source.class_names,
    )


def _read(dataset: str, path: Path | None, options: dict[str, Any], split: str) -> LabeledImages:
    function = resolve("data", dataset, base=Path(), where="dataset")
    given = options | ({} if path is None else {"path": str(path)})
    parameters = bind(function, given, where="options", reserved=("root",))
    found = function(root=data_root(None), **parameters)
    if not isinstance(found, Dataset):
        raise InputError("not a dataset", where="dataset", found=type(found).__name__)
    chosen = found.test if split == "test" else found.train
    if not len(chosen):
        raise InputError("no images", where="split", found=split)
    return chosen


def _bytes(image: np.ndarray) -> bytes:
    return np.ascontiguousarray(image).tobytes()

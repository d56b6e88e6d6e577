"""The official Python pickles of CIFAR-10 and CIFAR-100.

Alex Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.data._cache import Source, Split, content_key, refuse_special, unreadable
from priorscope.data._pickle import read_pickle
from priorscope.errors import InputError

IMAGE_PX = 32


@dataclass(frozen=True)
class Official:
    """What an official distribution consists of.

    Attributes
    ----------
    name : the component's name, and the folder under the data root
    title : what a report calls it
    folder : the folder of pickles
    url, archive_md5 : the archive that holds `folder`
    files : split ("train", "test", and "meta" for the class names) -> file name -> md5; a file
        with another md5 is refused
    labels_key, names_key : where the pickles keep labels and class names
    per_class : split -> images of each class
    """

    name: str
    title: str
    folder: str
    url: str
    archive_md5: str
    files: Mapping[str, Mapping[str, str]]
    labels_key: str
    names_key: str
    per_class: Mapping[str, int]


CIFAR10 = Official(
    name="cifar10",
    title="CIFAR-10",
    folder="cifar-10-batches-py",
    url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    archive_md5="c58f30108f718f92721af3b95e74349a",
    files={
        "train": {
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        },
        "test": {"test_batch": "40351d587109b95175f43aff81a1287e"},
        "meta": {"batches.meta": "5ff9c542aee3614f3951f8cda6e48888"},
    },
    labels_key="labels",
    names_key="label_names",
    per_class={"train": 5000, "test": 1000},
)
CIFAR100 = Official(
    name="cifar100",
    title="CIFAR-100",
    folder="cifar-100-python",
    url="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    archive_md5="eb9058c3a382ffc7106e4002c42a8d85",
    files={
        "train": {"train": "16019d7e3df5f24257cddd939b257f8d"},
        "test": {"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
        "meta": {"meta": "7973b15100ade9c7d40fb424638fde48"},
    },
    labels_key="fine_labels",
    names_key="fine_label_names",
    per_class={"train": 500, "test": 100},
)


def official_splits(folder: Path, official: Official) -> dict[str, Split]:
    """Describe the splits of the pickles in `folder`; nothing is read yet."""

    def split(part: str) -> Split:
        files = tuple(folder / name for name in (*official.files[part], *official.files["meta"]))
        return Split(
            files=files,
            key=lambda: content_key(files, f"{official.name}/official/{part}"),
            read=lambda: _read(folder, part, official),
        )

    return {"train": split("train"), "test": split("test")}


def check_md5(path: Path, expected: str) -> bytes:
    """Read a file whose md5 must be `expected`."""
    try:
        refuse_special(path)
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None
    found = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if found != expected:
        raise InputError(
            "not the official file: wrong md5",
            where=path,
            found=f"{found} ({len(data):,} bytes)",
            allowed=expected,
            hint="damaged or incomplete: `priorscope data fetch` replaces it",
        )
    return data


def check_counts(
    labels: np.ndarray, class_names: tuple[str, ...], per_class: int, where: object
) -> None:
    """Refuse labels out of range, no images, and any class with more than `per_class` images.

    Fewer are a part of the dataset: `read_cifar` then says so in its title.
    """
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(class_names):
        raise InputError(
            "label out of range",
            where=where,
            found=f"{labels.min()} .. {labels.max()}",
            allowed=f"0 .. {len(class_names) - 1}",
        )
    counts = np.bincount(labels, minlength=len(class_names))
    for name, count in zip(class_names, counts.tolist(), strict=True):
        if count > per_class or not len(labels):
            raise InputError(
                "wrong number of images: empty, or another dataset",
                where=where,
                found=f"{len(labels):,} images, {count:,} of class {name}",
                allowed=f"at most {per_class:,} images of each class",
                hint="for images of your own use the dataset image_folder",
            )


def _read(folder: Path, part: str, official: Official) -> Source:
    ((meta_name, meta_md5),) = official.files["meta"].items()
    names = _content(folder / meta_name, meta_md5)[official.names_key]
    class_names = tuple(name.decode() for name in names)
    batches = [_content(folder / name, md5) for name, md5 in official.files[part].items()]
    labels = np.concatenate([batch[official.labels_key] for batch in batches]).astype(np.int64)
    where = ", ".join(str(folder / name) for name in official.files[part])
    check_counts(labels, class_names, official.per_class[part], where)
    planes = (batch["data"].reshape(-1, 3, IMAGE_PX, IMAGE_PX) for batch in batches)
    return Source(
        shape=(len(labels), IMAGE_PX, IMAGE_PX),
        blocks=(images.transpose(0, 2, 3, 1) for images in planes),
        labels=labels,
        class_names=class_names,
        encoding="raw",
    )


def _content(path: Path, md5: str) -> dict[str, Any]:
    """Read one pickle, whose content is known by its md5."""
    return read_pickle(check_md5(path, md5), where=path)

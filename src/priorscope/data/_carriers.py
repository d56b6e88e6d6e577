"""Find the files of CIFAR-10 or CIFAR-100, in whichever layout they are there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from priorscope.data._cache import Split, cached
from priorscope.data._decode import LOSSLESS
from priorscope.data._image_files import files_key, list_images, read_images
from priorscope.data._labeled_images import Dataset
from priorscope.data._official import (
    CIFAR10,
    CIFAR100,
    IMAGE_PX,
    Official,
    check_counts,
    official_splits,
)
from priorscope.data._parquet import FILES as PARQUET_FILES
from priorscope.data._parquet import parquet_splits
from priorscope.errors import InputError, unknown_name

CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
KNOWN = {official.name: official for official in (CIFAR10, CIFAR100)}


@dataclass(frozen=True)
class Carrier:
    """Where a dataset was found, in which layout, and how to read its splits."""

    layout: str
    folder: Path
    splits: Mapping[str, Split]


def official_named(name: str) -> Official:
    """Look up the official distribution of a dataset.

    Raises
    ------
    InputError : no official distribution is known by that name
    """
    if name not in KNOWN:
        raise unknown_name("dataset with an official distribution", name, KNOWN)
    return KNOWN[name]


def find_carrier(root: Path, official: Official) -> Carrier:
    """Find a dataset under `root`/<name> or in `root` itself; the official pickles come first.

    Raises
    ------
    InputError : nothing there, with the places and the layouts
    """
    places = (root / official.name, root)
    for place in places:
        folder = place / official.folder
        if folder.is_dir():
            return Carrier("official", folder, official_splits(folder, official))
        if official.name == CIFAR10.name:
            found = _other_layout(place, official)
            if found:
                return found
    layouts = [f"{official.folder}/ (official)"]
    if official.name == CIFAR10.name:
        parquet = " and ".join(PARQUET_FILES.values())
        layouts.append(f"{parquet} (Hugging Face)")
        layouts.append("train/<class>/*.png and test/<class>/*.png (image folder, or .jpg)")
    raise InputError(
        f"{official.title} not found",
        where=" and ".join(str(place) for place in places),
        found="none of its layouts" if root.is_dir() else f"no folder {root}",
        allowed="; ".join(layouts),
        hint=f"priorscope data fetch {official.name}",
    )


def carrier_files(root: Path, official: Official) -> list[Path]:
    """List the files, or folders of images, that `read_cifar` reads.

    Raises
    ------
    InputError : as `find_carrier`
    """
    return [path for split in find_carrier(root, official).splits.values() for path in split.files]


def read_cifar(root: Path, official: Official) -> Dataset:
    """Read both splits through the cache.

    The title says when pixels went through a lossy format, or when images are missing.

    Raises
    ------
    InputError : not found; truncated, incomplete or not the dataset, naming the file
    """
    carrier = find_carrier(root, official)
    train, train_encoding = cached(f"{official.name}-train", carrier.splits["train"])
    test, test_encoding = cached(f"{official.name}-test", carrier.splits["test"])
    lossy = sorted({train_encoding, test_encoding} - LOSSLESS)
    remarks = [f"{lossy[0].upper()} re-encoding"] if lossy else []
    for part, images in (("train", train), ("test", test)):
        whole = official.per_class[part] * images.num_classes
        if len(images) < whole:
            remarks.append(f"{len(images):,} of {whole:,} {part} images")
    title = official.title + (f" ({'; '.join(remarks)})" if remarks else "")
    return Dataset(title, train, test)


def _other_layout(place: Path, official: Official) -> Carrier | None:
    # A clone of the Hugging Face repository has the files in `plain_text`.
    for folder in (place, place / "plain_text"):
        if any((folder / name).is_file() for name in PARQUET_FILES.values()):
            splits = parquet_splits(folder, official, CIFAR10_CLASSES)
            return Carrier("parquet", folder, splits)
    if any((place / part / name).is_dir() for part in PARQUET_FILES for name in CIFAR10_CLASSES):
        splits = {part: _image_split(place / part, part, official) for part in PARQUET_FILES}
        return Carrier("image folder", place, splits)
    return None


def _image_split(folder: Path, part: str, official: Official) -> Split:
    def read():
        files = list_images(folder)
        if files.class_names != CIFAR10_CLASSES:
            raise InputError(
                "class folders are not those of CIFAR-10",
                where=folder,
                found=files.class_names,
                allowed=CIFAR10_CLASSES,
                hint="for images of your own use the dataset image_folder",
            )
        check_counts(files.labels, files.class_names, official.per_class[part], folder)
        return read_images(files, IMAGE_PX, resize=False)

    return Split(
        files=(folder,),
        key=lambda: files_key(list_images(folder), f"{official.name}/folder/{part}"),
        read=read,
    )

"""Find the files of CIFAR-10 or CIFAR-100, in whichever layout they are there."""

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from priorscope.data._cache import Split, cached
from priorscope.data._dataset import Dataset
from priorscope.data._decode import LOSSLESS
from priorscope.data._folder_names import role_of
from priorscope.data._image_files import Listing, files_key, list_splits, read_images
from priorscope.data._official import (
    CIFAR10,
    CIFAR100,
    IMAGE_PX,
    Official,
    check_counts,
    official_splits,
)
from priorscope.data._parquet import FILES as PARQUET_FILES
from priorscope.data._parquet import parquet_files, parquet_splits
from priorscope.data._pixel_notes import SplitPixels, pixel_remarks
from priorscope.data._pixels import Range
from priorscope.errors import InputError, unknown_name

CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
PARTS = ("train", "test")
KNOWN = {official.name: official for official in (CIFAR10, CIFAR100)}


@dataclass(frozen=True)
class Carrier:
    """Where a dataset was found, in which layout, and how to read its splits.

    `listing` says what image folders hold.
    """

    layout: str
    folder: Path
    splits: Mapping[str, Split]
    listing: Callable[[], Listing] = lambda: Listing((), (), ())


def official_named(name: str) -> Official:
    """Look up the official distribution of a dataset."""
    if name not in KNOWN:
        raise unknown_name("dataset with an official distribution", name, KNOWN)
    return KNOWN[name]


def find_carrier(root: Path, official: Official, pixel_range: Range | None = None) -> Carrier:
    """Find a dataset under `root`/<name> or in `root` itself; the official pickles come first."""
    places = (root / official.name, root)
    for place in places:
        folder = place / official.folder
        if folder.is_dir():
            return Carrier("official", folder, official_splits(folder, official))
        if official.name == CIFAR10.name:
            found = _other_layout(place, official, pixel_range)
            if found:
                return found
    layouts = [f"{official.folder}/ (official)"]
    if official.name == CIFAR10.name:
        parquet = " and ".join(PARQUET_FILES.values())
        layouts.append(f"{parquet}, more shards, or train/0000.parquet (Hugging Face)")
        layouts.append("train/<class>/*.png and test/<class>/*.png (image folder, or .jpg)")
    raise InputError(
        f"{official.title} not found",
        where=" and ".join(str(place) for place in places),
        found="none of its layouts" if root.is_dir() else f"no folder {root}",
        allowed="; ".join(layouts),
        hint=f"priorscope data fetch {official.name}",
    )


def carrier_files(root: Path, official: Official) -> list[Path]:
    """List the files, or folders of images, that `read_cifar` reads."""
    return [path for split in find_carrier(root, official).splits.values() for path in split.files]


def read_cifar(root: Path, official: Official, pixel_range: Range | None = None) -> Dataset:
    """Read both splits through the cache.

    The title says when pixels went through a lossy format, or when images are missing.
    """
    carrier = find_carrier(root, official, pixel_range)
    decoded = {part: cached(f"{official.name}-{part}", carrier.splits[part]) for part in PARTS}
    lossy = sorted({split.encoding for split in decoded.values()} - LOSSLESS)
    remarks = [f"{lossy[0].upper()} re-encoding"] if lossy else []
    for part, (images, *_) in decoded.items():
        whole = official.per_class[part] * images.num_classes
        if len(images) < whole:
            remarks.append(f"{len(images):,} of {whole:,} {part} images")
    title = official.title + (f" ({'; '.join(remarks)})" if remarks else "")
    pixels = [
        SplitPixels(split.tally, len(split.images), carrier.splits[part].name)
        for part, split in decoded.items()
    ]
    of_pixels = pixel_remarks(pixels, pixel_range, where=carrier.folder)
    listing = carrier.listing()
    return Dataset(
        title,
        decoded["train"].images,
        decoded["test"].images,
        notes=(*listing.notes, *of_pixels.notes),
        warnings=(*listing.warnings, *of_pixels.warnings),
    )


def _other_layout(place: Path, official: Official, pixel_range: Range | None) -> Carrier | None:
    if found := parquet_files(place):
        folder, shards = found
        splits = parquet_splits(folder, shards, official, CIFAR10_CLASSES, pixel_range)
        return Carrier("parquet", folder, splits)
    folders = _split_folders(place)
    if not folders:
        return None
    there = {part: folder for part, folder in folders.items() if folder.is_dir()}

    @functools.cache  # both splits are listed at once, so that no file counts in both
    def listing() -> Listing:
        return list_splits({f"{folder.name}/": folder for folder in there.values()})

    splits = {
        part: _image_split(folder, part, official, pixel_range, listing, list(there))
        for part, folder in folders.items()
    }
    return Carrier("image folder", place, splits, listing)


def _split_folders(place: Path) -> dict[str, Path]:
    """Find the folders of CIFAR-10's classes by split, in any case: part -> folder, or nothing."""
    found: dict[str, Path] = {}
    for entry in sorted(os.scandir(place), key=lambda each: each.name) if place.is_dir() else ():
        part = role_of(entry.name)
        if part in PARTS and any(Path(entry.path, name).is_dir() for name in CIFAR10_CLASSES):
            if part in found:
                raise InputError(
                    f"two folders of {part} images",
                    where=place,
                    found=f"{found[part].name} and {entry.name}",
                )
            found[part] = Path(entry.path)
    return {part: found.get(part, place / part) for part in PARTS} if found else {}


def _image_split(
    folder: Path,
    part: str,
    official: Official,
    pixel_range: Range | None,
    listing: Callable[[], Listing],
    there: list[str],
) -> Split:
    def files():
        if part not in there:
            raise InputError("the other split is there, this one is missing", where=folder)
        return listing().splits[there.index(part)]

    def read():
        if files().class_names != CIFAR10_CLASSES:
            raise InputError(
                "class folders are not those of CIFAR-10",
                where=folder,
                found=files().class_names,
                allowed=CIFAR10_CLASSES,
                hint="for images of your own use the dataset image_folder",
            )
        check_counts(files().labels, CIFAR10_CLASSES, official.per_class[part], folder)
        return read_images(files(), IMAGE_PX, resize=False, pixel_range=pixel_range)

    return Split(
        files=(folder,),
        key=lambda: files_key(files(), f"{official.name}/folder/{part}/{pixel_range}"),
        read=read,
        name=lambda i: f"{folder.name}/{files().paths[i]}",
    )

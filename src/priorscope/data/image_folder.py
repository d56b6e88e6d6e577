"""Any folder of images, one subfolder a class."""

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt

from priorscope.data._cache import Split, cached, unreadable
from priorscope.data._class_folders import subfolders
from priorscope.data._dataset import Dataset
from priorscope.data._folder_layout import Layout, find_layout
from priorscope.data._folder_names import class_name, lookalikes, quoted
from priorscope.data._image_files import ImageFiles, files_key, list_splits, read_images
from priorscope.data._pixel_notes import SplitPixels, pixel_remarks
from priorscope.data._pixels import Range, check_range
from priorscope.data._splits import stratified
from priorscope.errors import InputError


def image_folder(
    *,
    root: Path,
    path: str,
    image_px: PositiveInt | None = None,
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2,
    seed: NonNegativeInt = 0,
    train: str | None = None,
    test: str | None = None,
    classes: tuple[str, ...] | None = None,
    pixel_range: tuple[float, float] | None = None,
) -> Dataset:
    """Images of your own: `train/<class>/*` and `test/<class>/*`, or `<class>/*`.

    Folders: `Train` and `Test`, `training` and `validation` and the like are splits in any case;
    `val` beside `train` and `test` is left out, and beside `train` alone it is the test split.
    Classes are sorted by name, images by path. Hidden folders, caches and results of priorscope are
    no classes. An image is any file that Pillow reads. Links are followed, once.

    Pixels: images become upright RGB of 8 bits. Grey of more bits is scaled by its format's range,
    or by `pixel_range` where that is open; what is transparent is shown on white; of several frames
    the first is read; an orientation in the metadata is applied, a colour profile is not.

    All that was decided for some of the images is said once, in the dataset's notes.

    Parameters
    ----------
    root : the data root
    path : the folder, relative to `root` or absolute
    image_px : scale the shorter side to so many pixels and crop the centre; needed when the images
        are not all square and of one size
    test_fraction : in (0, 1); the part of each class that becomes the test split, where there are
        no folders of splits
    seed : of that part
    train, test : the folders of the splits, relative to the folder, where their names leave it open
    classes : the folders that are classes, where others stand beside them
    pixel_range : the values that become 0 and 255 in images of more than 8 bits, such as [0, 4095]

    Raises
    ------
    InputError : missing folder, folders that can be read in two ways, fewer than two classes, a
        class without images, an image that cannot be read (named), sizes that differ without
        `image_px`, pixels whose range is not known
    """
    folder = root / path
    _check_folder(folder)
    check_range(pixel_range)
    named = _named(classes)
    if named is not None and len(named) < 2:
        raise InputError("at least two classes are needed", where="classes", found=sorted(named))
    layout = _layout(folder, train, test, named)
    parts, notes, warnings = _parts(folder, layout, named, test_fraction, seed)
    decoded = {
        name: cached(f"image_folder-{name}", _split(files, image_px, pixel_range))
        for name, files in parts.items()
    }
    sides = [split.images.image_px for split in decoded.values()]
    if len(set(sides)) > 1:
        raise InputError(
            "train and test images differ in size",
            where=folder,
            found=f"{sides[0]} and {sides[1]} px",
            hint="give image_px: the shorter side is scaled to it and the centre cropped",
        )
    pixels = [
        SplitPixels(split.tally, len(split.images), _namer(files, folder))
        for split, files in zip(decoded.values(), parts.values(), strict=True)
    ]
    of_pixels = pixel_remarks(pixels, pixel_range, where=folder)
    return Dataset(
        folder.resolve().name,
        decoded["train"].images,
        decoded["test"].images,
        notes=(*layout.notes, *notes, *of_pixels.notes),
        warnings=(*warnings, *of_pixels.warnings),
    )


def sources(
    *,
    root: Path,
    path: str,
    train: str | None = None,
    test: str | None = None,
    classes: tuple[str, ...] | None = None,
    **_: object,
) -> list[Path]:
    """List the folders that are read.

    Raises
    ------
    InputError : missing folder, or folders that can be read in two ways
    """
    folder = root / path
    _check_folder(folder)
    layout = _layout(folder, train, test, _named(classes))
    if layout.test is not None:
        return [layout.train, layout.test]
    return [folder / name for name in subfolders(folder)]


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(
            "image folder not found",
            where=folder,
            found="a file" if folder.exists() else "nothing",
            allowed="a folder, relative to the data root or absolute",
        )


def _named(classes: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if classes is None else frozenset(map(class_name, classes))


def _layout(
    folder: Path, train: str | None, test: str | None, classes: Collection[str] | None
) -> Layout:
    try:
        return find_layout(folder, train=train, test=test, classes=classes)
    except OSError as error:
        raise unreadable(Path(str(error.filename or folder)), error) from None


def _parts(
    folder: Path,
    layout: Layout,
    classes: Collection[str] | None,
    test_fraction: float,
    seed: int,
) -> tuple[dict[str, ImageFiles], tuple[str, ...], tuple[str, ...]]:
    """List the images of both splits, and what is to be said of their files."""
    if layout.test is None:
        listing = list_splits({"": folder}, classes)
        (files,) = listing.splits
        _check_classes(files)
        parts = _drawn(files, test_fraction, seed)
    else:
        folders = (layout.train, layout.test)
        listing = list_splits({f"{_below(part, folder)}/": part for part in folders}, classes)
        train, test = listing.splits
        _check_classes(train)
        _check_same_classes(train, test, folder)
        parts = {"train": train, "test": test}
    return parts, listing.notes, listing.warnings


def _drawn(files: ImageFiles, test_fraction: float, seed: int) -> dict[str, ImageFiles]:
    """Draw a part of each class for the test split."""
    rng = np.random.default_rng(seed)
    test = stratified(files.labels, test_fraction, rng, files.class_names)
    train = np.delete(np.arange(len(files.paths)), test)
    empty = set(range(len(files.class_names))) - set(files.labels[train].tolist())
    if empty:
        raise InputError(
            "class without a training image",
            where=files.folder / files.class_names[min(empty)],
            found=f"test_fraction {test_fraction}",
            hint="add images, or lower test_fraction",
        )
    return {"train": files.take(train), "test": files.take(test)}


def _check_classes(files: ImageFiles) -> None:
    if len(files.class_names) < 2:
        raise InputError(
            "at least two classes are needed",
            where=files.folder,
            found="one class folder: " + ", ".join(files.class_names),
            allowed="one subfolder of images a class",
        )


def _check_same_classes(train: ImageFiles, test: ImageFiles, folder: Path) -> None:
    if train.class_names == test.class_names:
        return
    only = [
        sorted(set(a.class_names) - set(b.class_names)) for a, b in ((train, test), (test, train))
    ]
    found = [
        f"only in {_below(files.folder, folder)}: {', '.join(map(quoted, names[:8]))}"
        + (", ..." if len(names) > 8 else "")
        for files, names in zip((train, test), only, strict=True)
        if names
    ]
    alike = [" and ".join(map(quoted, group)) for group in lookalikes({*only[0], *only[1]})]
    raise InputError(
        "train and test have different classes",
        where=folder,
        found="; ".join(found),
        hint=f"{alike[0]} differ in blanks, dashes or case only: rename one"
        if alike
        else "add the missing folders, or name the classes to read: classes: [...]",
    )


def _split(files: ImageFiles, image_px: int | None, pixel_range: Range | None) -> Split:
    return Split(
        files=(files.folder,),
        key=lambda: files_key(files, f"image_folder/{image_px}/{pixel_range}"),
        read=lambda: read_images(files, image_px, resize=True, pixel_range=pixel_range),
    )


def _namer(files: ImageFiles, folder: Path) -> Callable[[int], str]:
    below = _below(files.folder, folder)
    return lambda i: quoted(f"{below}/{files.paths[i]}" if below != "." else files.paths[i])


def _below(part: Path, folder: Path) -> str:
    return os.path.relpath(part, folder)

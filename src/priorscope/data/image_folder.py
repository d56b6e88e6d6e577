"""Any folder of images, one subfolder a class."""

from pathlib import Path

import numpy as np

from priorscope.data._cache import Split, cached
from priorscope.data._image_files import ImageFiles, files_key, list_images, read_images
from priorscope.data._labeled_images import Dataset
from priorscope.data._splits import stratified
from priorscope.errors import InputError


def image_folder(
    *,
    root: Path,
    path: str,
    image_px: int | None = None,
    test_fraction: float = 0.2,
    seed: int = 0,
) -> Dataset:
    """Images of your own: `train/<class>/*` and `test/<class>/*`, or `<class>/*`.

    Classes are sorted by name, images by path. Images become RGB as Pillow converts them; an
    orientation in their metadata is not applied.

    Parameters
    ----------
    root : the data root
    path : the folder, relative to `root` or absolute
    image_px : scale the shorter side to so many pixels and crop the centre; needed when the images
        are not all square and of one size
    test_fraction : in (0, 1); the part of each class that becomes the test split, where there are
        no subfolders `train` and `test`
    seed : of that part

    Raises
    ------
    InputError : missing folder, fewer than two classes, a class without images, an image that
        cannot be read (named), sizes that differ without `image_px`, values out of range
    """
    folder = root / path
    _check(folder, image_px, test_fraction, seed)
    train, test = _parts(folder, test_fraction, seed)
    train_images, _ = cached("image_folder-train", _split(train, image_px))
    test_images, _ = cached("image_folder-test", _split(test, image_px))
    if train_images.image_px != test_images.image_px:
        raise InputError(
            "train and test images differ in size",
            where=folder,
            found=f"{train_images.image_px} and {test_images.image_px} px",
            hint="give image_px: the shorter side is scaled to it and the centre cropped",
        )
    return Dataset(folder.resolve().name, train_images, test_images)


def sources(*, root: Path, path: str, **_: object) -> list[Path]:
    """Give the folder that is read.

    Raises
    ------
    InputError : missing folder
    """
    folder = root / path
    if not folder.is_dir():
        _check(folder, None, 0.5, 0)
    return [folder]


def _check(folder: Path, image_px: int | None, test_fraction: float, seed: int) -> None:
    if image_px is not None and image_px < 1:
        raise InputError("image_px out of range", found=image_px, allowed="at least 1")
    if not 0 < test_fraction < 1:
        raise InputError(
            "test_fraction out of range", found=test_fraction, allowed="between 0 and 1"
        )
    if seed < 0:
        raise InputError("seed out of range", found=seed, allowed="at least 0")
    if not folder.is_dir():
        raise InputError(
            "image folder not found",
            where=folder,
            found="a file" if folder.exists() else "nothing",
            allowed="a folder, relative to the data root or absolute",
        )


def _parts(folder: Path, test_fraction: float, seed: int) -> tuple[ImageFiles, ImageFiles]:
    given = [name for name in ("train", "test") if (folder / name).is_dir()]
    if len(given) == 1:
        raise InputError(
            "train/ and test/ go together",
            where=folder,
            found=f"{given[0]}/ alone",
            allowed="<class>/* or train/<class>/* and test/<class>/*",
        )
    if not given:
        files = _list(folder)
        rng = np.random.default_rng(seed)
        test = stratified(files.labels, test_fraction, rng, files.class_names)
        train = np.delete(np.arange(len(files.paths)), test)
        empty = set(range(len(files.class_names))) - set(files.labels[train].tolist())
        if empty:
            raise InputError(
                "class without a training image",
                where=folder / files.class_names[min(empty)],
                found=f"test_fraction {test_fraction}",
                hint="add images, or lower test_fraction",
            )
        return files.take(train), files.take(test)
    train, test = _list(folder / "train"), _list(folder / "test")
    if train.class_names != test.class_names:
        differing = sorted(set(train.class_names) ^ set(test.class_names))
        raise InputError(
            "train/ and test/ have different classes",
            where=folder,
            found=f"only in one of them: {', '.join(differing)}",
        )
    return train, test


def _list(folder: Path) -> ImageFiles:
    files = list_images(folder)
    if len(files.class_names) < 2:
        raise InputError(
            "at least two classes are needed",
            where=folder,
            found="one class folder: " + ", ".join(files.class_names),
            allowed="one subfolder of images a class",
        )
    return files


def _split(files: ImageFiles, image_px: int | None) -> Split:
    return Split(
        files=(files.folder,),
        key=lambda: files_key(files, f"image_folder/{image_px}"),
        read=lambda: read_images(files, image_px, resize=True),
    )

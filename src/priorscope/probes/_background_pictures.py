"""Where background pictures come from: our own kinds, or a folder."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from priorscope.data import is_image, read_picture
from priorscope.errors import InputError
from priorscope.probes._backgrounds import KINDS, draw

NUM_PROCEDURAL = 20  # as many as the report had photographs

# Number k of a picture and a generator -> uint8 [height, width, 3].
Read = Callable[[int, np.random.Generator], np.ndarray]


def background_pictures(
    backgrounds: Path | None, num_backgrounds: int | None, canvas_px: int, picture_px: int | None
) -> tuple[list[str], Read]:
    """Name the background pictures, and give the function that draws or reads one of them.

    The parameters are those of `large_background`; so are the errors.
    """
    if backgrounds is None:
        return _procedural(num_backgrounds or NUM_PROCEDURAL, canvas_px, picture_px)
    if picture_px is not None:
        raise InputError(
            "pictures of a folder keep their own size",
            where="picture_px",
            found=picture_px,
            allowed="only without `backgrounds`: the pictures are then drawn",
        )
    return _folder(backgrounds, num_backgrounds, canvas_px)


def _procedural(num: int, canvas_px: int, picture_px: int | None) -> tuple[list[str], Read]:
    size_px = 2 * canvas_px if picture_px is None else picture_px
    if size_px < canvas_px:
        raise InputError(
            "the background picture is smaller than the canvas",
            where="picture_px",
            found=size_px,
            allowed=f"at least {canvas_px}",
        )
    kinds = list(KINDS)
    repeats = [k // len(kinds) for k in range(num)]
    names = [
        kinds[k % len(kinds)] + (f"-{repeat + 1}" if repeat else "")
        for k, repeat in enumerate(repeats)
    ]
    return names, lambda k, rng: draw(kinds[k % len(kinds)], size_px, rng)


def _folder(folder: Path, num: int | None, canvas_px: int) -> tuple[list[str], Read]:
    if not folder.is_dir():
        raise InputError(
            "no such folder of background pictures",
            where="backgrounds",
            found=folder,
            allowed="a folder of pictures, or no `backgrounds`: they are then drawn",
        )
    shown = (path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
    paths = sorted(path for path in shown if is_image(str(path)))
    if not paths:
        raise InputError(
            "the folder holds no pictures",
            where="backgrounds",
            found=folder,
            allowed="files that Pillow reads, such as *.png and *.jpg",
        )
    if num is not None and num > len(paths):
        raise InputError(
            f"the folder holds only {len(paths)} pictures",
            where=f"num_backgrounds, {folder}",
            found=num,
            allowed=f"1 .. {len(paths)}",
        )
    paths = paths[:num]
    for path in paths:
        smallest = min(_size(path))
        if smallest < canvas_px:
            raise InputError(
                "the background picture is smaller than the canvas",
                where=f"backgrounds, {path}",
                found=f"{smallest} px",
                allowed=f"at least canvas_px = {canvas_px} px in width and height",
            )
    return [path.name for path in paths], lambda k, rng: _read(paths[k])  # noqa: ARG005


def _size(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as picture:
            return picture.size
    except Exception as error:  # readers raise almost anything on damaged files
        raise _unreadable(path, f"{type(error).__name__}: {error}") from None


def _read(path: Path) -> np.ndarray:
    try:
        return read_picture(path)
    except InputError as error:
        raise _unreadable(path, f"{error.problem}: {error.found}") from None


def _unreadable(path: Path, found: str) -> InputError:
    return InputError(
        "the background picture cannot be read",
        where=f"backgrounds, {path}",
        found=found,
        hint="convert the file, to PNG of 8 bits for example, or move it out of the folder",
    )

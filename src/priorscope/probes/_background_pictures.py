"""Where background pictures come from: our own kinds, or a folder."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from priorscope.errors import InputError
from priorscope.probes._backgrounds import KINDS, draw

NUM_PROCEDURAL = 20  # as many as the report had photographs
SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

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
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    if not paths:
        raise InputError(
            "the folder holds no pictures",
            where="backgrounds",
            found=folder,
            allowed="files ending in " + ", ".join(SUFFIXES),
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
        smallest = min(_open(path).size)
        if smallest < canvas_px:
            raise InputError(
                "the background picture is smaller than the canvas",
                where=f"backgrounds, {path}",
                found=f"{smallest} px",
                allowed=f"at least canvas_px = {canvas_px} px in width and height",
            )
    return [path.name for path in paths], lambda k, rng: _read(paths[k])  # noqa: ARG005


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _unreadable(path, error) from None


def _read(path: Path) -> np.ndarray:
    try:
        with _open(path) as picture:
            return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        "the background picture cannot be read",
        where=f"backgrounds, {path}",
        found=f"{type(error).__name__}: {error}",
        hint="replace the file or move it out of the folder",
    )

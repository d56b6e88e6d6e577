"""Encoded images -> RGB bytes."""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, __version__, features

from priorscope.data._pixels import FEW_BITS, Range, Tally, to_rgb
from priorscope.errors import InputError

LOSSLESS = frozenset({"bmp", "png", "ppm", "raw"})
# Pillow knows these by sight, but their pixels need another program, or numbers that it ignores.
NO_PIXELS = frozenset({"BUFR", "EPS", "FITS", "GRIB", "HDF5", "MPEG", "PDF", "WMF"})
# What decides the pixels that a file decodes to, beside the file.
DECODER = (
    f"Pillow {__version__}, JPEG {features.version('libjpeg_turbo') or features.version('jpg')}"
)
_BLOCK_BYTES = 16 * 2**20


def decode_blocks(
    sources: Sequence[bytes | Path],
    image_px: int,
    *,
    resize: bool,
    where: Callable[[int], object],
    tally: Tally | None = None,
    pixel_range: Range | None = None,
) -> Iterator[np.ndarray]:
    """Decode images to blocks of uint8 [m, image_px, image_px, 3] of some 16 MiB.

    One thread: for images of 32 px the threads of a pool wait for each other longer than they
    decode (10,000 JPEGs: 0.7 s in one thread, 1.3 s in two).

    Parameters
    ----------
    sources : encoded images, or the files that hold them
    resize : scale the shorter side to `image_px` and crop the centre; else another size is refused
    where : index -> what to call that image in a message
    tally : counts what is decided for each image, as it is decoded
    pixel_range : see `to_rgb`

    Raises
    ------
    InputError : an image cannot be decoded, has the wrong size, or a range that is not known
    """
    tally = Tally() if tally is None else tally
    num_images = max(1, _BLOCK_BYTES // (3 * image_px**2))
    for start in range(0, len(sources), num_images):
        part = sources[start : start + num_images]
        block = np.empty((len(part), image_px, image_px, 3), dtype=np.uint8)
        for i, source in enumerate(part):
            place = where(start + i)
            image = open_image(source, place)
            _check_size(image, image_px, resize, place)
            try:
                with image:
                    rgb = to_rgb(image, start + i, tally, pixel_range, place)
                    block[i] = _fitted(rgb, image_px)
            except InputError:
                raise
            except Exception as error:  # the readers of formats raise almost anything
                raise _undecodable(place, error) from None
        tally.brightest = max(tally.brightest, int(block.max(initial=0)))
        yield block


def open_image(source: bytes | Path, where: object) -> Image.Image:
    """Read an image's header: its size and format; the pixels are decoded on use."""
    try:
        image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
    except Exception as error:  # the readers of formats raise almost anything on damaged files
        raise _undecodable(where, error) from None
    if image.format in NO_PIXELS:
        image.close()
        raise InputError("not a format that images are read from", where=where, found=image.format)
    return image


def read_picture(path: Path) -> np.ndarray:
    """Read one image file as upright RGB of its own size: uint8 [height, width, 3].

    What is decided is what `to_rgb` decides; alone, a picture has no range but its format's.

    Raises
    ------
    InputError : no image that can be read, or one of more than 8 bits whose range is not known
    """
    tally = Tally()
    try:
        with open_image(path, path) as image:
            pixels = np.asarray(to_rgb(image, 0, tally, None, path))
    except InputError:
        raise
    except Exception as error:
        raise _undecodable(path, error) from None
    if 0 <= tally.peak <= FEW_BITS or 0 <= tally.upper_peak <= FEW_BITS >> 8:
        raise InputError(
            f"an image of 16 bits that never goes above {FEW_BITS}",
            where=path,
            found="12 bits or fewer, whose range is not known",
        )
    return pixels


def encoding_of(formats: Iterable[str]) -> str:
    """Name how a set of images is stored, in lower case: a lossy format if any image has one."""
    names = {name.lower() for name in formats}
    return min(names - LOSSLESS or names)


def _check_size(image: Image.Image, image_px: int, resize: bool, where: object) -> None:
    if image.size != (image_px, image_px) and not resize:
        raise InputError(
            "image of the wrong size",
            where=where,
            found=f"{image.width} x {image.height} px",
            allowed=f"{image_px} x {image_px} px",
        )


def _fitted(rgb: Image.Image, image_px: int) -> np.ndarray:
    side = (image_px, image_px)
    if rgb.size != side:
        rgb = ImageOps.fit(rgb, side, method=Image.Resampling.BICUBIC)
    return np.asarray(rgb)


def _undecodable(where: object, error: Exception) -> InputError:
    return InputError("image cannot be read", where=where, found=f"{type(error).__name__}: {error}")

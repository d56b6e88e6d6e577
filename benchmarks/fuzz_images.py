"""Image files of many kinds, each with the pixels that reading it must give."""

import io
import random
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

PX = 16
JPEG: dict[str, Any] = {"quality": 100, "subsampling": 0}
Make = Callable[[random.Random], tuple[bytes, np.ndarray]]


class Pixels(NamedTuple):
    """A kind of image file.

    Attributes
    ----------
    make : draws a file's content, and uint8 [16, 16, 3] that must be read from it
    suffix : of the file's name
    said : what a note must say
    pixel_range : that must be stated, or the images be refused
    tolerance : levels by which a lossy format may be off
    """

    make: Make
    suffix: str
    said: str = ""
    pixel_range: tuple[float, float] | None = None
    tolerance: int = 1


def colours(rng: random.Random, levels: int, channels: int) -> np.ndarray:
    """Draw an image of four fields: whole numbers below `levels`, [16, 16, channels]."""
    fields = [[rng.randrange(levels) for _ in range(channels)] for _ in range(4)]
    small = np.array(fields).reshape(2, 2, channels)
    return small.repeat(PX // 2, axis=0).repeat(PX // 2, axis=1)


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def rgb_file(form: str, **options: Any) -> Make:
    def make(rng: random.Random) -> tuple[bytes, np.ndarray]:
        pixels = colours(rng, 256, 3).astype(np.uint8)
        return encoded(Image.fromarray(pixels), form, **options), pixels

    return make


def grey(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.uint8).repeat(3, axis=2)


def grey_16(levels: int, top: int, form: str) -> Make:
    """Make 16-bit grey below `levels`, of which `top` is white."""

    def make(rng: random.Random) -> tuple[bytes, np.ndarray]:
        values = colours(rng, levels, 1)
        file = encoded(Image.fromarray(values[..., 0].astype(np.uint16)), form)
        return file, grey((2 * 255 * values + top) // (2 * top))

    return make


def floats(rng: random.Random) -> tuple[bytes, np.ndarray]:
    values = colours(rng, 256, 1)
    image = Image.fromarray((values[..., 0] / 255).astype(np.float32))
    return encoded(image, "TIFF"), grey(values)


def white_is_zero(rng: random.Random) -> tuple[bytes, np.ndarray]:
    """Write a TIFF of 16 bits by hand in which 0 is white."""
    values = colours(rng, 65536, 1)
    tags = ((256, PX), (257, PX), (258, 16), (259, 1), (262, 0), (273, 110), (277, 1), (278, PX))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + bytes(4)
    file = head.ljust(110, b"\0") + values.astype("<u2").tobytes()
    return file, grey(255 - (2 * 255 * values + 65535) // (2 * 65535))


def on_white(rng: random.Random) -> tuple[bytes, np.ndarray]:
    """Make a PNG with an alpha channel, which is shown on white."""
    pixels = colours(rng, 256, 4)
    colour, alpha = pixels[..., :3], pixels[..., 3:]
    shown = np.floor((colour * alpha + 255 * (255 - alpha)) / 255 + 0.5)
    return encoded(Image.fromarray(pixels.astype(np.uint8)), "PNG"), shown.astype(np.uint8)


def transparent_palette(rng: random.Random) -> tuple[bytes, np.ndarray]:
    palette = np.array([[rng.randrange(256) for _ in range(3)] for _ in range(8)])
    chosen, hidden = colours(rng, 8, 1)[..., 0], rng.randrange(8)
    image = Image.fromarray(chosen.astype(np.uint8), "P")
    image.putpalette(palette.astype(np.uint8).tobytes())
    shown = np.where((chosen == hidden)[..., None], 255, palette[chosen])
    return encoded(image, "PNG", transparency=hidden), shown.astype(np.uint8)


def turned(form: str) -> Make:
    """Make a file whose Exif orientation says how it must be turned."""
    turns: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: lambda a: np.rot90(a),
    }

    def make(rng: random.Random) -> tuple[bytes, np.ndarray]:
        pixels, exif = colours(rng, 256, 3).astype(np.uint8), Image.Exif()
        exif[274] = orientation = rng.choice(list(turns))
        options = JPEG if form == "JPEG" else {}
        file = encoded(Image.fromarray(pixels), form, exif=exif, **options)
        return file, turns[orientation](pixels)

    return make


def several_frames(form: str) -> Make:
    def make(rng: random.Random) -> tuple[bytes, np.ndarray]:
        pixels = [colours(rng, 256, 3).astype(np.uint8) for _ in range(3)]
        first, *others = (Image.fromarray(each) for each in pixels)
        return encoded(first, form, save_all=True, append_images=others), pixels[0]

    return make


PIXELS = {
    "png": Pixels(rgb_file("PNG"), ".png"),
    "bmp": Pixels(rgb_file("BMP"), ".bmp"),
    "jpeg": Pixels(rgb_file("JPEG", **JPEG), ".JPG", tolerance=6),
    "jfif": Pixels(rgb_file("JPEG", **JPEG), ".jfif", tolerance=6),
    "qoi": Pixels(rgb_file("QOI"), ".qoi"),
    "webp": Pixels(rgb_file("WEBP", lossless=True), ".webp"),
    "no suffix": Pixels(rgb_file("PNG"), "", "by their content"),
    "16-bit png": Pixels(grey_16(65536, 65535, "PNG"), ".png", "16 bits"),
    "16-bit tiff": Pixels(grey_16(65536, 65535, "TIFF"), ".tif", "16 bits"),
    "white is zero": Pixels(white_is_zero, ".tif", "16 bits"),
    "12 bits in 16": Pixels(grey_16(4096, 4095, "PNG"), ".png", "pixel_range", (0.0, 4095.0)),
    "floats": Pixels(floats, ".tif", "pixel_range", (0.0, 1.0)),
    "alpha": Pixels(on_white, ".png", "shown on white"),
    "palette": Pixels(transparent_palette, ".png"),
    "turned jpeg": Pixels(turned("JPEG"), ".jpg", "turned", tolerance=6),
    "turned png": Pixels(turned("PNG"), ".png", "turned"),
    "turned tiff": Pixels(turned("TIFF"), ".tiff", "turned"),
    "pages": Pixels(several_frames("TIFF"), ".tif", "the first is read"),
    "animated": Pixels(several_frames("PNG"), ".png", "the first is read"),
}

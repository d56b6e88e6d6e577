"""One image that Pillow has opened -> upright RGB of 8 bits.

Pillow alone clips grey of 16 bits to white, shows what lies under transparent pixels, and leaves
photographs on their side, each without a word. What is decided here is counted, so that a data set
can say it once.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from PIL import Image, ImageOps

from priorscope.data._misread import raw_mode, refuse_misread, tiff_tag
from priorscope.errors import InputError

Range = tuple[float, float]
BACKGROUND = "white"
FEW_BITS = 4095  # images of 16 bits that never go above it have probably 12
_ALL_16_BITS: Range = (0, 65535)
_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
_MAY_SAY_ORIENTATION = {"exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp"}
_BITS, _PHOTOMETRIC, _ORIENTATION = 258, 262, 274  # tags of TIFF and Exif


@dataclass
class Tally:
    """What was decided for the images of a split.

    Attributes
    ----------
    counts, first : kind of decision -> images, and the number of the first of them. `transparent`
        in part, `invisible` throughout, several `frames`, `turned` upright; more than 8 bits
        `scaled` by the range of 16, `declared` by a range in the file, or `ranged` by
        `pixel_range`; `upper` 8 of 16 bits a channel
    peak : largest value among the `scaled`; -1 without any
    upper_peak : largest upper byte among the `upper`; -1 without any
    brightest : largest byte of all that was decoded
    """

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, int] = field(default_factory=dict)
    peak: int = -1
    upper_peak: int = -1
    brightest: int = 0

    def count(self, kind: str, index: int) -> None:
        """Count image `index`."""
        self.counts[kind] += 1
        self.first.setdefault(kind, index)

    def plain(self) -> dict[str, Any]:
        """Return all of it in values that JSON can hold."""
        return {**vars(self), "counts": dict(self.counts), "first": dict(self.first)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Tally":
        """Read what `plain` returned."""
        return cls(**{**plain, "counts": Counter(plain["counts"])})


def check_range(pixel_range: Range | None) -> None:
    """Refuse a range that is none."""
    low, high = pixel_range or _ALL_16_BITS
    if not (low < high and np.isfinite(high - low)):
        raise InputError(
            "no range of pixels",
            where="pixel_range",
            found=[low, high],
            allowed="the values of black and of white, such as [0, 4095]",
        )


def needs_range(image: Image.Image) -> bool:
    """Tell whether an image's format leaves open which values are black and white."""
    return image.mode == "F" or (image.mode == "I" and image.format not in ("PNG", "PPM"))


def no_range(image: Image.Image, where: object) -> InputError:
    """Say that an image cannot be scaled without `pixel_range`."""
    found = "floats" if image.mode == "F" else "whole numbers of 32 bits, or with a sign"
    with suppress(Exception):  # of a damaged image the kind is enough
        low, high = cast("tuple[float, float]", image.getextrema())
        found += f", from {low:.6g} to {high:.6g}"
    return InputError(
        "an image whose format does not say which values are black and white",
        where=where,
        found=found,
        allowed="the range of the whole data set as a parameter of it, such as "
        "pixel_range: [0, 4095]",
    )


def to_rgb(
    image: Image.Image, index: int, tally: Tally, pixel_range: Range | None, where: object
) -> Image.Image:
    """Turn an opened image into upright RGB, and count what was decided for it.

    - Grey of more than 8 bits is scaled to 0 .. 255: by `pixel_range`, else by its format's range.
      16 bits a channel of colour are read at their upper 8.
    - Transparent pixels are shown on white.
    - Of several frames or pages the first is read.
    - An orientation in the metadata is applied. Colour profiles are not.

    Parameters
    ----------
    index : number of the image in its split
    pixel_range : the values that become 0 and 255 in images of more than 8 bits
    """
    if getattr(image, "is_animated", False) and image.format != "PSD":  # there they are layers
        tally.count("frames", index)
    if image.format in ("TIFF", "JPEG2000", "PNG"):
        refuse_misread(image, where)
    if image.format == "TIFF" and tiff_tag(image, _ORIENTATION, 1) in range(2, 9):
        tally.count("turned", index)  # Pillow applies it, in this format alone
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _grey_of_many_bits(image, index, tally, pixel_range, where)
    upper = _is_16_bits_a_channel(image)
    image.load()
    if upper:
        _count_upper(image, index, tally)
    _turn(image, index, tally)
    if _has_alpha(image):
        return _on_background(image, index, tally)
    return image if image.mode == "RGB" else image.convert("RGB")


def _grey_of_many_bits(
    image: Image.Image, index: int, tally: Tally, pixel_range: Range | None, where: object
) -> Image.Image:
    declared = _declared_range(image)
    inverted = _white_is_zero(image)
    if declared is None and pixel_range is None and needs_range(image):
        raise no_range(image, where)
    low, high = declared or pixel_range or _ALL_16_BITS
    image.load()
    _turn(image, index, tally)
    values = np.asarray(image).astype(np.float64)
    if not (low <= values.min() and values.max() <= high):
        raise InputError(
            "pixels outside pixel_range, or no numbers",
            where=where,
            found=f"{values.min():.6g} to {values.max():.6g}",
            allowed=f"{low:g} to {high:g}",
        )
    if declared is None and pixel_range is None:
        tally.peak = max(tally.peak, int(values.max()))
    tally.count("declared" if declared else "ranged" if pixel_range else "scaled", index)
    levels = (values - low) * (255 / (high - low))
    grey = np.round(255 - levels if inverted else levels).astype(np.uint8)
    rgb = Image.fromarray(grey).convert("RGB")
    if "transparency" in image.info:
        opaque = np.where(values == image.info["transparency"], 0, 255).astype(np.uint8)
        rgb.putalpha(Image.fromarray(opaque))
        return _on_background(rgb, index, tally)
    return rgb


def _declared_range(image: Image.Image) -> Range | None:
    """Return the range that a file itself states beside its pixels: 12-bit TIFF, PGM."""
    if image.format == "TIFF" and image.mode.startswith("I;16"):
        bits = tiff_tag(image, _BITS, (1,))[0]
        return (0, 2**bits - 1) if bits < 16 else None
    if image.format == "PPM" and image.mode == "I" and raw_mode(image) != "I;16B":
        return _ALL_16_BITS  # Pillow has scaled it to that by the largest value in the header
    return None


def _white_is_zero(image: Image.Image) -> bool:
    """Tell whether black and white are exchanged; Pillow sees to that up to 8 bits only."""
    return image.format == "TIFF" and tiff_tag(image, _PHOTOMETRIC, 1) == 0


def _is_16_bits_a_channel(image: Image.Image) -> bool:
    return image.format in ("PNG", "TIFF") and raw_mode(image).endswith((";16B", ";16L", ";16N"))


def _count_upper(image: Image.Image, index: int, tally: Tally) -> None:
    tally.count("upper", index)
    colours = image.convert("RGB") if image.mode == "RGBA" else image
    peak = max(high for _, high in cast("tuple[tuple[int, int], ...]", colours.getextrema()))
    tally.upper_peak = max(tally.upper_peak, peak)


def _turn(image: Image.Image, index: int, tally: Tally) -> None:
    if not _MAY_SAY_ORIENTATION.isdisjoint(image.info) and _orientation(image) != 1:
        ImageOps.exif_transpose(image, in_place=True)
        tally.count("turned", index)


def _orientation(image: Image.Image) -> int:
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # metadata that cannot be read say nothing, whatever is raised on them
        return 1
    return found if found in range(1, 9) else 1


def _has_alpha(image: Image.Image) -> bool:
    if image.mode in _ALPHA or "transparency" in image.info:
        return True
    return image.mode == "P" and image.palette is not None and image.palette.mode == "RGBA"


def _on_background(image: Image.Image, index: int, tally: Tally) -> Image.Image:
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    rgba = image.convert("RGBA")
    low, high = cast("tuple[int, int]", rgba.getchannel("A").getextrema())
    if low == 255:
        return rgba.convert("RGB")
    tally.count("invisible" if high == 0 else "transparent", index)
    behind = Image.new("RGBA", rgba.size, BACKGROUND)
    return Image.alpha_composite(behind, rgba).convert("RGB")

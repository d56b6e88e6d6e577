"""Images that Pillow opens without a word and reads wrongly. Each was found by another reader."""

import re
from typing import TYPE_CHECKING, Any, cast

from PIL import Image

from priorscope.errors import InputError

if TYPE_CHECKING:  # one that is imported here would be asked first of every file what it is
    from PIL.TiffImagePlugin import TiffImageFile

# In a codestream: its beginning, the marker of its size, 38 bytes, then its components' number.
_JPEG2000_SIZE = re.compile(rb"\xff\x4f\xff\x51.{36}(..)", re.DOTALL)
_BITS, _PLANES, _SAMPLE = 258, 284, 339  # tags of TIFF


def refuse_misread(image: Image.Image, where: object) -> None:
    """Refuse an opened image whose pixels Pillow would read as others than are in the file.

    - TIFF of more than 8 bits in planes (every other byte is taken for a pixel), or compressed
      numbers of 32 bits in big-endian order (bytes stay swapped); bytes with a sign.
    - JPEG 2000 of more than 8 bits a channel: the brightest values wrap round to black.
    - PNG of 16 bits a channel with a transparent colour: the lower bytes are compared.
    """
    wrong = None
    if image.format == "TIFF":
        wrong = _in_tiff(cast("TiffImageFile", image))
    elif image.format == "JPEG2000" and image.mode != "I;16":
        bits = _jpeg2000_bits(image)
        wrong = f"JPEG 2000 of {bits} bits a channel" if bits > 8 else None
    elif image.format == "PNG" and image.mode == "RGB" and "transparency" in image.info:
        wide = raw_mode(image).endswith(";16B")
        wrong = "PNG of 16 bits a channel with a transparent colour" if wide else None
    if wrong:
        raise InputError(
            "an image that Pillow reads wrongly",
            where=where,
            found=wrong,
            hint="convert the images, to PNG of 8 bits a channel for example",
        )


def raw_mode(image: Image.Image) -> str:
    """Return how pixels lie in an opened file, in the words of Pillow's decoders: `RGB;16B`."""
    tiles = getattr(image, "tile", None)
    if not tiles:
        return ""
    arguments = tiles[0][3]
    return arguments if isinstance(arguments, str) else str((arguments or ("",))[0])


def tiff_tag(image: Image.Image, tag: int, default: Any) -> Any:
    """Look up a tag of an opened TIFF."""
    return cast("TiffImageFile", image).tag_v2.get(tag, default)


def _in_tiff(image: "TiffImageFile") -> str | None:
    tags = image.tag_v2
    bits = max(tags.get(_BITS, (1,)))
    samples = tags.get(_SAMPLE, (1,))
    if bits > 8 and tags.get(_PLANES) == 2:
        return f"TIFF of {bits} bits, each channel in a plane of its own"
    if image.mode in ("I", "F") and tags.prefix == b"MM" and image.info["compression"] != "raw":
        return f"TIFF of {bits} bits in big-endian order, compressed"
    if bits <= 8 and 2 in (samples if isinstance(samples, tuple) else (samples,)):
        return "TIFF of bytes with a sign"
    return None


def _jpeg2000_bits(image: Image.Image) -> int:
    """Read the largest number of bits among the channels from the head of the codestream."""
    file = cast("TiffImageFile", image).fp
    assert file is not None
    place = file.tell()
    file.seek(0)
    content = file.read()
    file.seek(place)
    found = _JPEG2000_SIZE.search(content)
    if not found:
        return 0
    number = int.from_bytes(found[1])
    depths = content[found.end() : found.end() + 3 * number : 3]
    return max(((depth & 0x7F) + 1 for depth in depths), default=0)

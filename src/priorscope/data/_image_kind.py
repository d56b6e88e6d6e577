"""Tell image files from others, by their suffix or their first bytes."""

from pathlib import Path

from PIL import Image

from priorscope.data._decode import NO_PIXELS

# Known without asking Pillow, which imports all its readers to answer.
COMMON = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
# What often lies beside images, and need not be opened to be known.
_NEVER = (".txt", ".csv", ".json", ".xml", ".yaml", ".yml", ".md", ".html", ".npy", ".npz", ".mat")
# A file without a known suffix is an image only where its first bytes leave no doubt.
_BY_CONTENT = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "JPEG2000", "AVIF")


def is_image(path: str) -> bool:
    """Tell whether a file is an image that Pillow reads: by its suffix, else by its first bytes.

    Raises
    ------
    OSError : no suffix says so, and it cannot be read
    """
    if path.lower().endswith(COMMON):
        return True
    if path.lower().endswith(_NEVER):
        return False
    known = _registered().get(Path(path).suffix.lower())
    if known is not None:
        return known not in NO_PIXELS and (known in Image.OPEN or known == "MPO")
    with Path(path).open("rb") as file:
        try:
            Image.open(file, formats=_BY_CONTENT)
        except Exception:  # readers raise almost anything on what they do not know
            return False
    return True


def has_suffix(path: str) -> bool:
    """Tell whether a file's suffix is one that Pillow knows."""
    return path.lower().endswith(COMMON) or Path(path).suffix.lower() in _registered()


def _registered() -> dict[str, str]:
    """Return suffix -> format of all that Pillow knows."""
    Image.preinit()  # else the common formats come last when an image's format is looked for
    return Image.registered_extensions()

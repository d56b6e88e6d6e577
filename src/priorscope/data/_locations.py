"""Where data lies, and where its decoded copy is kept."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

import platformdirs

from priorscope.errors import InputError


def cache_root() -> Path:
    """Return the folder of decoded images: `PRIORSCOPE_CACHE`, else the platform's cache folder.

    Where the system knows no home of the user's, it lies among the temporary files.

    Raises
    ------
    InputError : `PRIORSCOPE_CACHE` begins with a home that is not known
    """
    if given := os.environ.get("PRIORSCOPE_CACHE"):
        return in_home(Path(given), "PRIORSCOPE_CACHE")
    with suppress(RuntimeError):  # so it says by now; earlier versions return `~/.cache`
        usual = Path(platformdirs.user_cache_dir("priorscope"))
        if usual.is_absolute():
            return usual
    user = os.getuid() if hasattr(os, "getuid") else ""
    return Path(tempfile.gettempdir(), f"priorscope-{user}")


def keep(text: str, path: Path) -> None:
    """Write a small file of the cache, whole or not at all: without it all is only slower."""
    beside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="ascii")
        beside.replace(path)


def data_root(given: Path | None = None) -> Path:
    """Return the folder of source files: `given`, else `PRIORSCOPE_DATA`, else `data` in the cache.

    It need not exist, and may be read-only: nothing but a download is ever written there.

    Raises
    ------
    InputError : it begins with a home that is not known
    """
    if given is not None:
        return in_home(given, "--data-root")
    named = os.environ.get("PRIORSCOPE_DATA")
    return in_home(Path(named), "PRIORSCOPE_DATA") if named else cache_root() / "data"


def in_home(path: Path, where: str) -> Path:
    """Replace `~` at the beginning of a path by the user's home."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise InputError(
            "no home folder is known", where=where, found=path, allowed="a path without ~"
        ) from None

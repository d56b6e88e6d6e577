"""Where data lies, and where its decoded copy is kept."""

import os
from pathlib import Path

import platformdirs


def cache_root() -> Path:
    """Return the folder of decoded images: `PRIORSCOPE_CACHE`, else the platform's cache folder."""
    given = os.environ.get("PRIORSCOPE_CACHE")
    return Path(given).expanduser() if given else Path(platformdirs.user_cache_dir("priorscope"))


def data_root(given: Path | None = None) -> Path:
    """Return the folder of source files: `given`, else `PRIORSCOPE_DATA`, else `data` in the cache.

    It need not exist, and may be read-only: nothing but a download is ever written there.
    """
    if given is not None:
        return given.expanduser()
    named = os.environ.get("PRIORSCOPE_DATA")
    return Path(named).expanduser() if named else cache_root() / "data"

"""Unpack an archive so that its folder appears whole or not at all."""

import os
import secrets
import shutil
import tarfile
import zlib
from pathlib import Path

from priorscope.errors import InputError


def extract(archive: Path, destination: Path) -> Path:
    """Extract the folder `destination.name` of a .tar.gz to `destination`, replacing what is there.

    Members that would leave the folder (absolute, `..`, links outside, devices) are refused.
    """
    beside = destination.with_name(f".{destination.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        beside.mkdir(parents=True)
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(beside, filter="data")
        unpacked = beside / destination.name
        if not unpacked.is_dir():
            raise InputError(
                "the archive lacks its folder",
                where=archive,
                found=sorted(path.name for path in beside.iterdir()),
                allowed=destination.name,
            )
        if destination.exists():
            destination.rename(beside / "replaced")
        unpacked.rename(destination)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise InputError(
            "the archive cannot be extracted",
            where=archive,
            found=f"{type(error).__name__}: {error}",
        ) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return destination

"""Digests of what a study writes: a changed digit, or another run's file, is noticed when read."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from priorscope.errors import InputError

SEAL = "digest"  # the last key of a sealed record; those of earlier versions have none


def json_digest(record: Mapping[str, Any]) -> str:
    """Hash what a record says as JSON (SHA-256)."""
    return hashlib.sha256(json.dumps(record).encode()).hexdigest()


def rows_digest(rows: Sequence[Mapping[str, Any]]) -> str:
    """Hash rows of numbers, text and bytes (SHA-256)."""
    return hashlib.sha256(repr([dict(row) for row in rows]).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Hash a file (SHA-256)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_file(path: Path, record: Mapping[str, Any]) -> None:
    """Refuse a file of a run that is not the one that `run.json` was written with.

    Parameters
    ----------
    record : `run.json`; those of earlier versions list no files, and nothing is checked

    Raises
    ------
    InputError : missing, damaged or another run's
    """
    expected = record.get("files", {}).get(path.name)
    try:
        found = None if expected is None else file_digest(path)
    except OSError as error:
        raise InputError("cannot be read", where=path, found=error) from None
    if found != expected:
        raise InputError(
            "not the file that the run wrote: damaged, or another run's",
            where=path,
            found=found,
            allowed=expected,
            hint=f"remove {path.parent} and run the study again to train this run anew",
        )

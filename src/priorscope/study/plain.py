"""Plain values, as a study file has them: hashed, and searched for texts."""

import hashlib
import json
from collections.abc import Iterator, Mapping


def digest(value: object) -> str:
    """Hash plain values to 16 hex digits (SHA-256 of canonical JSON, cut)."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def strings(plain: object) -> Iterator[str]:
    """List the strings in plain values, the keys of mappings aside."""
    if isinstance(plain, str):
        yield plain
    elif isinstance(plain, Mapping):
        for each in plain.values():
            yield from strings(each)
    elif isinstance(plain, list | tuple):
        for each in plain:
            yield from strings(each)

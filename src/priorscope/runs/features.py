"""Features of a trained network on disk: what a measure of two needs to know of each."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from priorscope.errors import InputError

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Features:
    """What a file of features holds.

    Attributes
    ----------
    arrays : name -> array, of the images in the order of `ids`
    ids : int64 [n], of the probe's scenes
    clusters : str [n] or None, of the scenes
    """

    arrays: Mapping[str, np.ndarray]
    ids: np.ndarray
    clusters: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ids)


def write_features(features: Features, path: Path) -> None:
    """Write safetensors beside its place and rename it into it.

    The metadata have the order of the arrays, ids and clusters, the place, and a digest of it all.
    """
    header = {
        "format": FORMAT,
        "arrays": list(features.arrays),
        "ids": features.ids.tolist(),
        "clusters": None if features.clusters is None else features.clusters.tolist(),
        "digest": _digest_of(features),
        "place": _place_of(path),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".partial")
    arrays = {name: np.ascontiguousarray(array) for name, array in features.arrays.items()}
    save_file(arrays, beside, {"priorscope": json.dumps(header)})
    beside.replace(path)


def read_features(path: Path) -> Features:
    """Read what `write_features` wrote to this place.

    Raises
    ------
    InputError : the file is damaged, another run's, or was not written by priorscope
    """
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads(file.metadata()["priorscope"])
            arrays = {name: file.get_tensor(name) for name in header["arrays"]}
        clusters = None if header["clusters"] is None else np.array(header["clusters"])
        found = Features(arrays, np.array(header["ids"], dtype=np.int64), clusters)
        if header["digest"] != _digest_of(found):
            raise ValueError("the values are not those that were written")
        if header["place"] != _place_of(path):
            raise ValueError(f"it was written as {header['place']}")
    except Exception as error:  # a damaged description makes the reader raise almost anything
        raise InputError(
            "features file cannot be read",
            where=path,
            found=f"{type(error).__name__}: {error}",
            hint="remove it and run the study again: it is computed anew from the stored weights",
        ) from None
    return found


def _place_of(path: Path) -> str:
    """Name a file by its run and what it holds: the same when a study's folder is moved."""
    return "/".join(path.absolute().parts[-4:])


def _digest_of(features: Features) -> str:
    """Hash everything that a file says (SHA-256)."""
    clusters = None if features.clusters is None else features.clusters.tolist()
    shapes = {name: [str(a.dtype), a.shape] for name, a in features.arrays.items()}
    whole = hashlib.sha256(json.dumps([shapes, features.ids.tolist(), clusters]).encode())
    for array in features.arrays.values():
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()

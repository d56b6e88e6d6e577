"""Decode a split once; from then on map its pixels into memory."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import Any, NamedTuple

import numpy as np

from priorscope.data._labeled_images import LabeledImages, fingerprint
from priorscope.data._locations import cache_root
from priorscope.data._pixels import Tally
from priorscope.errors import InputError

FORMAT = 2


@dataclass(frozen=True, eq=False)
class Source:
    """A split that is about to be decoded.

    Attributes
    ----------
    shape : images, height, width
    blocks : uint8 [m, height, width, 3], block after block, decoded when asked for
    labels : int64 [images]
    class_names : one name a class
    encoding : how the pixels were stored: "raw", "png", or "jpeg" if any image was
    tally : what is decided for images, complete once all blocks have been taken
    """

    shape: tuple[int, int, int]
    blocks: Iterable[np.ndarray]
    labels: np.ndarray
    class_names: tuple[str, ...]
    encoding: str
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True)
class Split:
    """One split in one carrier.

    Attributes
    ----------
    files : that hold it
    key : makes its key in the cache, from all that decides images and labels
    read : decodes it
    name : number of an image -> what to call it in a note
    """

    files: tuple[Path, ...]
    key: Callable[[], str]
    read: Callable[[], Source]
    name: Callable[[int], str] = "image {}".format


class Decoded(NamedTuple):
    """A split from the cache: its images (a read-only memory map), and the rest of its source."""

    images: LabeledImages
    encoding: str
    tally: Tally


def cached(name: str, split: Split) -> Decoded:
    """Load a split from the cache, decoding it first where it is absent or damaged."""
    folder = cache_root() / f"{name}-{split.key()}"
    found = _load(folder)
    if found is None:
        _write(split.read(), folder)
        found = _load(folder)
    if found is None:
        raise _unwritable(folder, "what was written does not read back")
    return found


def content_key(files: Sequence[Path], salt: str) -> str:
    """Hash the bytes of files, in that order, and `salt` to 16 hex digits (SHA-256, cut)."""
    digest = hashlib.sha256(f"{FORMAT}\0{salt}".encode())
    for path in files:
        try:
            refuse_special(path)
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise unreadable(path, error) from None
    return digest.hexdigest()[:16]


def refuse_special(path: Path) -> None:
    """Refuse a pipe, socket or device, which is never opened: that may wait for ever.

    Raises
    ------
    InputError : it is one, or a folder
    OSError : nothing is there
    """
    if not S_ISREG(path.stat().st_mode):
        raise InputError("not a file", where=path, found="a folder, pipe, socket or device")


def unreadable(path: Path, error: OSError) -> InputError:
    """Say that a source file is missing or cannot be read."""
    return InputError("file cannot be read", where=path, found=error.strerror or str(error))


def _load(folder: Path) -> Decoded | None:
    """Map a cached split, or give None where it is absent, damaged or of another format.

    All pixels are read: a flipped bit would else be trained on under the fingerprint of the others.
    """
    try:
        meta = json.loads((folder / "meta.json").read_bytes())
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        labels = np.load(folder / "labels.npy", allow_pickle=False)
        digest = meta.pop("digest")
        whole = (
            meta["format"] == FORMAT
            and digest == _digest_of(meta)
            and list(images.shape) == meta["shape"]
            and (folder / "images.npy").stat().st_size == meta["images_bytes"]
            and labels.dtype == np.int64
            and hashlib.sha256(labels.data).hexdigest() == meta["labels_sha256"]
            and fingerprint(images, labels) == meta["fingerprint"]
        )
        if not whole:
            return None
        # Mapped anew: a part that is copied out, or one that is small, need not hold all of them.
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        names = tuple(meta["class_names"])
        split = LabeledImages(images, labels, names, meta["fingerprint"])
        return Decoded(split, meta["encoding"], Tally.from_plain(meta["tally"]))
    except Exception:  # a damaged header makes a reader raise almost anything
        return None


def _write(source: Source, folder: Path) -> None:
    """Write a split beside its place and rename it; of two processes that do, one is kept."""
    beside = folder.with_name(f".{folder.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        beside.mkdir(parents=True)
        _write_files(source, beside)
        _move(beside, folder)
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write_files(source: Source, folder: Path) -> None:
    shape = (*source.shape, 3)
    # Plain writes, not a writable map: a full disk is then an error and not a killed process.
    with (folder / "images.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for block in source.blocks:
            file.write(np.ascontiguousarray(block).data)
        images_bytes = file.tell()
    labels = np.ascontiguousarray(source.labels, dtype=np.int64)
    np.save(folder / "labels.npy", labels)
    images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
    meta = {
        "format": FORMAT,
        "shape": shape,
        "images_bytes": images_bytes,
        "labels_sha256": hashlib.sha256(labels.data).hexdigest(),
        "class_names": source.class_names,
        "encoding": source.encoding,
        "tally": source.tally.plain(),
        "fingerprint": fingerprint(images, labels),
    }
    meta["digest"] = _digest_of(meta)
    (folder / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")


def _digest_of(meta: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(meta).encode()).hexdigest()


def _move(beside: Path, folder: Path) -> None:
    for _ in range(8):  # another process may come between a look and a rename
        try:
            beside.rename(folder)
            return
        except OSError:
            if _load(folder) is not None:
                return  # another process was faster
            aside = beside.with_name(f"{beside.name}.damaged")
            with suppress(FileNotFoundError):
                folder.rename(aside)
            shutil.rmtree(aside, ignore_errors=True)
    beside.rename(folder)


def _unwritable(folder: Path, found: str) -> InputError:
    return InputError(
        "the cache of decoded images cannot be written",
        where=folder,
        found=found,
        hint="set PRIORSCOPE_CACHE to a folder with room that you may write to",
    )

"""Folders of image files, one subfolder a class."""

import hashlib
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from priorscope.data._cache import FORMAT, Source, unreadable
from priorscope.data._decode import decode_blocks, encoding_of, open_image
from priorscope.errors import InputError

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """The image files of a split.

    Attributes
    ----------
    folder : what `paths` are relative to
    paths : n files
    labels : int64 [n]
    class_names : the names of the class folders, sorted
    stamps : int64 [n, 2], bytes and time of modification (ns)
    """

    folder: Path
    paths: tuple[str, ...]
    labels: np.ndarray
    class_names: tuple[str, ...]
    stamps: np.ndarray

    def take(self, indices: np.ndarray) -> "ImageFiles":
        """Select the files at `indices`, in that order."""
        paths = tuple(self.paths[i] for i in indices)
        return ImageFiles(
            self.folder, paths, self.labels[indices], self.class_names, self.stamps[indices]
        )


def list_images(folder: Path) -> ImageFiles:
    """List the images under `folder`/<class>/, by class, then by path.

    Hidden files and files without an image's suffix are passed over.

    Raises
    ------
    InputError : no such folder, no class folder, or one without images
    """
    paths: list[str] = []
    labels: list[int] = []
    stamps: list[tuple[int, int]] = []
    try:
        classes = sorted(
            entry.name
            for entry in os.scandir(folder)
            if entry.is_dir() and not entry.name.startswith(".")
        )
        for label, name in enumerate(classes):
            found = sorted(_walk(folder / name, f"{name}/"))
            if not found:
                raise InputError(
                    "class folder without images",
                    where=folder / name,
                    allowed=f"at least one file *{', *'.join(SUFFIXES)}",
                )
            paths += [path for path, _, _ in found]
            stamps += [(size, modified) for _, size, modified in found]
            labels += [label] * len(found)
    except OSError as error:
        raise unreadable(folder, error) from None
    if not classes:
        raise InputError("no class folders", where=folder, allowed="one subfolder a class")
    return ImageFiles(
        folder,
        tuple(paths),
        np.array(labels, dtype=np.int64),
        tuple(classes),
        np.array(stamps, dtype=np.int64),
    )


def files_key(files: ImageFiles, salt: str) -> str:
    """Hash place, paths, sizes and times of image files to 16 hex digits (SHA-256, cut)."""
    digest = hashlib.sha256(f"{FORMAT}\0{salt}\0{files.folder.resolve()}".encode())
    digest.update("\0".join(files.paths).encode("utf-8", "surrogateescape"))
    digest.update(np.ascontiguousarray(files.stamps).data)
    return digest.hexdigest()[:16]


def read_images(files: ImageFiles, image_px: int | None, *, resize: bool) -> Source:
    """Open every image; say what decoding them will give.

    Parameters
    ----------
    image_px : side in pixels; None takes the images' own, which must be square and all the same
    resize : scale the shorter side to `image_px` and crop the centre; else another size is refused

    Raises
    ------
    InputError : an image cannot be read (named), or sizes differ and `image_px` is None
    """
    full = [files.folder / path for path in files.paths]
    sizes: Counter[tuple[int, int]] = Counter()
    formats = set()
    for path in full:
        with open_image(path, path) as image:
            sizes[image.size] += 1
            formats.add(str(image.format))
    if image_px is None:
        (width, height), _ = sizes.most_common(1)[0]
        if len(sizes) > 1 or width != height:
            found = ", ".join(f"{n} of {w} x {h} px" for (w, h), n in sizes.most_common(4))
            raise InputError(
                "images are not all square and of one size",
                where=files.folder,
                found=found + (", ..." if len(sizes) > 4 else ""),
                hint="give image_px: the shorter side is scaled to it and the centre cropped",
            )
        image_px = width
    return Source(
        shape=(len(full), image_px, image_px),
        blocks=decode_blocks(full, image_px, resize=resize, where=lambda i: full[i]),
        labels=files.labels,
        class_names=files.class_names,
        encoding=encoding_of(formats),
    )


def _walk(folder: Path, prefix: str) -> list[tuple[str, int, int]]:
    found = []
    for entry in os.scandir(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            found += _walk(folder / entry.name, f"{prefix}{entry.name}/")
        elif entry.name.lower().endswith(SUFFIXES):
            status = entry.stat()
            found.append((prefix + entry.name, status.st_size, status.st_mtime_ns))
    return found

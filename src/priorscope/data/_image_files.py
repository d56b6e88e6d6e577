"""Folders of image files, one subfolder a class."""

import hashlib
import time
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from priorscope.data._cache import FORMAT, Source, unreadable
from priorscope.data._class_folders import File, Walk, walk
from priorscope.data._decode import DECODER, decode_blocks, encoding_of, open_image
from priorscope.data._folder_names import lookalikes, quoted, refuse_images_and_labels
from priorscope.data._locations import cache_root, keep
from priorscope.data._pixels import Range, Tally, needs_range, no_range
from priorscope.errors import InputError, unknown_name

_MOMENT_NS = 2 * 10**9  # to which some file systems round times


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """The image files of a split.

    Attributes
    ----------
    folder : what `paths` are relative to
    paths : n files
    labels : int64 [n]
    class_names : the names of the class folders, sorted
    stamps : int64 [n, 4], see `Stamp`
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


@dataclass(frozen=True, eq=False)
class Listing:
    """The image files of several splits, and what is to be said of all of them together."""

    splits: tuple[ImageFiles, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def list_images(folder: Path) -> ImageFiles:
    """List the images under `folder`/<class>/, by class, then by path."""
    return list_splits({"": folder}).splits[0]


def list_splits(folders: Mapping[str, Path], classes: Collection[str] | None = None) -> Listing:
    """List the images of several folders of class folders, each file once; see `walk`."""
    for folder in folders.values():
        if not folder.is_dir():
            raise InputError("no such folder of class folders", where=folder)
    try:
        found = walk(folders, classes)
    except OSError as error:
        where = error.filename or next(iter(folders.values()))
        raise unreadable(Path(str(where)), error) from None
    splits = [
        _image_files(folder, images, found, classes)
        for folder, images in zip(folders.values(), found.images, strict=True)
    ]
    names = {name for split in splits for name in split.class_names}
    warnings = tuple(
        f"classes whose names differ in blanks, dashes or case only, read as {len(group)}: "
        f"{', '.join(map(quoted, group))}; rename their folders if they are one class"
        for group in lookalikes(names)
    )
    return Listing(tuple(splits), found.notes(), warnings)


def _image_files(
    folder: Path, images: Mapping[str, list[File]], found: Walk, classes: Collection[str] | None
) -> ImageFiles:
    names = sorted(images)
    for missing in sorted(set(classes or ()) - set(names)):
        left_out = {name.rpartition("/")[2] for name in found.met.get("left_out", [])}
        error = unknown_name("class folder", missing, {*names, *left_out}, where="classes")
        error.found = f"{missing}, not in {folder}"
        raise error
    if not names:
        raise InputError("no class folders", where=folder, allowed="one subfolder a class")
    if classes is None:
        refuse_images_and_labels(names, where=folder)
    for name in names:
        if not images[name]:
            others = [other for other in found.met.get("others", []) if f"{name}/" in other]
            raise InputError(
                "class folder without images",
                where=folder / name,
                found=f"{len(others):,} files that are none, such as {others[0]}"
                if others
                else None,
                allowed="at least one image that Pillow reads",
                hint="where it is no class, name those that are: classes: [...]",
            )
    files: list[File] = []
    labels: list[int] = []
    for label, name in enumerate(names):
        of_class = sorted(images[name])
        files += of_class
        labels += [label] * len(of_class)
    return ImageFiles(
        folder,
        tuple(path for path, _ in files),
        np.array(labels, dtype=np.int64),
        tuple(names),
        np.array([stamp for _, stamp in files], dtype=np.int64),
    )


def files_key(files: ImageFiles, salt: str) -> str:
    """Hash all that decides pixels and labels to 16 hex digits (SHA-256, cut).

    It is paths, contents and classes of the files, what decodes them, and `salt`. The contents are
    read where the file system does not say that they are those that were read before.
    """
    digest = hashlib.sha256(f"{FORMAT}\0{salt}\0{DECODER}\0".encode())
    for names in (files.paths, files.class_names):
        digest.update("\0".join(names).encode("utf-8", "surrogateescape"))
    digest.update(_contents(files).encode())
    digest.update(np.ascontiguousarray(files.labels).data)
    return digest.hexdigest()[:16]


def _contents(files: ImageFiles) -> str:
    """Hash the bytes of all files (SHA-256), or find the hash under the state that they are in."""
    state = hashlib.sha256(str(files.folder.resolve()).encode("utf-8", "surrogateescape"))
    state.update("\0".join(files.paths).encode("utf-8", "surrogateescape"))
    state.update(np.ascontiguousarray(files.stamps).data)
    path = cache_root() / "contents" / state.hexdigest()[:32]
    with suppress(OSError, ValueError):
        found = path.read_text(encoding="ascii")
        if len(bytes.fromhex(found)) == state.digest_size:
            return found
    digest = hashlib.sha256()
    for name in files.paths:
        try:
            with (files.folder / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise unreadable(files.folder / name, error) from None
    found = digest.hexdigest()
    # A file that changed a moment ago may change again at what the file system calls one time.
    if time.time_ns() - int(files.stamps[:, 1:3].max()) > _MOMENT_NS:
        keep(found, path)
    return found


def read_images(
    files: ImageFiles, image_px: int | None, *, resize: bool, pixel_range: Range | None = None
) -> Source:
    """Open every image; say what decoding them will give, see `decode_blocks`.

    Without `image_px` it is the images' own side; they must be square and all the same.
    """
    full = [files.folder / path for path in files.paths]
    sizes: Counter[tuple[int, int]] = Counter()
    formats = set()
    for path in full:
        with open_image(path, path) as image:
            sizes[image.size] += 1
            formats.add(str(image.format))
            if pixel_range is None and needs_range(image):
                raise no_range(image, path)
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
    tally = Tally()
    return Source(
        shape=(len(full), image_px, image_px),
        blocks=decode_blocks(
            full,
            image_px,
            resize=resize,
            where=lambda i: full[i],
            tally=tally,
            pixel_range=pixel_range,
        ),
        labels=files.labels,
        class_names=files.class_names,
        encoding=encoding_of(formats),
        tally=tally,
    )

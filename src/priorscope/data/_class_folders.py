"""Walk class folders: which files are images, what is passed over, and where links lead.

Every file is met once. Real folders are read first, then links to folders, then links to files, in
the order of their paths: a link to what has been read already is not followed, so that an image
counts under the class in whose folder it lies.
"""

import heapq
import os
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from priorscope.data._folder_names import class_name, is_hidden, quoted
from priorscope.data._image_kind import COMMON, has_suffix, is_image
from priorscope.data._locations import cache_root
from priorscope.errors import InputError

_MARKS = {  # files by which a folder is known that is no class
    ("study.json",): "results of priorscope",
    ("examples.csv", "classes.txt"): "a probe that priorscope wrote",
    ("meta.json", "images.npy"): "images that priorscope decoded",
    ("CACHEDIR.TAG",): "a cache",
    ("pyvenv.cfg",): "an environment of Python",
}
_SAID = {
    "followed": "links that are followed",
    "repeated": "links to what is read already, not followed",
    "by_content": "images known by their content, not by their suffix",
    "others": "files that are no images, passed over",
    "special": "pipes, sockets and devices, never opened",
    "beside": "images beside the class folders, passed over",
    "merged": "classes whose folders are written in two Unicode forms, read as one",
    "left_out": "folders that `classes` leaves out",
    "aside": "folders that are no classes, passed over",
}


# What a file system says of a file: bytes, times of modification and of change (ns), and inode. The
# last two move where a file is replaced under its old time.
Stamp = tuple[int, int, int, int]
# An image file: its path below the folder that was walked, and its stamp.
File = tuple[str, Stamp]


@dataclass
class Walk:
    """What was found under several folders of class folders.

    Attributes
    ----------
    images : for each of the folders, class -> its images, unsorted
    met : key of `_SAID` -> names of what was met beside them
    """

    images: list[dict[str, list[File]]] = field(default_factory=list)
    met: dict[str, list[str]] = field(default_factory=dict)

    def note(self, kind: str, name: str) -> None:
        """Keep the name of something that was met."""
        self.met.setdefault(kind, []).append(name)

    def notes(self) -> tuple[str, ...]:
        """Say what was met, a kind in one line, with its number and the first three names."""
        lines = []
        for kind, words in _SAID.items():
            if names := sorted(self.met.get(kind, [])):
                more = ", ..." if len(names) > 3 else ""
                lines.append(f"{words}: {len(names):,} ({', '.join(map(quoted, names[:3]))}{more})")
        return tuple(lines)


class _Link(NamedTuple):
    to_file: bool
    path: str
    prefix: str
    said: str  # the name by which it is spoken of
    images: list[File]
    is_class: bool


def walk(folders: Mapping[str, Path], classes: Collection[str] | None = None) -> Walk:
    """Find the images of every class folder in folders such as those of two splits.

    Hidden folders are passed over without a word.

    Parameters
    ----------
    folders : how names in notes begin (`train/`) -> folder of class folders
    classes : the only classes that are read, where given

    Raises
    ------
    InputError : a link that leads nowhere, or a class folder that leads to what is read already
    OSError : something cannot be read
    """
    return _Walker(folders, classes).run()


def subfolders(folder: Path) -> list[str]:
    """List the folders in a folder, and links to folders, sorted, without those that are no data.

    Raises
    ------
    InputError : a link that leads nowhere
    OSError : the folder cannot be read
    """
    found, cache = [], os.path.realpath(cache_root())
    for entry in list(os.scandir(folder)):
        if is_hidden(entry.name):
            continue
        if entry.is_symlink():
            _target_of(entry.path)
        if entry.is_dir() and os.path.realpath(entry.path) != cache:
            marks = {mark for marks in _MARKS for mark in marks}
            if _why_aside({mark for mark in marks if Path(entry.path, mark).exists()}) is None:
                found.append(entry.name)
    return sorted(found)


class _Walker:
    def __init__(self, folders: Mapping[str, Path], classes: Collection[str] | None):
        self.folders, self.classes, self.found = folders, classes, Walk()
        self.links: list[_Link] = []  # a heap: folders come first
        self.linked: set[str] = set()  # files that links have led to
        self.read: set[str] = set()  # folders
        real = {Path(os.path.realpath(folder)) for folder in folders.values()}
        self.above = {str(path) for root in real for path in (root, *root.parents)}
        self.cache = os.path.realpath(cache_root())

    def run(self) -> Walk:
        for prefix, folder in self.folders.items():
            self._read_classes(prefix, folder)
        while self.links:
            self._follow(heapq.heappop(self.links))
        for prefix, images in zip(self.folders, self.found.images, strict=True):
            self._drop_what_holds_no_data(images, prefix)
        return self.found

    def _read_classes(self, prefix: str, folder: Path) -> None:
        images: dict[str, list[File]] = {}
        self.found.images.append(images)
        real = os.path.realpath(folder)
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            said, name = prefix + entry.name, class_name(entry.name)
            if is_hidden(entry.name):
                continue
            if entry.is_symlink():
                _target_of(entry.path)
            if not entry.is_dir():
                if entry.name.lower().endswith(COMMON):
                    self.found.note("beside", said)
            elif self.classes is not None and name not in self.classes:
                self.found.note("left_out", said)
            else:
                if name in images:
                    self.found.note("merged", prefix + name)
                of_class = images.setdefault(name, [])
                link = _Link(
                    False, entry.path, f"{entry.name}/", f"{said}/", of_class, is_class=True
                )
                if entry.is_symlink():
                    heapq.heappush(self.links, link)
                else:
                    self._read(link, f"{real}{os.sep}{entry.name}")

    def _drop_what_holds_no_data(self, images: dict[str, list[File]], prefix: str) -> None:
        """Take classes out whose folders hold results or caches and no images."""
        aside = self.found.met.get("aside", [])
        for name in [name for name, files in images.items() if not files]:
            if any(each.startswith((f"{prefix}{name}/", f"{prefix}{name} (")) for each in aside):
                del images[name]

    def _read(self, top: _Link, real: str) -> None:
        """Read a real folder and all real folders in it; keep the links for later."""
        folders = [(top.path, "", real)]
        while folders:
            path, below, real = folders.pop()
            if real in self.read:
                continue
            files, others = _usual_images(path, f"{top.prefix}{below}")
            why = _why_aside({entry.name for entry in others})
            if why or real == self.cache:
                said = f"{top.said}{below}".rstrip("/")
                self.found.note("aside", f"{said} ({why or 'the cache of priorscope'})")
                continue
            self.read.add(real)
            top.images.extend(files)
            for entry in others:
                name = entry.name
                if entry.is_symlink():
                    heapq.heappush(self.links, _link_in(entry, top, below))
                elif entry.is_dir(follow_symlinks=False):
                    if not is_hidden(name):
                        folders.append((entry.path, f"{below}{name}/", f"{real}{os.sep}{name}"))
                else:
                    self._keep(entry.path, entry.stat(), below + name, top)

    def _keep(self, path: str, status: os.stat_result, name: str, top: _Link) -> bool:
        """Keep a file if it is an image, else its name; tell which."""
        if not stat.S_ISREG(status.st_mode):
            self.found.note("special", top.said + name)
        elif not is_image(path):
            self.found.note("others", top.said + name)
        else:
            top.images.append((top.prefix + name, _stamp(status)))
            if not has_suffix(path):
                self.found.note("by_content", top.said + name)
            return True
        return False

    def _follow(self, link: _Link) -> None:
        target, status = _target_of(link.path)
        if stat.S_ISDIR(status.st_mode):
            if target in self.read or target in self.above:
                self._repeated(link, target)
                return
            prefix, said = f"{link.prefix.rstrip('/')}/", f"{link.said.rstrip('/')}/"
            self.found.note("followed", said.rstrip("/"))
            self._read(link._replace(prefix=prefix, said=said), target)
        elif target.rpartition(os.sep)[0] in self.read or target in self.linked:
            self._repeated(link, target)
        elif self._keep(link.path, status, "", link):
            self.linked.add(target)
            self.found.note("followed", link.said)

    def _repeated(self, link: _Link, target: str) -> None:
        if link.is_class:
            raise InputError(
                "a class folder that is a link to what is read already",
                where=link.path,
                found=f"it leads to {target}",
                hint="remove the link: its images would count twice",
            )
        self.found.note("repeated", link.said)


def _link_in(entry: os.DirEntry[str], top: _Link, below: str) -> _Link:
    """Describe a link that lies in a folder, so far `below` the class folder or link `top`."""
    said, prefix = f"{top.said}{below}{entry.name}", f"{top.prefix}{below}{entry.name}"
    return _Link(
        not Path(entry.path).is_dir(), entry.path, prefix, said, top.images, is_class=False
    )


def _usual_images(path: str, prefix: str) -> tuple[list[File], list[os.DirEntry[str]]]:
    """Tell files with the usual suffixes, of which there may be millions, from all others."""
    files, others = [], []
    for entry in os.scandir(path):
        name = entry.name
        if name.startswith("."):
            continue
        if name.lower().endswith(COMMON) and entry.is_file(follow_symlinks=False):
            files.append((prefix + name, _stamp(entry.stat())))
        else:
            others.append(entry)
    return files, others


def _stamp(status: os.stat_result) -> Stamp:
    inode = status.st_ino % 2**63  # of 128 bits on some systems
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode


def _target_of(link: str) -> tuple[str, os.stat_result]:
    """Return where a link leads in the end, and what is there.

    Raises
    ------
    InputError : nowhere
    OSError : it must not be looked at
    """
    try:
        return os.path.realpath(link), Path(link).stat()
    except PermissionError:
        raise
    except OSError as error:
        raise InputError(
            "a link that leads nowhere",
            where=link,
            found=f"{Path(link).readlink()}: {error.strerror}",
            hint="bring back what it leads to, or remove it",
        ) from None


def _why_aside(names: Collection[str]) -> str | None:
    """Say by the files in it why a folder holds no images of a data set; None where it may."""
    return next((why for marks, why in _MARKS.items() if set(marks) <= set(names)), None)

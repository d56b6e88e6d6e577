"""What the names of folders say: which is a split, which are no classes, which look alike."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Literal

from priorscope.errors import InputError, shown

Role = Literal["train", "test", "val"]
_WORDS: dict[Role, tuple[str, ...]] = {
    "train": ("train", "training", "trn"),
    "test": ("test", "testing", "tst"),
    "val": ("val", "valid", "validation", "dev", "eval", "evaluation", "holdout"),
}
_ROLE_OF: dict[str, Role] = {word: role for role, words in _WORDS.items() for word in words}
_FILLING = {"set", "data", "dataset", "split", "folder", "image", "images", "img", "imgs"}
_GLUED = ("set", "data", "images", "imgs")  # trainset, valdata
_PICTURES = {"image", "images", "img", "imgs", "jpegimages", "photos", "pictures", "rgb"}
_ANSWERS = {"label", "labels", "annotation", "annotations", "annot", "ann", "mask", "masks", "gt"}
_ANSWERS |= {"groundtruth", "targets", "segmentation", "segmentations", "bbox", "boxes"}
_OF_SYSTEMS = {"__macosx", "__pycache__", "@eadir", "$recycle.bin", "lost+found", "node_modules"}
_OF_SYSTEMS |= {"system volume information"}


def class_name(folder: str) -> str:
    """Write a folder's name as a class: composed Unicode; bytes that are no UTF-8 are escaped."""
    text = folder.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def quoted(name: str) -> str:
    """Write a name for one line of text, so that its ends can be seen."""
    text = shown(class_name(name)).replace("\n", "\\n")
    return f"'{text}'"


def is_hidden(folder: str) -> bool:
    """Tell whether a system made a folder for itself, or its owner hid it."""
    return folder.startswith(".") or folder.casefold() in _OF_SYSTEMS


def role_of(folder: str) -> Role | None:
    """Return the split that a folder's name says clearly: Train, test_set, validation; or None."""
    words = [word for word in _words(folder) if word not in _FILLING]
    return _ROLE_OF.get(words[0]) if len(words) == 1 else None


def hints_at(folder: str) -> set[Role]:
    """Return the splits that a folder's name has a word of: train_left."""
    return {_ROLE_OF[word] for word in _words(folder) if word in _ROLE_OF}


def refuse_images_and_labels(folders: Iterable[str], *, where: object) -> None:
    """Refuse folders of images and of what belongs to them side by side: they are no classes."""
    names = list(folders)
    pictures = [name for name in names if _PICTURES & set(_words(name))]
    answers = [name for name in names if _ANSWERS & set(_words(name))]
    if pictures and answers:
        raise InputError(
            "folders that look like images and their labels, not like classes",
            where=where,
            found=f"{quoted(pictures[0])} and {quoted(answers[0])}",
            allowed="one subfolder of images a class",
            hint=f"if they are classes, say so: classes: [{', '.join(sorted(names))}]",
        )


def lookalikes(classes: Collection[str]) -> list[list[str]]:
    """Return classes whose names differ in nothing but blanks, dashes and case, in groups."""
    groups: dict[str, list[str]] = {}
    for name in sorted(classes):
        folded = unicodedata.normalize("NFKC", name).casefold()
        groups.setdefault(re.sub(r"[\s_\-]+", "", folded), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _words(folder: str) -> list[str]:
    """Split a name into words in lower case: TestSet and test_set_2 are `test`, `set`."""
    spread = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", class_name(folder))
    found = []
    for word in re.findall(r"[^\W\d_]+", spread.casefold()):
        end = next(
            (end for end in _GLUED if word.endswith(end) and word[: -len(end)] in _ROLE_OF), ""
        )
        found.append(word.removesuffix(end) if end else word)
    return found

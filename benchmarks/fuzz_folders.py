"""Folders of images as other people have them, each with what reading it must give.

A folder is made of random images in one of many kinds of files, layouts and company (links, hidden
folders, results of priorscope, pipes). What must be read is written down while it is made, by
formulas of its own: which pixels stand in which class of which split, or that it must be refused.
"""

import io
import os
import random
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_images import JPEG, PIXELS, encoded
from PIL import Image

from priorscope.data.image_folder import image_folder
from priorscope.errors import InputError

CLASSES = ("ant", "bee", "caf\u00e9", "dog house", "\u65e5\u672c", "train", "valid", "Zebra")
PAIRS = (
    *(("train", "test"), ("Train", "Test"), ("TRAIN", "TEST"), ("training", "testing")),
    *(("training_set", "test_set"), ("TrainSet", "TestSet"), ("train_data", "test-data")),
    *(("train", "val"), ("Training", "Validation"), ("train", "valid"), ("train", "eval")),
)


@dataclass
class Folder:
    """A folder that is being made, and what must be read from it.

    Attributes
    ----------
    expected : (split, class) -> images, uint8 [16, 16, 3]; split "" where it is drawn by chance
    refused : whether it must be refused
    parameters : of `image_folder`
    words : that must stand in a note or warning
    overlap : what must be counted of copies
    tolerance : levels by which a pixel may be off
    """

    path: Path
    rng: random.Random
    expected: dict[tuple[str, str], list[np.ndarray]] = field(default_factory=dict)
    refused: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    overlap: dict[str, int] = field(default_factory=dict)
    tolerance: int = 1


def fill(folder: Folder, where: Path, split: str, name: str, pixels: str, number: int = 6) -> None:
    """Write images of one class, and what must be read from them."""
    make, suffix, *_ = PIXELS[pixels]
    for i in range(number):
        content, shown = make(folder.rng)
        deeper = where / "deeper" if folder.rng.random() < 0.2 else where
        deeper.mkdir(parents=True, exist_ok=True)
        (deeper / f"{i}{suffix}").write_bytes(content)
        key = split, unicodedata.normalize("NFC", name)
        folder.expected.setdefault(key, []).append(shown)


def choose_pixels(folder: Folder) -> str:
    """Choose a kind of pixels, and with it the range that it may need."""
    rng = folder.rng
    kind = rng.choice(list(PIXELS)) if rng.random() < 0.7 else "png"
    chosen = PIXELS[kind]
    if chosen.pixel_range and rng.random() < 0.7:
        folder.parameters["pixel_range"] = chosen.pixel_range
    elif chosen.pixel_range:
        folder.refused = True
    folder.words += [chosen.said] if chosen.said else []
    folder.tolerance = chosen.tolerance
    return kind


def some_classes(rng: random.Random, least: int = 2) -> list[str]:
    return rng.sample(CLASSES, rng.randint(least, 4))


def spelt(name: str, rng: random.Random) -> str:
    return unicodedata.normalize(rng.choice(("NFC", "NFD")), name)


def plain(folder: Folder) -> None:
    pixels = choose_pixels(folder)
    for name in some_classes(folder.rng):
        fill(folder, folder.path / spelt(name, folder.rng), "", name, pixels)
    hinted = {name for _, name in folder.expected} & {"train", "valid"}
    others = len({name for _, name in folder.expected}) - len(hinted)
    if len(hinted) == 2 or (hinted and not others):
        if folder.rng.random() < 0.5 and others:
            folder.parameters["classes"] = tuple(name for _, name in folder.expected)
        else:
            folder.refused = True


def splits(folder: Folder) -> None:
    rng, pixels = folder.rng, choose_pixels(folder)
    names, pair = some_classes(rng), rng.choice(PAIRS)
    for split, top in zip(("train", "test"), pair, strict=True):
        for name in names:
            number = 6 if split == "train" else 3
            fill(folder, folder.path / top / spelt(name, rng), split, name, pixels, number)
    if pair[1].lower() in ("val", "validation", "valid", "eval"):
        folder.words.append("is the test split")
    elif rng.random() < 0.4:
        left_out = rng.choice(("val", "Validation", "dev", "extra"))
        for name in names:
            beside = Folder(folder.path, rng)
            fill(beside, folder.path / left_out / name, "", name, "png", 2)
        folder.words.append("not read beside")
    if rng.random() < 0.2:
        (folder.path / pair[0]).rename(folder.path / "first half")
        (folder.path / pair[1]).rename(folder.path / "second half")
        if rng.random() < 0.7:
            folder.parameters |= {"train": "first half", "test": "second half"}
            folder.words = [word for word in folder.words if "split" not in word]
            folder.words = [word for word in folder.words if "beside" not in word]
        else:
            folder.refused = True


def other_classes(folder: Folder) -> None:
    """Let train and test have other classes, or names that differ in a blank."""
    rng, names = folder.rng, some_classes(folder.rng, 3)
    changed = rng.choice((names[0] + " ", names[0].upper() + "x", ""))
    for split in ("train", "test"):
        for name in names:
            said = changed if split == "test" and name == names[0] else name
            if said:
                fill(folder, folder.path / split / said, split, name, "png")
    folder.refused = True
    if not changed and rng.random() < 0.5:
        folder.parameters["classes"] = tuple(names[1:])
        folder.expected = {key: v for key, v in folder.expected.items() if key[1] != names[0]}
        folder.refused = False


def no_classes(folder: Folder) -> None:
    """Make folders that look like classes and are none."""
    rng = folder.rng
    tops = rng.choice(
        (
            *(("train", "test"), ("Train", "Val"), ("images", "labels"), ("img", "masks")),
            *(("train", "test", "sample"), ("train/images", "test/images"), ("images/train",)),
            *(
                ("train/images", "train/labels", "test/images", "test/labels"),
                ("train_a", "test_a"),
            ),
        )
    )
    for top in tops:
        fill(folder, folder.path / top, "", top, "png")
    folder.refused = True


def company(folder: Folder) -> None:
    """Put beside the classes what is none: results, caches, hidden and system folders."""
    names, rng = ["ant", "bee"], folder.rng
    for name in names:
        fill(folder, folder.path / name, "", name, "png")
    kinds = {
        "outputs/t": ("study.json",),
        "results": ("study.json",),
        "probes": ("examples.csv", "classes.txt"),
        "cached": ("CACHEDIR.TAG",),
        "venv": ("pyvenv.cfg",),
        "decoded": ("meta.json", "images.npy"),
        ".git": (),
        "__MACOSX": (),
    }
    for place in rng.sample(list(kinds), 3):
        beside = Folder(folder.path, rng)
        fill(beside, folder.path / place / "images", "", "x", "png")
        for mark in kinds[place]:
            (folder.path / place / mark).write_text("{}")
        if kinds[place]:
            folder.words.append("passed over")
    (folder.path / "ant" / "notes.txt").write_text("no image")
    (folder.path / "README").write_text("no image")
    folder.words.append("no images, passed over")
    if rng.random() < 0.5:
        os.mkfifo(folder.path / "bee" / "pipe.png")
        folder.words.append("never opened")


def links(folder: Folder) -> None:
    """Put links among the images: back, across, out, twice, or nowhere."""
    rng, path = folder.rng, folder.path
    outside = path.parent / f"{path.name}-outside"
    shutil.rmtree(outside, ignore_errors=True)
    for name in ("ant", "bee"):
        fill(folder, path / name, "", name, "png")
    kind = rng.choice(("up", "self", "across", "out", "file", "twice", "class", "lost", "sibling"))
    if kind == "out":
        fill(folder, outside, "", "ant", "png", 3)
        (path / "ant" / "more").symlink_to(outside)
        folder.words.append("followed")
    elif kind == "class":
        fill(folder, outside, "", "cow", "png")
        (path / "cow").symlink_to(outside)
        folder.words.append("followed")
    elif kind in ("file", "twice"):
        fill(Folder(path, rng), outside, "", "x", "png", 1)
        (only,) = outside.rglob("*.png")
        pixels = np.asarray(Image.open(only))
        folder.expected["", "ant"].append(pixels)
        (path / "ant" / "linked.png").symlink_to(only)
        if kind == "twice":
            (path / "bee" / "linked.png").symlink_to(only)
            folder.words.append("not followed")
    elif kind == "lost":
        (path / "bee" / "lost.png").symlink_to(outside / "none.png")
        folder.refused = True
    elif kind == "sibling":
        (path / "formica").symlink_to("ant")
        folder.refused = True
    else:
        target = {"up": "..", "self": ".", "across": "../bee"}[kind]
        for name in ("ant", "bee") if kind == "up" else ("ant",):
            (path / name / "link").symlink_to(target)
        folder.words.append("not followed")


def copies(folder: Folder) -> None:
    """Copy some training images into the test split, some of them stored anew or mislabeled."""
    rng = folder.rng
    noise = np.random.default_rng(rng.randrange(2**32))
    exact, near, wrong = (rng.randint(0, 4) for _ in range(3))
    for split, number in (("train", 12), ("test", 6)):
        for name in ("ant", "bee"):
            (folder.path / split / name).mkdir(parents=True)
            for i in range(number):
                pixels = noise.integers(0, 256, (16, 16, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder.path / split / name / f"{i}.png")
                folder.expected.setdefault((split, name), []).append(pixels)
    trained = [*folder.expected["train", "ant"]]
    for i, pixels in enumerate(trained[: exact + near + wrong]):
        name = "ant" if i < exact + near else "bee"
        form, options = ("JPEG", JPEG) if exact <= i < exact + near else ("PNG", {})
        content = encoded(Image.fromarray(pixels), form, **options)
        (folder.path / "test" / name / f"copy{i}.{form.lower()}").write_bytes(content)
        folder.expected["test", name].append(np.asarray(Image.open(io.BytesIO(content))))
    folder.overlap = {
        "exact_in_train": exact + wrong,
        "near_in_train": near,
        "exact_in_test": 0,
        "near_in_test": 0,
        "two_labels": wrong,
    }


def damaged(folder: Folder) -> None:
    """Put a file among the images that is none, or the first half of one."""
    for name in ("ant", "bee"):
        fill(folder, folder.path / name, "", name, "png")
    content, _ = PIXELS["png"].make(folder.rng)
    half = content[: len(content) // 2]
    whole = folder.rng.choice((b"", folder.rng.randbytes(99), half))
    (folder.path / "bee" / "damaged.png").write_bytes(whole)
    folder.refused = True


MUTATIONS: dict[str, Callable[[Folder], None]] = {
    "folder of classes": plain,
    "folder of splits": splits,
    "folder of other classes": other_classes,
    "folder of no classes": no_classes,
    "folder with company": company,
    "folder with links": links,
    "folder with copies": copies,
    "damaged folder": damaged,
}


def read_folder(name: str, scratch: Path, seed: int) -> str:
    """Make a folder by a mutation, read it, and compare; return valid or refused.

    Raises
    ------
    AssertionError : something else was read than was made, or it was not refused
    """
    rng = random.Random(f"{name} {seed}")
    folder = Folder(scratch / "folders" / "set", rng)
    shutil.rmtree(folder.path.parent, ignore_errors=True)
    folder.path.mkdir(parents=True)
    os.environ["PRIORSCOPE_CACHE"] = str(folder.path.parent / "cache")
    MUTATIONS[name](folder)
    try:
        found = image_folder(root=folder.path.parent, path="set", **folder.parameters)
    except InputError:
        if not folder.refused:
            raise AssertionError(f"refused, seed {seed}") from None
        raise
    assert not folder.refused, "it was read"
    compare(folder, found)
    said = "\n".join((*found.notes, *found.warnings))
    for word in folder.words:
        assert word in said, f"{word!r} is not said: {said}"
    for key, number in folder.overlap.items():
        counted = getattr(found.overlap, key)
        assert counted == number, f"{key}: {counted}, and not {number}"
    return "valid"


def compare(folder: Folder, found: Any) -> None:
    """Match every image that was read with one that was made, each once."""
    left = {key: list(images) for key, images in folder.expected.items()}
    for split, images in (("train", found.train), ("test", found.test)):
        for pixels, label in zip(images.images, images.labels, strict=True):
            name = images.class_names[label]
            of_class = left.get((split, name)) or left.get(("", name)) or []
            for i, expected in enumerate(of_class):
                if np.abs(expected.astype(int) - pixels).max() <= folder.tolerance:
                    del of_class[i]
                    break
            else:
                raise AssertionError(f"an image of {name} in {split} that was not made")
    missing = {key: len(images) for key, images in left.items() if images}
    assert not missing, f"not read: {missing}"

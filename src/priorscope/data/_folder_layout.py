"""Find the folders of training and of test images, or refuse what may be read in two ways."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from priorscope.data._class_folders import subfolders
from priorscope.data._folder_names import (
    class_name,
    hints_at,
    is_hidden,
    quoted,
    refuse_images_and_labels,
    role_of,
)
from priorscope.data._image_kind import is_image
from priorscope.errors import InputError, did_you_mean

_ALLOWED = "<class>/* or train/<class>/* and test/<class>/*"


@dataclass(frozen=True)
class Layout:
    """Where the class folders lie, and what is to be said of it.

    Attributes
    ----------
    train : the folder of class folders of training images, or of all where there is no other
    test : that of test images, or None where a part of `train` becomes the test split
    notes : one line each
    """

    train: Path
    test: Path | None
    notes: tuple[str, ...] = ()


def find_layout(
    folder: Path,
    *,
    train: str | None = None,
    test: str | None = None,
    classes: Collection[str] | None = None,
) -> Layout:
    """Find the class folders in a folder: in those of its splits, or in itself.

    Names of splits are read in any case: train, training; test, testing; val, valid, validation,
    dev, eval, evaluation; also as TestSet, train_data or val2017. Beside train and test, val is
    left out; beside train alone it is the test split.

    Parameters
    ----------
    train, test : the folders of the splits, relative to `folder`; both or neither
    classes : names of class folders; where all of them lie in `folder` itself, it has no splits

    Raises
    ------
    InputError : not a folder, or no clear reading; names the keys that settle it
    OSError : something cannot be read
    """
    if train is not None or test is not None:
        return _given(folder, train, test)
    names = subfolders(folder)
    if classes is not None and set(classes) <= {class_name(name) for name in names}:
        return Layout(folder, None)
    if classes is None:
        refuse_images_and_labels(names, where=folder)
    kinds = {name: _kinds(folder / name) for name in names if hints_at(name)}
    others = [name for name in names if name not in kinds]
    clear = _clear_splits([name for name in names if role_of(name)])
    if (
        clear
        and all("folders" in kinds[name] for name in clear)
        and not (others and any("images" in kinds[name] for name in clear))
    ):
        return _layout(folder, clear, names)
    # Beside other classes, one that is called train or train_station is known by its images.
    unclear = [name for name in kinds if role_of(name) or not others or "images" not in kinds[name]]
    roles = set().union(*map(hints_at, unclear))
    if unclear and (not others or len(roles) > 1 or any("images" not in kinds[n] for n in unclear)):
        raise _unclear(folder, unclear, names)
    if classes is None and (shared := _shared_folders(folder, names)):
        error = _unclear(folder, names, names)
        error.found = f"each of {_listed(names)} holds {_listed(shared)}"
        raise error
    return Layout(folder, None)


def _given(folder: Path, train: str | None, test: str | None) -> Layout:
    if train is None or test is None:
        raise InputError(
            "train and test go together",
            where="train" if test is None else "test",
            found="one of them alone",
            hint="where one folder holds all images, name it as the path",
        )
    parts = {"train": folder / train, "test": folder / test}
    for key, part in parts.items():
        if not part.is_dir():
            names = subfolders(folder)
            raise InputError(
                "no such folder",
                where=key,
                found=part,
                allowed=f"a folder in {folder}, such as {', '.join(names[:8])}" if names else None,
                hint=did_you_mean({"train": train, "test": test}[key], names),
            )
    real = {key: Path(os.path.realpath(part)) for key, part in parts.items()}
    if real["train"].is_relative_to(real["test"]) or real["test"].is_relative_to(real["train"]):
        raise InputError(
            "the folders of train and test overlap",
            where="train",
            found=f"{parts['train']} and {parts['test']}",
        )
    return Layout(parts["train"], parts["test"])


def _clear_splits(names: Sequence[str]) -> tuple[str, str] | None:
    """Pair training and test folder, or None where names leave it open."""
    of = {
        role: [name for name in names if role_of(name) == role] for role in ("train", "test", "val")
    }
    if len(of["train"]) == 1 and len(of["test"] or of["val"]) == 1:
        return of["train"][0], (of["test"] or of["val"])[0]
    return None


def _layout(folder: Path, clear: tuple[str, str], names: Sequence[str]) -> Layout:
    train, test = clear
    notes = []
    if role_of(test) == "val":
        notes.append(
            f"{quoted(test)} is the test split: there is no folder of test images beside it"
        )
    rest = [name for name in names if name not in clear]
    if rest:
        notes.append(f"not read beside {quoted(train)} and {quoted(test)}: {_listed(rest)}")
    if os.path.realpath(folder / train) == os.path.realpath(folder / test):
        raise InputError(
            "the folders of train and test are one",
            where=folder,
            found=f"{quoted(train)} and {quoted(test)}, of which one is a link",
        )
    return Layout(folder / train, folder / test, tuple(notes))


def _kinds(folder: Path) -> set[str]:
    """Tell whether a folder holds folders, images, or both."""
    kinds: set[str] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if not is_hidden(entry.name):
                    kinds.add("folders")
            elif _is_shown_image(entry):
                kinds.add("images")
            if len(kinds) == 2:
                break
    return kinds


def _is_shown_image(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.is_file() and is_image(entry.path)


def _shared_folders(folder: Path, names: Sequence[str]) -> list[str]:
    """List the folders that all of several folders hold, if they hold no images beside them.

    One alone is how some sort the images of a class; several are classes in splits or domains.
    """
    shared: set[str] | None = None
    for name in names:
        inside: set[str] = set()
        with os.scandir(folder / name) as entries:
            for entry in entries:
                if entry.is_dir():
                    inside |= set() if is_hidden(entry.name) else {class_name(entry.name)}
                elif _is_shown_image(entry):
                    return []
        shared = inside if shared is None else shared & inside
        if len(shared) < 2:
            return []
    return sorted(shared or ()) if len(names) > 1 else []


def _unclear(folder: Path, splits: Sequence[str], names: Sequence[str]) -> InputError:
    if len(splits) == 1 and len(names) == 1:
        problem = "train/ and test/ go together"
        found = f"{splits[0]}/ alone"
    else:
        problem = "folders that may be splits or classes"
        found = f"{_listed(splits)} of {_listed(names)}"
    return InputError(
        problem,
        where=folder,
        found=found,
        allowed=_ALLOWED,
        hint="say which: train: and test: name the folders of the splits, "
        "classes: [...] those of the classes",
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(quoted, names[:8])) + (", ..." if len(names) > 8 else "")

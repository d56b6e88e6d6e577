"""Files of weights that other tools wrote: read without executing anything of them."""

import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import safe_open

from priorscope.errors import InputError

_NESTED = ("state_dict", "model", "model_state", "model_state_dict")
_PREFIXES = ("module.", "_orig_mod.")  # of DataParallel, and of torch.compile
_NAMES = ("class_names", "classes", "label_names", "labels", "id2label", "class_to_idx")
_ALLOWED = "a .safetensors file, or a state_dict that torch.save wrote"
_BEGINNINGS = (b"PK", b"\x80")  # of an archive of torch.save, and of a pickle
MOST_NAMED = 3


@dataclass(frozen=True, eq=False)
class StateFile:
    """What a file of weights holds.

    Attributes
    ----------
    state : key -> tensor, on the CPU
    class_names : of the outputs in their order, where the file says them
    notes : what was done to read it, a line each
    """

    state: Mapping[str, torch.Tensor]
    class_names: tuple[str, ...] | None
    notes: tuple[str, ...]


def read_state(path: Path, where: str) -> StateFile:
    """Read a file of weights: safetensors, or what `torch.load(weights_only=True)` reads.

    Raises
    ------
    InputError : it is none, needs code to be read, or holds other things than weights
    """
    try:
        if path.suffix == ".safetensors" or _looks_like_safetensors(path):
            with safe_open(path, framework="pt") as file:
                about: Mapping[str, Any] = file.metadata() or {}
                content: Any = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        else:
            with warnings.catch_warnings():  # of a pickle's protocol: said below in other words
                warnings.simplefilter("ignore")
                content = torch.load(path, map_location="cpu", weights_only=True)
            about = content if isinstance(content, Mapping) else {}
    except UnpicklingError as error:
        if not path.read_bytes()[:2].startswith(_BEGINNINGS):
            raise _unreadable(path, error, where) from None
        raise InputError(
            "a pickle that holds more than weights: reading it would execute code of the file, and "
            "nothing of it was executed",
            where=where,
            found=path,
            allowed=_ALLOWED,
            hint="where you trust it, write its weights alone: torch.save(model.state_dict(), ...)",
        ) from None
    except Exception as error:
        raise _unreadable(path, error, where) from None
    notes: list[str] = []
    state = _unwrapped(content, path, where, notes)
    for prefix in _prefixes(state):
        state = {key.removeprefix(prefix): value for key, value in state.items()}
        notes.append(f"`{prefix}` was taken off all keys of {path.name}")
    return StateFile(state, _class_names(about), tuple(notes))


def _unreadable(path: Path, error: Exception, where: str) -> InputError:
    return InputError(
        "a file of weights cannot be read",
        where=where,
        found=f"{path} ({type(error).__name__}: {str(error).partition(chr(10))[0]})",
        allowed=_ALLOWED,
    )


def _looks_like_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(9)
    length = int.from_bytes(head[:8], "little")
    return head[8:] == b"{" and length < path.stat().st_size


def _unwrapped(
    content: Any, path: Path, where: str, notes: list[str]
) -> Mapping[str, torch.Tensor]:
    """Find the state dict in what was read, and say where it stood."""
    inside = path.name
    while isinstance(content, Mapping) and not _is_state(content):
        nested = [key for key in _NESTED if isinstance(content.get(key), Mapping)]
        if len(nested) != 1:
            break
        others = [str(key) for key in content if key != nested[0]]
        beside = f"; {few(others)} beside it {_verb(others)} not used" if others else ""
        notes.append(f"the weights stand under `{nested[0]}` of {inside}{beside}")
        content, inside = content[nested[0]], f"`{nested[0]}`"
    if isinstance(content, Mapping) and _is_state(content):
        return content
    found = type(content).__name__
    if isinstance(content, Mapping):
        strange = {str(k): v for k, v in content.items() if not isinstance(v, torch.Tensor)}
        found = f"{few(f'{k}: {type(v).__name__}' for k, v in strange.items()) or 'nothing'}"
    raise InputError(
        "a file that holds no weights, or more than one network's",
        where=where,
        found=f"{path}: {found}",
        allowed=f"tensors by their keys, alone or under one of {', '.join(_NESTED)}",
    )


def _is_state(content: Mapping[Any, Any]) -> bool:
    return bool(content) and all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in content.items()
    )


def _prefixes(state: Iterable[str]) -> list[str]:
    found, keys = [], list(state)
    while True:
        common = [p for p in _PREFIXES if all(key.startswith(p) and key != p for key in keys)]
        if not common:
            return found
        found.append(common[0])
        keys = [key.removeprefix(common[0]) for key in keys]


def _class_names(about: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Find the names of the outputs in metadata: a list, or a mapping from or to their numbers."""
    for key in _NAMES:
        value = about.get(key)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                continue
        if isinstance(value, Mapping):
            if key == "class_to_idx":
                value = {number: name for name, number in value.items()}
            try:
                by_number = {int(number): name for number, name in value.items()}
            except (TypeError, ValueError):
                continue
            value = [by_number.get(number) for number in range(len(by_number))]
        if isinstance(value, list | tuple) and value:
            names = tuple(each for each in value if isinstance(each, str))
            return names if len(names) == len(value) else None
    return None


def few(names: Iterable[str]) -> str:
    """List the first names, and say where there are more."""
    listed = list(names)
    return ", ".join(listed[:MOST_NAMED]) + ", ..." * (len(listed) > MOST_NAMED)


def _verb(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"

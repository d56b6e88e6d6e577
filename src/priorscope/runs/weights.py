"""Files of weights that other tools wrote: read without executing anything, and fitted to a model.

Nothing is guessed: a key, a shape or a number that does not belong is refused by its name.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import safe_open
from torch import nn

from priorscope.errors import InputError

_NESTED = ("state_dict", "model", "model_state", "model_state_dict")
_PREFIXES = ("module.", "_orig_mod.")  # of DataParallel, and of torch.compile
_NAMES = ("class_names", "classes", "label_names", "labels", "id2label", "class_to_idx")
_UNUSED = "num_batches_tracked"  # counted in training, and used by no answer
_EXACT = {torch.float16, torch.bfloat16}  # become float32 without loss
_ALLOWED = "a .safetensors file, or a state_dict that torch.save wrote"
_MOST_NAMED = 3


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
            content = torch.load(path, map_location="cpu", weights_only=True)
            about = content if isinstance(content, Mapping) else {}
    except UnpicklingError:
        raise InputError(
            "a pickle that holds more than weights: reading it would execute code of the file, and "
            "nothing of it was executed",
            where=where,
            found=path,
            allowed=_ALLOWED,
            hint="where you trust it, write its weights alone: torch.save(model.state_dict(), ...)",
        ) from None
    except Exception as error:
        raise InputError(
            "a file of weights cannot be read",
            where=where,
            found=f"{path} ({type(error).__name__}: {str(error).partition(chr(10))[0]})",
            allowed=_ALLOWED,
        ) from None
    notes: list[str] = []
    state = _unwrapped(content, path, where, notes)
    for prefix in _prefixes(state):
        state = {key.removeprefix(prefix): value for key, value in state.items()}
        notes.append(f"`{prefix}` was taken off all keys of {path.name}")
    return StateFile(state, _class_names(about), tuple(notes))


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
        beside = f"; {_listed(others)} beside it {_verb(others)} not used" if others else ""
        notes.append(f"the weights stand under `{nested[0]}` of {inside}{beside}")
        content, inside = content[nested[0]], f"`{nested[0]}`"
    if isinstance(content, Mapping) and _is_state(content):
        return content
    found = type(content).__name__
    if isinstance(content, Mapping):
        strange = {str(k): v for k, v in content.items() if not isinstance(v, torch.Tensor)}
        found = f"{_listed(f'{k}: {type(v).__name__}' for k, v in strange.items()) or 'nothing'}"
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


def num_outputs(model: nn.Module, file: StateFile, num_classes: int) -> int:
    """Count the outputs of the network in a file by the shapes in which it differs from a model.

    Parameters
    ----------
    model : built with `num_classes` outputs

    Returns
    -------
    `num_classes`, unless the first axis alone of some weights has another length in the file, one
    length throughout: these are the head
    """
    lengths = {len(file.state[key]) for key in _head(model, file, num_classes)}
    return lengths.pop() if len(lengths) == 1 else num_classes


def load_state(
    model: nn.Module, file: StateFile, where: str, *, new_head: int | None = None
) -> tuple[str, ...]:
    """Fill a model with the weights of a file, every one of them.

    Parameters
    ----------
    new_head : the number of classes, where the weights of a head for another number are to stay as
        the model has them

    Returns
    -------
    the keys that stayed as the model has them

    Raises
    ------
    InputError : a key is missing or unexpected, a shape or type is another, or a number is not
        finite
    """
    expected = dict(model.state_dict())
    anew = () if new_head is None else _head(model, file, new_head)
    state = {key: value for key, value in file.state.items() if key not in anew}
    _check_keys(expected, file.state, where)
    for key, value in state.items():
        wanted = expected[key]
        if value.shape != wanted.shape:
            raise InputError(
                "weights of another shape than the model's",
                where=where,
                found=f"{key} {list(value.shape)}",
                allowed=f"{list(wanted.shape)}",
                hint="the parameters of the model, or its image size, are not those of the weights",
            )
        exact = value.dtype == wanted.dtype or (
            value.dtype in _EXACT and wanted.dtype == torch.float32
        )
        if not exact and not key.endswith(_UNUSED):
            raise InputError(
                "weights of another type than the model's",
                where=where,
                found=f"{key}: {_type(value)}",
                allowed=f"{_type(wanted)}, or float16 and bfloat16 where that is float32",
            )
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            bad = int((~torch.isfinite(value)).sum())
            raise InputError(
                "weights that are not finite",
                where=where,
                found=f"{key}: {bad:,} of {value.numel():,} values",
                allowed="finite numbers",
            )
    model.load_state_dict(state, strict=False)
    return anew


def state_digest(model: nn.Module) -> str:
    """Hash all stored values of a network: equal networks have equal ones, however they are filed.

    How often a batch norm has counted batches is left out.
    """
    total = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        if isinstance(value, torch.Tensor) and not key.endswith(_UNUSED):
            total.update(f"{key} {value.dtype} {list(value.shape)}\n".encode())
            flat = value.detach().cpu().contiguous().view(-1).view(torch.uint8)
            total.update(flat.numpy().data)
    return total.hexdigest()


def _head(model: nn.Module, file: StateFile, num_classes: int) -> tuple[str, ...]:
    """Name the weights of a head for another number of classes; none where others differ too."""
    expected = model.state_dict()
    differing = {
        key: value
        for key, value in file.state.items()
        if key in expected and value.shape != expected[key].shape
    }
    alike = all(
        value.ndim
        and len(expected[key].shape) == value.ndim
        and len(expected[key]) == num_classes
        and value.shape[1:] == expected[key].shape[1:]
        for key, value in differing.items()
    )
    one_length = len({value.shape[:1] for value in differing.values()}) == 1
    return tuple(differing) if alike and one_length else ()


def _check_keys(
    expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor], where: str
) -> None:
    """Refuse keys that are missing or unexpected, but for those that share a present one's memory.

    Raises
    ------
    InputError : names keys with their shapes, and the nearest
    """
    present = {_memory(value) for key, value in expected.items() if key in found}
    missing = [
        key
        for key, value in expected.items()
        if key not in found and not key.endswith(_UNUSED) and _memory(value) not in present
    ]
    unexpected = [key for key in found if key not in expected]
    if not missing and not unexpected:
        return
    parts = []
    for what, keys, of in (("missing", missing, expected), ("unexpected", unexpected, found)):
        if keys:
            named = _listed(f"{key} {list(of[key].shape)}" for key in keys)
            parts.append(f"{what} {named}" + f" ({len(keys)} keys)" * (len(keys) > _MOST_NAMED))
    key, others = (missing[0], unexpected) if missing else (unexpected[0], list(expected))
    near = get_close_matches(key, others, n=1, cutoff=0.5)
    hint = f"nearest to {key} is {near[0]}" if near else None
    prefix = next(iter(found)).partition(".")[0] + "."
    if all(name.startswith(prefix) and name[len(prefix) :] in expected for name in found):
        hint = f"all keys begin with `{prefix}`: take it off"
    raise InputError(
        "weights of another model: the keys are not the same",
        where=where,
        found="; ".join(parts),
        allowed=f"the {len(expected)} keys of the model",
        hint=hint,
    )


def _memory(tensor: torch.Tensor) -> tuple[int, torch.Size]:
    return tensor.data_ptr(), tensor.shape


def _type(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_MOST_NAMED]) + ", ..." * (len(listed) > _MOST_NAMED)


def _verb(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"

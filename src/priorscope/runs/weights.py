"""Weights from a file fitted to a model, every one of them.

Nothing is guessed: a key, a shape or a number that does not belong is refused by its name.
"""

import hashlib
from collections.abc import Mapping
from difflib import get_close_matches

import torch
from torch import nn

from priorscope.errors import InputError
from priorscope.runs.weight_files import MOST_NAMED, StateFile, few

_UNUSED = "num_batches_tracked"  # counted in training, and used by no answer
_EXACT = {torch.float16, torch.bfloat16}  # become float32 without loss


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
            named = few(f"{key} {list(of[key].shape)}" for key in keys)
            parts.append(f"{what} {named}" + f" ({len(keys)} keys)" * (len(keys) > MOST_NAMED))
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

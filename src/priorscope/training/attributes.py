"""What the modules of a model keep beside their parameters and buffers, as comparable values."""

import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

_OF_MODULES = frozenset(vars(nn.Module()))  # attributes that every module has
_DEEPEST = 6  # of containers in attributes
_LARGEST = 2**20  # bytes of an array that is compared by what it holds
_PLAIN = (bool, int, float, str, list, tuple, dict, set, deque, np.ndarray, random.Random)
# Keep no state in their files and classes that a step changes.
_LIBRARIES = {"builtins", "priorscope", "timm", "torch", "torchvision", "transformers"}

Opaque = Callable[[Any], Any]  # what an object counts as that is neither plain nor a container


def own_attributes(model: nn.Module, opaque: Opaque) -> dict[str, Any]:
    """Compare all attributes of modules by value: `path.name` -> what differs when it does.

    Parameters
    ----------
    opaque : what tensors, generators and other objects count as
    """
    seen: set[int] = set()
    return {
        f"{path}.{name}" if path else name: comparable(value, opaque, seen)
        for path, module in model.named_modules()
        for name, value in vars(module).items()
        if name not in _OF_MODULES
    }


def shared_values(model: nn.Module, opaque: Opaque) -> dict[str, Any]:
    """Do the same for plain values that modules share with others of their class and their file."""
    classes = {cls for module in model.modules() for cls in type(module).__mro__}
    own = [cls for cls in classes if cls.__module__.partition(".")[0] not in _LIBRARIES]
    globals_of = [getattr(vars(cls).get("forward"), "__globals__", None) for cls in own]
    files = {id(values): values for values in globals_of if values is not None}
    owners = [
        *((f"{cls.__qualname__}.", vars(cls)) for cls in own),
        *(("", f) for f in files.values()),
    ]
    seen: set[int] = set()
    return {
        f"{prefix}{name}": comparable(value, opaque, seen)
        for prefix, values in owners
        for name, value in values.items()
        if isinstance(value, _PLAIN) and not name.startswith("__")
    }


def comparable(value: Any, opaque: Opaque, seen: set[int], depth: int = 0) -> Any:
    """Turn an attribute into what differs when it does."""
    match value:
        case None | bool() | int() | float() | complex() | str() | bytes():
            return repr(value)
        case np.ndarray() if value.nbytes <= _LARGEST:
            return value.shape, value.tobytes()
        case random.Random():
            return value.getstate()
        case np.random.Generator():
            return repr(value.bit_generator.state)
        case np.random.RandomState():
            return repr(value.get_state())
        case torch.Tensor() | torch.Generator() | nn.Module() | type() | ModuleType():
            return opaque(value)
    if depth == _DEEPEST or id(value) in seen:
        return opaque(value)
    seen.add(id(value))
    parts = [comparable(part, opaque, seen, depth + 1) for part in _parts(value, opaque)]
    return type(value), parts


def _parts(value: Any, opaque: Opaque) -> Iterator[Any]:
    """List what a container or an object holds."""
    if isinstance(value, Mapping):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset | deque):
        yield from value
    elif not callable(value):
        yield from vars(value).values() if hasattr(value, "__dict__") else (opaque(value),)

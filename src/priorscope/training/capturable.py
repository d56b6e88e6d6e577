"""Whether a CUDA graph would do again all that a step does.

A graph repeats kernels on the addresses that they had, and no Python. What a step decides or
remembers on the host is frozen in it without a word: a random number of Python's or NumPy's, a
counter in an attribute, a buffer that is replaced and not written into. What reads a value back
from the device cannot be captured at all, and an attempt would leave PyTorch in disorder. All of
this shows in a step that is watched while it is executed eagerly.
"""

import random
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

from priorscope.training.streams import stream_states

_OF_MODULES = frozenset(vars(nn.Module()))  # attributes that every module has
_DEEPEST = 6  # of containers in attributes
_LARGEST = 2**20  # bytes of an array that is compared by what it holds
_PLAIN = (bool, int, float, str, list, tuple, dict, set, deque, np.ndarray, random.Random)
_LIBRARIES = {
    "builtins",
    "priorscope",
    "timm",
    "torch",
    "torchvision",
    "transformers",
}  # keep no such state
_WAITS = "called a synchronizing CUDA operation"
_MODE = "Synchronization debug mode"  # PyTorch's word on how it finds them


def what_a_graph_would_freeze(
    model: nn.Module, device: torch.device, step: Callable[[], None]
) -> str | None:
    """Execute a step, and say what in it a graph would not do again; None where there is nothing.

    Call it when the step has been executed before: what a model makes once and keeps is no matter.
    Attributes of modules and their classes are looked at, and the globals of files that libraries
    did not bring; state in other places, such as a closure, is not seen.
    """
    before = _on_the_host(model, device)
    waits = _waits_in(step)
    after = _on_the_host(model, device)
    changed = [place for place in (*before, *after) if before.get(place) != after.get(place)]
    if changed:
        return f"a step changes {changed[0]} on the host"
    return "a step reads a value back from the device" if waits else None


def generators_in(model: nn.Module, device: torch.device) -> list[torch.Generator]:
    """List the random generators on a device that a model's modules keep in their attributes."""
    kept = (value for module in model.modules() for value in vars(module).values())
    own = (each for each in kept if isinstance(each, torch.Generator))
    return [each for each in own if each.device.type == device.type]


def _waits_in(step: Callable[[], None]) -> bool:
    """Tell whether the host waits for the device in a step; other warnings are passed on."""
    mode = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            step()
        finally:
            torch.cuda.set_sync_debug_mode(mode)
    waits = False
    for each in said:
        waits |= _WAITS in str(each.message)
        if not any(words in str(each.message) for words in (_WAITS, _MODE)):
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    return waits


def _on_the_host(model: nn.Module, device: torch.device) -> dict[str, Any]:
    """Return all that a step may change without a kernel: place -> a value that can be compared."""
    python, (key, *rest), on_cpu, _ = stream_states(device)
    found: dict[str, Any] = {
        "Python's random stream": python,
        "NumPy's random stream": (key.numpy().tobytes(), *rest),
    }
    if device.type != "cpu":
        found["the CPU's random stream"] = on_cpu.numpy().tobytes()
    seen: set[int] = set()
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if name not in _OF_MODULES:
                found[f"{path}.{name}" if path else name] = _comparable(value, device, seen)
        for name, tensor in (module._parameters | module._buffers).items():
            found[f"{path}.{name}" if path else name] = id(tensor)
    for place, value in _shared(model):
        found[place] = _comparable(value, device, seen)
    return found


def _shared(model: nn.Module) -> Iterator[tuple[str, Any]]:
    """Yield the plain values that modules share with others of their class, and with their file."""
    classes = {cls for module in model.modules() for cls in type(module).__mro__}
    own = [cls for cls in classes if cls.__module__.partition(".")[0] not in _LIBRARIES]
    globals_of = [getattr(vars(cls).get("forward"), "__globals__", None) for cls in own]
    files = {id(values): values for values in globals_of if values is not None}
    owners = [
        *((f"{cls.__qualname__}.", vars(cls)) for cls in own),
        *(("", f) for f in files.values()),
    ]
    for prefix, values in owners:
        for name, value in values.items():
            if isinstance(value, _PLAIN) and not name.startswith("__"):
                yield f"{prefix}{name}", value


def _comparable(value: Any, device: torch.device, seen: set[int], depth: int = 0) -> Any:
    """Turn an attribute into what differs when it does; a tensor counts as the place it lies in."""
    match value:
        case None | bool() | int() | float() | complex() | str() | bytes():
            return repr(value)
        case np.ndarray() if value.nbytes <= _LARGEST:
            return value.shape, value.tobytes()
        case torch.Generator():
            return id(value) if value.device == device else value.get_state().numpy().tobytes()
        case random.Random():
            return value.getstate()
        case np.random.Generator():
            return repr(value.bit_generator.state)
        case np.random.RandomState():
            return repr(value.get_state())
        case torch.Tensor() | nn.Module() | type() | ModuleType():
            return id(value)
    if depth == _DEEPEST or id(value) in seen:
        return id(value)
    seen.add(id(value))
    return type(value), [_comparable(part, device, seen, depth + 1) for part in _parts(value)]


def _parts(value: Any) -> Iterator[Any]:
    """List what a container or an object holds."""
    if isinstance(value, Mapping):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset | deque):
        yield from value
    elif not callable(value):
        yield from vars(value).values() if hasattr(value, "__dict__") else (id(value),)

"""Whether a CUDA graph would do again all that a step does.

A graph repeats kernels on the addresses that they had, and no Python. What a step decides or
remembers on the host is frozen in it without a word: a random number of Python's or NumPy's, a
counter in an attribute, a buffer that is replaced and not written into. What reads a value back
from the device cannot be captured at all, and an attempt would leave PyTorch in disorder. All of
this shows in a step that is watched while it is executed eagerly.
"""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from priorscope.training.attributes import own_attributes, shared_values
from priorscope.training.streams import stream_states

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
    """Return all that a step may change without a kernel: place -> a value that can be compared.

    A tensor counts as the place that it lies in, as does a generator of the device.
    """

    def opaque(value: Any) -> Any:
        if isinstance(value, torch.Generator) and value.device != device:
            return value.get_state().numpy().tobytes()
        return id(value)

    python, (key, *rest), on_cpu, _ = stream_states(device)
    found: dict[str, Any] = {
        "Python's random stream": python,
        "NumPy's random stream": (key.numpy().tobytes(), *rest),
    }
    if device.type != "cpu":
        found["the CPU's random stream"] = on_cpu.numpy().tobytes()
    found |= own_attributes(model, opaque)
    for path, module in model.named_modules():
        for name, tensor in (module._parameters | module._buffers).items():
            found[f"{path}.{name}" if path else name] = id(tensor)
    return found | shared_values(model, opaque)

"""In which order a model's weights and inputs lie in memory: channels last, unless it cannot."""

from typing import Any, Literal

import torch
from torch import nn

MemoryFormat = Literal["channels_last", "contiguous"]
FORMATS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}


def stay_contiguous(model: nn.Module) -> nn.Module:
    """Let a model's weights and inputs lie as PyTorch makes them, wherever it is called.

    Some operations end the whole process on maps whose channels come last.
    """
    model.memory_format = "contiguous"  # type: ignore[assignment]
    model.register_forward_pre_hook(_contiguous)
    return model


def lay_out(model: nn.Module, device: torch.device) -> nn.Module:
    """Bring a model to a device, with its weights in the order that it is trained in."""
    memory_format = FORMATS[memory_format_of(model)]
    return model.to(device, memory_format=memory_format)  # type: ignore[call-overload]


def memory_format_of(model: nn.Module) -> MemoryFormat:
    """Say in which order the model's weights and inputs lie while it trains."""
    return "contiguous" if getattr(model, "memory_format", "") == "contiguous" else "channels_last"


def _contiguous(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(x.contiguous() if isinstance(x, torch.Tensor) else x for x in inputs)

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
    """Bring a model to a device, with its maps' weights in the order that it is trained in."""
    memory_format, model = FORMATS[memory_format_of(model)], model.to(device)
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            # A module's own `to` fails on weights of convolutions over volumes.
            if tensor.ndim == 4 and tensor.is_floating_point():
                tensor.data = tensor.data.contiguous(memory_format=memory_format)
    return model


def memory_format_of(model: nn.Module) -> MemoryFormat:
    """Say in which order the model's weights and inputs lie while it trains."""
    return "contiguous" if getattr(model, "memory_format", "") == "contiguous" else "channels_last"


def _contiguous(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(x.contiguous() if isinstance(x, torch.Tensor) else x for x in inputs)

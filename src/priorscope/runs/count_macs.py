"""Count what a forward pass multiplies and adds."""

import torch
from torch import nn

from priorscope.training.compiler import leave_compiler_out


def count_macs(model: nn.Module, images: torch.Tensor) -> int | None:
    """Count multiply-accumulates for one of two images; None where PyTorch's counter fails."""
    from torch.utils.flop_counter import FlopCounterMode  # slow to import; most never count

    # The counter does not know the fused attention of the CPU, so the plain form is counted.
    plain_attention = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
    trainable = [p for p in model.parameters() if p.requires_grad]
    model.requires_grad_(False)  # it trips over views of weights that want a gradient
    try:
        with torch.no_grad(), plain_attention, FlopCounterMode(display=False) as counter:
            leave_compiler_out(getattr(counter.mode, "__torch_dispatch__", None))
            model(images)
    except Exception:  # a user's module may do what no counter expects
        return None
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
    return counter.get_total_flops() // 4

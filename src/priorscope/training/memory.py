"""What to do when memory runs out in a step: the same batch in smaller parts."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from priorscope.errors import PriorscopeWarning, RunFailed, out_of_memory
from priorscope.training import distributed
from priorscope.training.streams import restore_streams, stream_states


class SmallerMicroBatch(PriorscopeWarning):
    """Memory did not suffice for the recipe's micro-batch."""


def smaller(micro_batch_size: int, error: Exception) -> int:
    """Halve what passes through the model at once, when that is what an error asks for.

    Raises
    ------
    RunFailed : one example does not fit, or other processes wait for this one's gradients
    Exception : the error is another one
    """
    if not out_of_memory(error):
        raise error
    if distributed.world_size() > 1 or micro_batch_size == 1:
        raise RunFailed(
            f"out of memory with {micro_batch_size} images at once"
            + (": set recipe.micro_batch_size" if micro_batch_size > 1 else "")
        ) from error
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    half = math.ceil(micro_batch_size / 2)
    warnings.warn(
        SmallerMicroBatch(
            f"out of memory: {half} images pass through the model at once from here on, in batches "
            "as large as before; batch norm, if there is any, sees the smaller number"
        ),
        stacklevel=3,
    )
    return half


@contextmanager
def out_of_memory_in(what: str) -> Iterator[None]:
    """Say where memory ran out, where smaller parts would not help.

    Raises
    ------
    RunFailed : it did
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise RunFailed(f"out of memory in {what}") from error


class Undo:
    """Take back what a step that did not fit has changed: buffers, such as moments, and streams.

    Its gradients are thrown away by the step itself. A process that does not try again keeps
    nothing. Memory may run out at any step, so everything is kept before each one: little beside
    what a step takes.
    """

    def __init__(self, model: nn.Module, device: torch.device):
        self._device = device
        self._places = [
            (module, name)
            for module in model.modules()
            for name, buffer in module._buffers.items()
            if buffer is not None and distributed.world_size() == 1
        ]
        self.remember()

    def remember(self) -> None:
        """Keep everything as it is before a step."""
        if distributed.world_size() > 1:
            return
        buffers = [module._buffers[name] for module, name in self._places]
        self._kept = [(each, None if each is None else each.detach().clone()) for each in buffers]
        self._streams = stream_states(self._device)

    def back(self) -> None:
        """Restore what was there at `remember`."""
        with torch.no_grad():
            for (module, name), (buffer, kept) in zip(self._places, self._kept, strict=True):
                if buffer is None or kept is None or buffer.shape != kept.shape:
                    module._buffers[name] = kept
                else:  # the very tensor: a graph knows it by its address
                    module._buffers[name] = buffer.copy_(kept)
        restore_streams(self._streams, self._device)

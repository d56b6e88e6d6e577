"""What to do when memory runs out in a step: the same batch in smaller parts."""

import math
import warnings

import torch

from priorscope.errors import PriorscopeWarning, RunFailed
from priorscope.training import distributed

_WORDS = ("out of memory", "can't allocate memory", "not enough memory")


class SmallerMicroBatch(PriorscopeWarning):
    """Memory did not suffice for the recipe's micro-batch."""


def smaller(micro_batch_size: int, error: Exception) -> int:
    """Halve what passes through the model at once, when that is what an error asks for.

    Raises
    ------
    RunFailed : one example does not fit
    Exception : the error is another one, or other processes wait for this one's gradients
    """
    of_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
    if not (of_memory or any(word in str(error) for word in _WORDS)):
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

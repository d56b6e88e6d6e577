"""From a model and images to logits."""

import math
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from priorscope.data import Preprocess, autocast_for, sent_rows
from priorscope.errors import out_of_memory

_ON_CPU, _ELSEWHERE = 50, 2000
# On CUDA: images whose memory is measured; what part of free memory a batch may take, as other runs
# may share the card; and beyond how many images a kernel is as fast as it gets, while a host that
# copies them can no longer do so behind the batch before.
_MEASURED, _PART_OF_FREE_MEMORY, _MOST = 256, 0.5, 8192
_fitting: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()  # what memory suffices for


def predict(
    model: nn.Module,
    images: np.ndarray,
    *,
    preprocess: Preprocess,
    device: torch.device,
    precision: str = "fp32",
    batch_size: int | None = None,
    rows: np.ndarray | None = None,
    order_seed: int = 0,
) -> np.ndarray:
    """Compute the logits of images.

    Images pass through the model in a random order that is the same each time: which images stand
    together in a batch must not go with their class, for a network whose answer to an image
    depends on the others (batch norm without running statistics). `company.py` finds such networks.

    Parameters
    ----------
    images : uint8 [n, height, width, 3]; resized and normalised as in training, never augmented
    precision : the recipe's
    batch_size : images at once; by default 50 on a CPU, where more are no faster and take memory,
        the largest power of two to 8,192 that fits into half of the free memory of a CUDA device,
        and 2,000 elsewhere; or half of it as often as memory does not suffice, also in the calls
        that follow
    rows : int64 [n], of these images, in this order; all where it is None
    order_seed : of the order in which they pass through the model

    Returns
    -------
    float32 [n, num_classes], in the order of `rows`
    """
    known = _fitting.get(model)
    finds_size = batch_size is None and known is None and _counts_memory(device)
    if finds_size:
        size = _MEASURED
    else:
        size = batch_size or known or (_ON_CPU if device.type == "cpu" else _ELSEWHERE)
        size = min(size, known or size)
    model.eval()
    rows = np.arange(len(images)) if rows is None else rows
    order = np.random.default_rng(order_seed).permutation(len(rows))
    logits, start = [], 0
    with torch.inference_mode(), autocast_for(precision, device):
        while start < len(rows):
            piece = rows[order[start : start + size]]
            try:
                used = _begin_counting(device) if finds_size else 0
                logits.append(model(preprocess(sent_rows(images, piece, device))).float())
            except (RuntimeError, MemoryError) as error:
                if size == 1 or not out_of_memory(error):
                    raise
                size, finds_size = math.ceil(min(size, len(piece)) / 2), False
                _fitting[model] = size
                continue
            start += len(piece)
            if finds_size:
                _fitting[model] = size = _largest_batch(device, len(piece), used)
                finds_size = False
    answers = torch.cat(logits).cpu().numpy()
    in_place = np.empty_like(answers)
    in_place[order] = answers
    return in_place


def _counts_memory(device: torch.device) -> bool:
    """Tell whether a device's allocator counts what is in use: on the host, so nothing waits."""
    return device.type == "cuda"


def _begin_counting(device: torch.device) -> int:
    """Return how many bytes are in use, and begin to note how many are at most."""
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)


def _largest_batch(device: torch.device, num_images: int, used: int) -> int:
    """Return how many images fit at once, from what `num_images` took since `used` bytes were.

    A power of two, so that what else happens on the card seldom changes it.
    """
    per_image = max(1.0, (torch.cuda.max_memory_allocated(device) - used) / num_images)
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    free = torch.cuda.mem_get_info(device)[0] + unused
    affordable = max(1.0, _PART_OF_FREE_MEMORY * free / per_image)
    return min(_MOST, max(num_images, 2 ** int(math.log2(affordable))))

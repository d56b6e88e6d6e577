"""From a model and images to logits."""

import math
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from priorscope.data._preprocess import Preprocess, autocast_for
from priorscope.errors import out_of_memory

_ON_CPU, _ELSEWHERE = 50, 2000
_fitting: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()  # what memory sufficed for


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
        and 2,000 elsewhere, or half of it as often as memory does not suffice, also in the calls
        that follow
    rows : int64 [n], of these images, in this order; all where it is None
    order_seed : of the order in which they pass through the model

    Returns
    -------
    float32 [n, num_classes], in the order of `rows`
    """
    size = batch_size or (_ON_CPU if device.type == "cpu" else _ELSEWHERE)
    size = min(size, _fitting.get(model, size))
    model.eval()
    rows = np.arange(len(images)) if rows is None else rows
    order = np.random.default_rng(order_seed).permutation(len(rows))
    logits, start = [], 0
    with torch.inference_mode(), autocast_for(precision, device):
        while start < len(rows):
            piece = images[rows[order[start : start + size]]]  # a copy: maps are read-only
            try:
                logits.append(model(preprocess(torch.from_numpy(piece).to(device))).float())
            except (RuntimeError, MemoryError) as error:
                if size == 1 or not out_of_memory(error):
                    raise
                _fitting[model] = size = math.ceil(min(size, len(piece)) / 2)
                continue
            start += len(piece)
    answers = torch.cat(logits).cpu().numpy()
    in_place = np.empty_like(answers)
    in_place[order] = answers
    return in_place

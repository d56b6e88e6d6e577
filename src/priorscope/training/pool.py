"""Training images where the loop can take batches from them."""

from collections.abc import Callable

import numpy as np
import torch

from priorscope.data import sent, sent_rows

_PART_OF_FREE_MEMORY = 0.4  # the rest is the model's and its activations'


def image_pool(images: np.ndarray, device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function from rows, int64 [batch] on the host, to their images on the device.

    On an accelerator all images move to it once, when they fit: taking a batch is then its own
    work. On a CPU, and where they do not fit, rows are copied from where the images lie, which may
    be a memory map larger than memory. The host waits in neither case.

    Parameters
    ----------
    images : uint8 [n, height, width, 3]
    """
    if device.type != "cpu" and images.nbytes <= _PART_OF_FREE_MEMORY * free_bytes(device):
        resident = torch.from_numpy(np.array(images)).to(device)  # a memory map is read-only
        return lambda rows: resident[sent(rows, device)]
    return lambda rows: sent_rows(images, rows.numpy(), device)


def free_bytes(device: torch.device) -> int:
    """Return how much memory is free on a device other than the CPU, about."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return 2**31  # nothing tells; any machine with an accelerator has so much

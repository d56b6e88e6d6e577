"""Training images where the loop can take batches from them."""

from collections.abc import Callable

import numpy as np
import torch

_PART_OF_FREE_MEMORY = 0.4  # the rest is the model's and its activations'


def image_pool(images: np.ndarray, device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
    """Give a function from rows, int64 [batch] on the device, to their images there, as bytes.

    On an accelerator all images move to it once, when they fit: taking a batch then needs no host.
    On a CPU, and where they do not fit, rows are copied from where the images lie, which may be a
    memory map larger than memory.

    Parameters
    ----------
    images : uint8 [n, height, width, 3]
    """
    if device.type != "cpu" and images.nbytes <= _PART_OF_FREE_MEMORY * _free_bytes(device):
        resident = torch.from_numpy(np.array(images)).to(device)  # a memory map is read-only
        return lambda rows: resident[rows]

    def copy_rows(rows: torch.Tensor) -> torch.Tensor:
        taken = torch.from_numpy(images[rows.cpu().numpy()])
        if device.type == "cuda":
            taken = taken.pin_memory()
        return taken.to(device, non_blocking=True)

    return copy_rows


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return 2**31  # nothing tells; any machine with an accelerator has so much

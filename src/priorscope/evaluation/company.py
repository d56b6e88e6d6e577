"""Whether a network's answer to an image depends on the images that share its batch."""

import numpy as np
import torch
from torch import nn

_BATCH = 4


def answers_depend_on_company(
    model: nn.Module, inputs: torch.Tensor, *, tolerance: float = 0.05
) -> float | None:
    """Show each image to a network twice, in two batches whose other images differ.

    A batch norm that keeps no running statistics is the usual cause: what is then scored is the
    order in which files lie in a folder.

    Parameters
    ----------
    model : in evaluation mode
    inputs : float32 [n, 3, image_px, image_px], preprocessed; n is a multiple of 16
    tolerance : of a change, as a part of the logits' standard deviation; what float16 or the place
        in a batch changes is far smaller

    Returns
    -------
    the largest change of a logit as a part of the logits' standard deviation, where that is above
    the tolerance; None where it is not
    """
    n = len(inputs)
    if n % _BATCH**2:
        raise ValueError(f"expected a multiple of {_BATCH**2} images, found {n}")
    # Neighbours first, then every (n / 4)-th: no two images meet twice.
    orders = torch.arange(n), torch.arange(n).view(_BATCH, -1).T.flatten()
    answers = []
    with torch.inference_mode():
        for order in orders:
            logits = [model(inputs[rows]).float() for rows in order.split(_BATCH)]
            answers.append(torch.cat(logits).cpu().numpy()[np.argsort(order.numpy())])
    spread = float(answers[0].std())
    change = float(np.abs(answers[0] - answers[1]).max())
    return change / (spread or 1.0) if change > tolerance * spread else None

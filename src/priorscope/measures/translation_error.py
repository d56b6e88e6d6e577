"""How much a network's logits change when the image moves a little."""

from typing import Literal

import numpy as np
import torch
from pydantic import NonNegativeInt
from torch import nn

from priorscope.bias import Bias
from priorscope.measures._measurement import Measurement
from priorscope.metrics import Scale

BIAS = Bias(
    "Change of logits under a shift",
    "logits stay as the image moves",
    "logits move with the image",
    "Logits of a surer network move more: `relative` in the file divides by their size.",
)
STEP = 0.01  # of the finite difference, in pixels
_IMAGES_AT_ONCE = 64
RELATIVE = "relative"


def translation_error(
    network: nn.Module,
    images: torch.Tensor,
    *,
    rng: np.random.Generator,  # noqa: ARG001
    shift_px: NonNegativeInt = 0,
    border: Literal["repeat", "wrap"] = "repeat",
) -> Measurement:
    """Return the norm of the logits' Lie derivative under translation, for each image.

    An image that moves by linear interpolation changes at first by half the difference of each
    pixel's two neighbours, dx. The derivative of the logits along dx is taken by a central
    difference of 0.01 px; it is exact where the network is linear in between. The value is the root
    mean square, over the two axes, of its Euclidean norm over classes: in logits a pixel.

    Gruver et al. 2023 (arXiv:2210.02984). Deviations: the norm itself, of which the paper averages
    the square and its script takes yet another mean; logits in place of probabilities; borders
    repeat their last pixel. `relative` divides by the norm of the centred logits, so that networks
    of different confidence can be compared.

    Parameters
    ----------
    images : float32 [n, 3, image_px, image_px], preprocessed
    shift_px : 0 for the derivative; else the root mean square, over the four directions, of how far
        the logits go when the image moves by so many whole pixels, a pixel
    border : what a move brings in: the last pixel again, or the other side of the image

    Returns
    -------
    arms `all`, in logits a pixel; `relative`, a pixel
    """
    values: dict[str, list[np.ndarray]] = {"all": [], RELATIVE: []}
    for part in images.split(_IMAGES_AT_ONCE):
        squares = torch.zeros(len(part), dtype=torch.float64, device=part.device)
        with torch.no_grad():
            logits = network(part).double()
            for axis in (2, 3):
                far = max(shift_px, 1)
                ahead, back = (_moved(part, step, axis, border) for step in (far, -far))
                if shift_px:
                    for moved in (ahead, back):
                        change = (network(moved).double() - logits) / far
                        squares += change.square().sum(dim=1) / 2
                else:
                    dx = STEP * (ahead - back) / 2
                    change = network(part + dx).double() - network(part - dx).double()
                    squares += (change / (2 * STEP)).square().sum(dim=1)
        size = (squares / 2).sqrt()
        spread = (logits - logits.mean(dim=1, keepdim=True)).norm(dim=1)
        values["all"].append(size.cpu().numpy())
        values[RELATIVE].append((size / spread).cpu().numpy())
    return Measurement(
        values=np.concatenate([each for parts in values.values() for each in parts]),
        ids=np.tile(np.arange(len(images)), len(values)),
        conditions={"arm": np.repeat(list(values), len(images))},
    )


def scale(*, shift_px: int = 0, border: str = "repeat") -> Scale:  # noqa: ARG001
    """Return logits a pixel, from 0 on."""
    return Scale("Translation error", 0.0, None, "", "logits a pixel", 1.0, 3)


def _moved(images: torch.Tensor, step: int, axis: int, border: str) -> torch.Tensor:
    """Move images by whole pixels along an axis."""
    if border == "wrap":
        return images.roll(step, dims=axis)
    size = images.shape[axis]
    places = (torch.arange(size, device=images.device) - step).clamp(0, size - 1)
    return images.index_select(axis, places)

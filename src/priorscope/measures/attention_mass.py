"""How local attention is: the part of its weights that lies close to the query."""

import numpy as np
import torch
from pydantic import NonNegativeInt
from torch import nn

from priorscope.measures._attention import mean_over_queries, measure_attention, offsets_on_grid
from priorscope.measures._measurement import Measurement
from priorscope.metrics import Scale, share


def attention_mass(
    network: nn.Module,
    images: torch.Tensor,
    *,
    rng: np.random.Generator,  # noqa: ARG001
    radius: NonNegativeInt = 1,
) -> Measurement:
    """Average the part of attention on keys near the query over queries and images.

    Parameters
    ----------
    radius : in patches: keys at most so many rows and columns away count, a square of side
        2 radius + 1

    Returns
    -------
    a value an image, 0 .. 1; by layer and head as further arms, see `_attention`

    Raises
    ------
    DoesNotApply : the network has no attention that tells its weights
    """

    def mass(weights: torch.Tensor) -> torch.Tensor:
        near = (offsets_on_grid(weights.shape[-1], weights.device).abs() <= radius).all(-1)
        return mean_over_queries((weights * near).sum(-1), weights)

    return measure_attention(network, images, mass)


def scale(*, radius: NonNegativeInt = 1) -> Scale:
    """Return a part of all weights, in percent."""
    near = "one patch" if radius == 1 else f"{radius} patches"
    return share(f"Attention within {near}")

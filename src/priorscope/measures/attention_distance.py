"""How far attention looks: the mean distance from query to key."""

import numpy as np
import torch
from torch import nn

from priorscope.bias import Bias
from priorscope.measures._attention import mean_over_queries, measure_attention, offsets_on_grid
from priorscope.measures._measurement import Measurement
from priorscope.metrics import Scale

BIAS = Bias(
    "How far attention looks",
    "queries attend to what is near",
    "queries attend far away",
    "Weights of single layers: what is passed on layer by layer goes farther.",
)


def attention_distance(
    network: nn.Module,
    images: torch.Tensor,
    *,
    rng: np.random.Generator,  # noqa: ARG001
) -> Measurement:
    """Average the distance from query to key, weighted by attention, over queries and images.

    Dosovitskiy et al. 2020 (arXiv:2010.11929, section 4.5; there in pixels). Euclidean, in patches
    of each layer's own grid. Uniform attention has about half of the grid's side.

    Returns
    -------
    a value an image, in patches; by layer and head as further arms, see `_attention`

    Raises
    ------
    DoesNotApply : the network has no attention that tells its weights
    """

    def distance(weights: torch.Tensor) -> torch.Tensor:
        offsets = offsets_on_grid(weights.shape[-1], weights.device)
        distances = offsets.double().norm(dim=-1)
        return mean_over_queries((weights * distances).sum(-1), weights)

    return measure_attention(network, images, distance)


def scale() -> Scale:
    """Return patches, from 0 on."""
    return Scale("Attention distance", 0.0, None, "patches", "patches", 1.0, 2)

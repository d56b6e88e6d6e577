"""How spread attention is: the entropy of each query's weights."""

import numpy as np
import torch
from torch import nn

from priorscope.measures._attention import mean_over_queries, measure_attention
from priorscope.measures._measurement import Measurement
from priorscope.metrics import Scale


def attention_entropy(
    network: nn.Module,
    images: torch.Tensor,
    *,
    rng: np.random.Generator,  # noqa: ARG001
) -> Measurement:
    """Average the entropy of a query's attention weights over queries and images.

    0 is one key, the logarithm of the number of patches is all alike.

    Returns
    -------
    a value an image, in nats; by layer and head as further arms, see `_attention`

    Raises
    ------
    DoesNotApply : the network has no attention that tells its weights
    """

    def entropy(weights: torch.Tensor) -> torch.Tensor:
        return mean_over_queries(-torch.xlogy(weights, weights).sum(-1), weights)

    return measure_attention(network, images, entropy)


def scale() -> Scale:
    """Return nats, from 0 on."""
    return Scale("Attention entropy", 0.0, None, "nats", "nats", 1.0, 2)

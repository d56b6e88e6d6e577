"""How much queries differ in what they attend to: the effective rank of attention."""

import numpy as np
import torch
from torch import nn

from priorscope.measures._attention import measure_attention
from priorscope.measures._measurement import Measurement
from priorscope.metrics import Scale


def attention_rank(
    network: nn.Module,
    images: torch.Tensor,
    *,
    rng: np.random.Generator,  # noqa: ARG001
) -> Measurement:
    """Average the effective rank of the matrix of attention weights over images.

    The exponential of the entropy of the singular values' shares (Roy and Vetterli 2007, EUSIPCO):
    1 where every query attends to the same, the number of patches where each attends to its own.

    Returns
    -------
    a value an image, 1 .. patches; by layer and head as further arms, see `_attention`

    Raises
    ------
    DoesNotApply : the network has no attention that tells its weights
    """
    return measure_attention(network, images, effective_rank)


def effective_rank(matrices: torch.Tensor) -> torch.Tensor:
    """Return exp of the entropy of the singular values' shares: [..., n, n] to [...]."""
    values = torch.linalg.svdvals(matrices)
    shares = values / values.sum(-1, keepdim=True)
    return (-torch.xlogy(shares, shares).sum(-1)).exp()


def scale() -> Scale:
    """Return a rank, from 1 on."""
    return Scale("Effective rank of attention", 1.0, None, "", "", 1.0, 1)

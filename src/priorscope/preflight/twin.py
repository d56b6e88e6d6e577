"""A copy of a model on which can be measured what any weights of it could do."""

import copy
import math

import torch
from torch import nn


class Twin:
    """A copy of a model with generic weights: no gain is zero, so nothing that matters is hidden.

    Fresh models have branches that are silent at first (a last scale of zero, LayerScale of 1e-6);
    what a position *can* depend on is measured with random weights instead. The model itself, its
    running statistics included, is left as it was.
    """

    def __init__(self, model: nn.Module):
        self.module = copy.deepcopy(model).eval()
        trainable = [(n, p) for n, p in self.module.named_parameters() if p.requires_grad]
        self.weights = [parameter for _, parameter in trainable]
        generator = torch.Generator().manual_seed(0)
        self.module.requires_grad_(False)
        for name, weight in trainable:
            noise = torch.randn(weight.shape, generator=generator, dtype=weight.dtype)
            if sum(size > 1 for size in weight.shape) > 1:
                weight.copy_(noise * math.sqrt(2 * weight.shape[0] / weight.numel()))
            else:
                weight.copy_(0.1 * noise + (0 if name.endswith("bias") else 1))

"""An MLP on the set of an image's pixels: a control that sees no places."""

import torch
from pydantic import PositiveInt
from torch import nn

from priorscope.models._checks import NumBlocks


class PixelSetMLP(nn.Module):
    """Map each pixel's colour through an MLP, average over pixels, classify the mean."""

    def __init__(self, num_classes: int, embed_dim: int, num_layers: int):
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(num_layers):
            layers += [nn.Linear(embed_dim if index else 3, embed_dim), nn.GELU()]
        self.pixel = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(embed_dim)
        self.head = nn.Linear(embed_dim, num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map images [batch, 3, image_px, image_px] to logits [batch, num_classes]."""
        features = self.pixel(images.flatten(2).transpose(1, 2))
        return self.head(self.norm(features.mean(dim=1)))


def pixel_set_mlp(
    *,
    num_classes: int,
    image_px: int,  # noqa: ARG001  (a set has any size)
    embed_dim: PositiveInt = 64,
    num_layers: NumBlocks = 2,
) -> nn.Module:
    """Build a classifier of the set of pixels, which no order of them can change: a control model.

    Each pixel goes through an MLP of `num_layers` layers of `embed_dim`, and the mean of all is
    classified: it sees how often which colour occurs, and nothing of where.

    With the same seed it must score exactly the same (to rounding) on images as they are and with
    their pixels permuted in any way, even differently in each image. It must be at chance wherever
    classes have the same distribution of colours: what it scores above that, colour gives away.

    Source: Zaheer et al. (2017), "Deep Sets", arXiv:1703.06114. Deviation: a mean in place of the
    sum, and layer norm before the one linear layer behind it.
    """
    return PixelSetMLP(num_classes, embed_dim, num_layers)

"""A bag of small patches that vote: a control that sees no relations beyond a patch."""

from typing import Annotated

import torch
from pydantic import Field, PositiveInt
from torch import nn

from priorscope.errors import InputError


class BagOfLocalFeatures(nn.Module):
    """Classify every patch of `field_px` x `field_px` by itself, and average the logits."""

    def __init__(self, num_classes: int, width: int, field_px: int):
        super().__init__()
        layers: list[nn.Module] = []
        for index in range((field_px - 1) // 2):
            # No padding: zeros at the border would tell a patch where it lies.
            layers += _layer(width if index else 3, width, kernel_size=3)
            layers += _layer(width, width, kernel_size=1)
        self.patch = nn.Sequential(*(layers or _layer(3, width, kernel_size=1)))
        self.head = nn.Conv2d(width, num_classes, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map images [batch, 3, image_px, image_px] to logits [batch, num_classes]."""
        return self.head(self.patch(images)).mean(dim=(2, 3))


def _layer(in_channels: int, channels: int, *, kernel_size: int) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, channels, kernel_size, bias=False)
    return [conv, nn.BatchNorm2d(channels), nn.ReLU()]


def bag_of_local_features(
    *,
    num_classes: int,
    image_px: int,
    field_px: Annotated[int, Field(ge=1)] = 9,
    width: PositiveInt = 32,
) -> nn.Module:
    """Build a classifier whose patches vote without seeing each other: a control model.

    Every patch of `field_px` x `field_px` pixels (odd), at every place, is classified by itself,
    and the mean of the logits is the answer: its receptive field is `field_px` and no more.

    It must be at chance wherever the class is a relation between patterns that no patch holds
    together, and must not change when whole parts of the image trade places, but for the patches
    across their seams. With pixels permuted within patches or globally it must fall towards
    `pixel_set_mlp`: a score that stays is one of colours, not of local order.

    Source: Brendel and Bethge (2019), "Approximating CNNs with Bag-of-local-Features models works
    surprisingly well on ImageNet", arXiv:1904.00760. Deviations: a plain stack of 3x3 and 1x1
    convolutions for small images, in place of a ResNet-50; no padding and no stride, so that every
    patch counts once.

    Raises
    ------
    InputError : the field is even or larger than the image
    """
    if field_px % 2 == 0 or field_px > image_px:
        raise InputError(
            "the field is an odd number of pixels within the image",
            where="field_px",
            found=f"field_px {field_px}, image {image_px} px",
            allowed=f"1, 3, ..., {image_px - 1 + image_px % 2}",
        )
    return BagOfLocalFeatures(num_classes, width, field_px)

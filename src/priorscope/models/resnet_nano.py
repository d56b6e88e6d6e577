"""A small residual convolutional network for small images."""

from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveInt
from torch import nn

from priorscope.models._checks import NumBlocks


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with batch norm, and a shortcut."""

    def __init__(self, in_channels: int, channels: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.shortcut = stride, nn.Sequential()
        if stride != 1 or in_channels != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Map [batch, in_channels, h, w] to [batch, channels, h / stride, w / stride]."""
        inner = F.relu(self.bn1(self.conv1(maps)))
        # A 1x1 convolution with this stride would be the same, but on CPUs with AVX-512 oneDNN 3.x
        # (PyTorch 2.14.1) writes outside its memory in the gradient of one with fewer than 16
        # channels, an odd batch and two threads.
        kept = maps[..., :: self.stride, :: self.stride]
        return F.relu(self.bn2(self.conv2(inner)) + self.shortcut(kept))


class ResNet(nn.Module):
    """3x3 stem, stages that each halve the resolution and double the width, mean, linear head."""

    def __init__(self, *, num_classes: int, width: int, num_blocks: tuple[int, ...]):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        stages, channels = [], width
        for stage, num_in_stage in enumerate(num_blocks):
            for block in range(num_in_stage):
                stride = 2 if stage > 0 and block == 0 else 1
                stages.append(BasicBlock(channels, width * 2**stage, stride))
                channels = width * 2**stage
        self.blocks = nn.Sequential(*stages)
        self.head = nn.Linear(channels, num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map images [batch, 3, image_px, image_px] to logits [batch, num_classes]."""
        return self.head(self.blocks(self.stem(images)).mean(dim=(2, 3)))


def resnet_nano(
    *,
    num_classes: int,
    image_px: int,  # noqa: ARG001  (a convolutional network takes any size)
    width: PositiveInt = 16,
    num_blocks: Annotated[tuple[NumBlocks, ...], Field(min_length=1)] = (3, 3, 3),
) -> nn.Module:
    """Build a residual network for small images (by default ResNet-20 of 272,474 parameters).

    `width` is the number of channels in the first stage, `num_blocks` that of the blocks in each
    stage; the first stage has the image's resolution.

    Source: He et al. (2015), "Deep Residual Learning for Image Recognition", arXiv:1512.03385,
    section 4.2. Deviation: the shortcut of a block that changes shape is a 1x1 convolution.
    """
    return ResNet(num_classes=num_classes, width=width, num_blocks=num_blocks)

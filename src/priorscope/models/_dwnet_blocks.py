"""The parts of `dwnet`: three ways to mix positions channel by channel, and the pyramid's block.

Feature maps are float [batch, channels, h, w] throughout.
"""

import torch
import torch.nn.functional as F
from torch import nn


def mix_by_image(maps: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
    """Convolve each channel of each image with a kernel of its own, zero-padded to the same size.

    `maps` [batch, channels, h, w], `kernels` [batch, channels, window, window] with an odd window.
    """
    batch, channels, height, width = maps.shape
    window = kernels.shape[-1]
    # A depth-wise convolution of batch x channels channels is one call for the whole batch.
    mixed = F.conv2d(
        maps.reshape(1, batch * channels, height, width),
        kernels.reshape(batch * channels, 1, window, window),
        padding=window // 2,
        groups=batch * channels,
    )
    return mixed.view(batch, channels, height, width)


def mix_by_position(maps: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
    """Weight each position's zero-padded window with a kernel of its own.

    `maps` [batch, channels, h, w], `kernels` [batch, groups, window, window, h, w] with an odd
    window; the channels of a group are neighbours and share their kernels.
    """
    batch, channels, height, width = maps.shape
    groups, window = kernels.shape[1:3]
    grouped = maps.view(batch, groups, channels // groups, height, width)
    padded = F.pad(grouped, (window // 2,) * 4)
    mixed = torch.zeros_like(grouped)
    # One offset at a time keeps views of `padded` for the backward pass; unfolding all the windows
    # would copy the maps window^2 times, and took two to five times as long on a CPU.
    for row in range(window):
        for column in range(window):
            shifted = padded[..., row : row + height, column : column + width]
            mixed = mixed + kernels[:, :, None, row, column] * shifted
    return mixed.view(batch, channels, height, width)


class KernelPredictor(nn.Sequential):
    """Point-wise bottleneck from `channels` to `num_weights`: linear, batch norm, ReLU, linear."""

    def __init__(self, channels: int, num_weights: int, reduction: int):
        hidden = channels // reduction
        super().__init__(
            nn.Conv2d(channels, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, num_weights, 1),
        )


class HomogeneousMixing(nn.Module):
    """Depth-wise convolution whose kernels follow from the image's mean features.

    All positions share the kernels; each channel has its own. Since the mean sees the whole image,
    so does every output, although what is *mixed* is the window only.
    """

    def __init__(self, channels: int, window_size: int, reduction: int):
        super().__init__()
        self.window_size = window_size
        self.predictor = KernelPredictor(channels, channels * window_size**2, reduction)
        self.bias = nn.Parameter(torch.zeros(channels))

    def kernels(self, maps: torch.Tensor) -> torch.Tensor:
        """Predict kernels [batch, channels, window, window]."""
        weights = self.predictor(maps.mean(dim=(2, 3), keepdim=True))
        return weights.view(*maps.shape[:2], self.window_size, self.window_size)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Mix maps [batch, channels, h, w]."""
        return mix_by_image(maps, self.kernels(maps)) + self.bias[:, None, None]


class InhomogeneousMixing(nn.Module):
    """Depth-wise mixing in which every position's kernel follows from its own features.

    `group_channels` neighbouring channels share a kernel.
    """

    def __init__(self, channels: int, window_size: int, reduction: int, group_channels: int):
        super().__init__()
        self.window_size, self.num_groups = window_size, channels // group_channels
        self.predictor = KernelPredictor(channels, self.num_groups * window_size**2, reduction)
        self.bias = nn.Parameter(torch.zeros(channels))

    def kernels(self, maps: torch.Tensor) -> torch.Tensor:
        """Predict kernels [batch, groups, window, window, h, w]."""
        shape = (self.num_groups, self.window_size, self.window_size, *maps.shape[2:])
        return self.predictor(maps).reshape(len(maps), *shape)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Mix maps [batch, channels, h, w]."""
        return mix_by_position(maps.contiguous(), self.kernels(maps)) + self.bias[:, None, None]


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each position of maps [batch, channels, h, w]."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Normalise maps [batch, channels, h, w]."""
        return super().forward(maps.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Two residual branches: `mixing` between two point-wise layers, then an MLP."""

    def __init__(self, channels: int, mixing: nn.Module, mlp_ratio: float):
        super().__init__()
        self.mixer = nn.Sequential(
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            mixing,
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        hidden = round(mlp_ratio * channels)
        self.norm = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, channels)
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Map [batch, channels, h, w] to the same shape."""
        maps = maps + self.mixer(maps)
        # Channels last while the linear layers work on them; a view where memory is so already.
        return maps + self.mlp(self.norm(maps.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)


class PatchMerging(nn.Module):
    """Join 2 x 2 neighbours, normalise, project: half the resolution, twice the channels.

    Source: Liu et al. (2021), "Swin Transformer", arXiv:2103.14030, section 3.1.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Map [batch, channels, h, w] to [batch, 2 channels, h / 2, w / 2]."""
        joined = F.pixel_unshuffle(maps, 2).permute(0, 2, 3, 1)
        return self.reduction(self.norm(joined)).permute(0, 3, 1, 2)


__all__ = [
    "Block",
    "ChannelNorm",
    "HomogeneousMixing",
    "InhomogeneousMixing",
    "KernelPredictor",
    "PatchMerging",
    "mix_by_image",
    "mix_by_position",
]

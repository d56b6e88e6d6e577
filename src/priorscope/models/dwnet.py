"""Swin's pyramid with depth-wise convolution in place of attention: what the report trained."""

from collections.abc import Callable
from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import nn

from priorscope.models._checks import (
    NumBlocks,
    check_divides_channels,
    check_halving,
    check_odd,
    grid_side,
)
from priorscope.models._dwnet_blocks import (
    Block,
    ChannelNorm,
    HomogeneousMixing,
    InhomogeneousMixing,
    PatchMerging,
)

SHAPES = {"tiny": (96, (2, 2, 6, 2)), "base": (128, (2, 2, 18, 2))}  # embed_dim, depths


class DWNet(nn.Module):
    """Patch embedding, stages of blocks with patch merging between them, norm, mean, linear head.

    `make_mixing` gives the layer that mixes positions for a number of channels.
    """

    def __init__(
        self,
        *,
        num_classes: int,
        patch_size: int,
        embed_dim: int,
        depths: tuple[int, ...],
        mlp_ratio: float,
        make_mixing: Callable[[int], nn.Module],
    ):
        super().__init__()
        self.patch_embed = nn.Sequential(
            nn.Conv2d(3, embed_dim, patch_size, stride=patch_size), ChannelNorm(embed_dim)
        )
        layers, channels = [], embed_dim
        for stage, depth in enumerate(depths):
            if stage > 0:
                layers.append(PatchMerging(channels))
                channels *= 2
            layers += [Block(channels, make_mixing(channels), mlp_ratio) for _ in range(depth)]
        self.blocks = nn.Sequential(*layers)
        self.norm = ChannelNorm(channels)
        self.head = nn.Linear(channels, num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map images [batch, 3, image_px, image_px] to logits [batch, num_classes]."""
        return self.head(self.norm(self.blocks(self.patch_embed(images))).mean(dim=(2, 3)))


def dwnet(
    *,
    num_classes: int,
    image_px: int,
    size: Literal["tiny", "base"] = "tiny",
    dynamic: Literal["static", "homogeneous", "inhomogeneous"] = "static",
    window_size: PositiveInt = 7,
    patch_size: PositiveInt = 4,
    embed_dim: PositiveInt | None = None,
    depths: Annotated[tuple[NumBlocks, ...], Field(min_length=1)] | None = None,
    mlp_ratio: PositiveFloat = 4.0,
    reduction: PositiveInt = 4,
    group_channels: PositiveInt = 16,
) -> nn.Module:
    """Build the (dynamic) depth-wise convolution network, "Local ViT" in the 2021 report.

    With 10 classes: tiny static 23,411,434 parameters, tiny homogeneous 50,370,442, base
    homogeneous (the report's) 160,583,178. The count does not depend on `image_px`; at 32 px the
    default grid is 8 x 8 and falls to 1 x 1, which `patch_size` 1 or 2 or fewer `depths` avoid.

    Parameters
    ----------
    size : sets `embed_dim` and `depths`: tiny 96 and (2, 2, 6, 2), base 128 and (2, 2, 18, 2)
    dynamic : where the kernels come from. `static`: they are parameters. `homogeneous`: predicted
        from the image's mean features, one kernel for each channel, the same at all positions.
        `inhomogeneous`: predicted at each position from the features there, shared by
        `group_channels` channels
    window_size : odd side of the kernel, in patches
    embed_dim, depths : channels of the first stage (each later one has twice as many) and blocks
        of each stage, in place of those of `size`
    reduction : by how much the predictor of the kernels narrows (dynamic only)
    group_channels : see `dynamic` (inhomogeneous only)

    Raises
    ------
    InputError : even window, a patch that leaves a grid that the stages cannot halve, or a
        reduction or group that does not divide the channels

    Notes
    -----
    Source: Han et al. (2021), "Demystifying Local Vision Transformer: Sparse Connectivity, Weight
    Sharing, and Dynamic Weight", arXiv:2106.04263. Its idea: a Swin-like pyramid (Liu et al. 2021,
    arXiv:2103.14030: patches of 4 px, patch merging, MLP ratio 4, widths and depths of tiny and
    base) with local attention replaced by a depth-wise convolution between point-wise layers, whose
    kernels may be predicted from the pooled features (homogeneous) or at each position
    (inhomogeneous).

    Everything finer is inferred from the three counts above and not confirmed by the paper. Of
    a block with C channels the counts leave, besides 49 C (or the predictor) for the kernels, 2 C^2
    for the point-wise layers and the MLP with its norm, exactly 7 C: here a batch norm after each
    of the three layers (6 C) and the convolution's bias (C), and no layer norm before the branch.
    The counts would equally fit that layer norm (2 C) with three biases and one batch norm (5 C),
    or with one bias and two batch norms; which of these the authors trained is not confirmed. A
    predictor has 49.5 C besides its weights: batch norm after the reduction to C / 4, without bias,
    and a bias of what it predicts. Patch embedding has a layer norm, merging no bias.

    No count decides the inhomogeneous predictor: its groups of 16 channels are those of involution
    (Li et al. 2021, arXiv:2103.06255). Deviations: no stochastic depth, since all arms of a study
    share one recipe; PyTorch's default initial weights.

    Multiply-accumulates are those of matrix products and convolutions; the inhomogeneous mixing
    itself (window_size^2 for each channel and position, as in the static one) is not among them.
    """
    own_embed_dim, own_depths = SHAPES[size]
    embed_dim, depths = embed_dim or own_embed_dim, depths or own_depths
    check_odd(window_size)
    check_halving(grid_side(image_px, patch_size), len(depths), image_px=image_px)
    if dynamic != "static":
        check_divides_channels("reduction", reduction, embed_dim)
    if dynamic == "inhomogeneous":
        check_divides_channels("group_channels", group_channels, embed_dim)

    def make_mixing(channels: int) -> nn.Module:
        if dynamic == "homogeneous":
            return HomogeneousMixing(channels, window_size, reduction)
        if dynamic == "inhomogeneous":
            return InhomogeneousMixing(channels, window_size, reduction, group_channels)
        return nn.Conv2d(channels, channels, window_size, padding=window_size // 2, groups=channels)

    return DWNet(
        num_classes=num_classes,
        patch_size=patch_size,
        embed_dim=embed_dim,
        depths=depths,
        mlp_ratio=mlp_ratio,
        make_mixing=make_mixing,
    )

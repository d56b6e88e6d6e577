"""The network of `skeleton`: all but the token mixer, which it is handed.

Source: Dosovitskiy et al. (2020), "An Image is Worth 16x16 Words", arXiv:2010.11929; of the
pyramid: Liu et al. (2021), "Swin Transformer", arXiv:2103.14030.
"""

from collections.abc import Callable

import torch
from torch import nn

from priorscope.models._dwnet_blocks import PatchMerging

MakeMixer = Callable[[int, int, int], nn.Module]  # of the stage, its width, the block's index


class Block(nn.Module):
    """Pre-norm residual block: token mixer, then an MLP."""

    def __init__(self, embed_dim: int, hidden: int, mixer: nn.Module):
        super().__init__()
        self.norm1 = nn.LayerNorm(embed_dim)
        self.mixer = mixer
        self.norm2 = nn.LayerNorm(embed_dim)
        self.mlp = nn.Sequential(
            nn.Linear(embed_dim, hidden), nn.GELU(), nn.Linear(hidden, embed_dim)
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map tokens [batch, tokens, embed_dim] to the same shape."""
        tokens = tokens + self.mixer(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class TokenMerging(nn.Module):
    """Patch merging of tokens [batch, tokens, channels]: a quarter of them, twice as wide."""

    def __init__(self, channels: int, grid_size: int):
        super().__init__()
        self.grid_size = grid_size
        self.merge = PatchMerging(channels)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map [batch, grid_size^2, channels] to [batch, grid_size^2 / 4, 2 channels]."""
        maps = tokens.transpose(1, 2).unflatten(2, (self.grid_size, self.grid_size))
        return self.merge(maps).flatten(2).transpose(1, 2)


class Skeleton(nn.Module):
    """Patch embedding, positions, blocks, norm, mean over tokens or class token, linear head.

    Parameters
    ----------
    grid_size : patches along one side; each stage after the first halves it
    embed_dim, hidden : widths of the first stage and of its MLPs; each later stage has twice both
    depths : blocks of each stage
    make_mixer : the token mixer for a stage (0, 1, ...), the index of a block in it, and the width
    positions : whether an embedding of each place is learned and added to the patches
    class_token : whether a token without place is classified, not the tokens' mean
    """

    def __init__(
        self,
        *,
        num_classes: int,
        patch_size: int,
        grid_size: int,
        embed_dim: int,
        hidden: int,
        depths: tuple[int, ...],
        make_mixer: MakeMixer,
        positions: bool,
        class_token: bool,
    ):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, embed_dim, patch_size, stride=patch_size)
        self.pos_embed = self.class_token = None
        if positions:
            self.pos_embed = nn.Parameter(torch.empty(1, grid_size**2, embed_dim))
            nn.init.trunc_normal_(self.pos_embed, std=0.02)
        if class_token:
            self.class_token = nn.Parameter(torch.empty(1, 1, embed_dim))
            nn.init.trunc_normal_(self.class_token, std=0.02)
        layers: list[nn.Module] = []
        for stage, depth in enumerate(depths):
            channels = embed_dim * 2**stage
            if stage > 0:
                layers.append(TokenMerging(channels // 2, grid_size // 2 ** (stage - 1)))
            for index in range(depth):
                mixer = make_mixer(stage, channels, index)
                layers.append(Block(channels, hidden * 2**stage, mixer))
        self.blocks = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(channels)
        self.head = nn.Linear(channels, num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map images [batch, 3, image_px, image_px] to logits [batch, num_classes]."""
        tokens = self.patch_embed(images).flatten(2).transpose(1, 2)
        if self.pos_embed is not None:
            tokens = tokens + self.pos_embed
        if self.class_token is not None:
            tokens = torch.cat([self.class_token.expand(len(tokens), -1, -1), tokens], dim=1)
        tokens = self.norm(self.blocks(tokens))
        return self.head(tokens.mean(dim=1) if self.class_token is None else tokens[:, 0])

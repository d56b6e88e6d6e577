"""The transformer that `vit_nano` and `local_vit_nano` share; they differ in one mask.

Source: Dosovitskiy et al. (2020), "An Image is Worth 16x16 Words", arXiv:2010.11929.
Deviations: the tokens' mean is classified (no class token), since a class token sees every
position in every layer, and a local transformer must not have such a way around its windows.
"""

import torch
import torch.nn.functional as F
from torch import nn

from priorscope.errors import InputError


class Attention(nn.Module):
    """Multi-head self-attention over tokens [batch, tokens, embed_dim].

    `mask` is bool [tokens, tokens], True where the row's token may attend to the column's; None
    lets every token attend to every token.
    """

    def __init__(self, embed_dim: int, num_heads: int, mask: torch.Tensor | None):
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.mask: torch.Tensor | None
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Mix tokens [batch, tokens, embed_dim]."""
        batch, num_tokens, embed_dim = tokens.shape
        qkv = self.qkv(tokens).view(batch, num_tokens, 3, self.num_heads, -1)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each [batch, heads, tokens, head_dim]
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=self.mask)
        return self.proj(mixed.transpose(1, 2).reshape(batch, num_tokens, embed_dim))


class Block(nn.Module):
    """Pre-norm residual block: attention, then an MLP."""

    def __init__(self, embed_dim: int, num_heads: int, mlp_ratio: float, mask: torch.Tensor | None):
        super().__init__()
        hidden = round(mlp_ratio * embed_dim)
        self.norm1 = nn.LayerNorm(embed_dim)
        self.attn = Attention(embed_dim, num_heads, mask)
        self.norm2 = nn.LayerNorm(embed_dim)
        self.mlp = nn.Sequential(
            nn.Linear(embed_dim, hidden), nn.GELU(), nn.Linear(hidden, embed_dim)
        )

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map tokens [batch, tokens, embed_dim] to the same shape."""
        tokens = tokens + self.attn(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class Transformer(nn.Module):
    """Patch embedding, learned positions, blocks, mean over tokens, linear head.

    Parameters
    ----------
    image_px, patch_size : side of the image and of a patch in pixels
    mask : see `Attention`; the same in every block

    Raises
    ------
    InputError : the patch does not divide the image, or the heads do not divide the width
    """

    def __init__(
        self,
        *,
        num_classes: int,
        image_px: int,
        patch_size: int,
        embed_dim: int,
        depth: int,
        num_heads: int,
        mlp_ratio: float,
        mask: torch.Tensor | None = None,
    ):
        super().__init__()
        grid_size = grid_side(image_px, patch_size)
        if embed_dim % num_heads:
            raise InputError(
                "the heads must divide the width",
                where="num_heads",
                found=f"num_heads {num_heads}, embed_dim {embed_dim}",
                allowed=[h for h in range(1, embed_dim + 1) if embed_dim % h == 0],
            )
        self.patch_embed = nn.Conv2d(3, embed_dim, patch_size, stride=patch_size)
        self.pos_embed = nn.Parameter(torch.empty(1, grid_size**2, embed_dim))
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        self.blocks = nn.Sequential(
            *(Block(embed_dim, num_heads, mlp_ratio, mask) for _ in range(depth))
        )
        self.norm = nn.LayerNorm(embed_dim)
        self.head = nn.Linear(embed_dim, num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map images [batch, 3, image_px, image_px] to logits [batch, num_classes]."""
        tokens = self.patch_embed(images).flatten(2).transpose(1, 2) + self.pos_embed
        return self.head(self.norm(self.blocks(tokens)).mean(dim=1))


def grid_side(image_px: int, patch_size: int) -> int:
    """Count the patches along one side of the image.

    Raises
    ------
    InputError : the patch does not divide the image
    """
    if image_px % patch_size:
        raise InputError(
            "the patch must divide the image",
            where="patch_size",
            found=f"patch_size {patch_size}, image {image_px} px",
            allowed=[p for p in range(1, image_px + 1) if image_px % p == 0],
        )
    return image_px // patch_size


def check_odd(window_size: int) -> None:
    """Refuse a window without a centre.

    Raises
    ------
    InputError : the window is even
    """
    if window_size % 2 == 0:
        raise InputError(
            "a window has a centre: it must be odd",
            where="window_size",
            found=window_size,
            allowed="an odd number of patches",
        )


def neighbourhood_mask(grid_size: int, window_size: int) -> torch.Tensor | None:
    """Say which tokens of a square grid each token attends to: bool [tokens, tokens], or None.

    Every token attends to exactly `window_size` x `window_size` tokens: those around it or, near
    the border, the nearest window that lies inside the grid. A window as large as the grid is
    global attention, for which None is returned.

    Source: Hassani et al. (2022), "Neighborhood Attention Transformer", arXiv:2204.07143.

    Raises
    ------
    InputError : an even window has no centre
    """
    check_odd(window_size)
    if window_size >= grid_size:
        return None
    position = torch.arange(grid_size)
    start = (position - window_size // 2).clamp(0, grid_size - window_size)[:, None]
    near = (start <= position) & (position < start + window_size)  # [position, position], one axis
    return torch.kron(near, near)  # rows x columns; torch.kron of bool is logical and

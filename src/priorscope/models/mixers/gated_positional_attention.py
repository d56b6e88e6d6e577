"""Attention that starts as a convolution and may leave it: content and position, gated by head."""

import torch
import torch.nn.functional as F
from pydantic import PositiveFloat, PositiveInt
from torch import nn

from priorscope.errors import InputError
from priorscope.models._checks import check_heads
from priorscope.models.mixers import _reach
from priorscope.models.mixers._self_attention import attention_scores, heads_first


class GatedPositionalAttention(nn.Module):
    """Average by (1 - gate) content + gate position, with gate = sigmoid(`gating`) of each head."""

    def __init__(
        self,
        embed_dim: int,
        grid_size: int,
        num_heads: int,
        kernel_size: int,
        locality_strength: float,
    ):
        super().__init__()
        self.grid_size, self.num_heads, self.note = grid_size, num_heads, None
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.position = nn.Linear(3, num_heads, bias=False)
        self.gating = nn.Parameter(torch.ones(num_heads))
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.offsets: torch.Tensor
        self.register_buffer("offsets", _offsets(grid_size), persistent=False)
        with torch.no_grad():
            self.qkv.weight[2 * embed_dim :] = torch.eye(embed_dim)
            self.qkv.bias[2 * embed_dim :] = 0
            # -strength x |offset - centre of the head|^2, but for a constant.
            centres = kernel_offsets(num_heads, kernel_size)
            self.position.weight[:, :2] = 2 * locality_strength * centres
            self.position.weight[:, 2] = -locality_strength

    def positional(self) -> torch.Tensor:
        """Return the weights that depend on position only: [heads, tokens, tokens]."""
        return self.position(self.offsets).movedim(-1, 0).softmax(-1)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Mix tokens [batch, tokens, embed_dim]."""
        query, key, value = heads_first(self.qkv(tokens).unflatten(2, (3, self.num_heads, -1)))
        by_content = F.scaled_dot_product_attention(query, key, value).transpose(1, 2)
        by_position = torch.einsum("hqk,bhkd->bqhd", self.positional(), value)
        gate = self.gating.sigmoid()[:, None]
        return self.proj((by_content + gate * (by_position - by_content)).flatten(2))

    def weights(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return weights [batch, heads, tokens, tokens] for tokens [batch, tokens, embed_dim]."""
        query, key, _ = heads_first(self.qkv(tokens).unflatten(2, (3, self.num_heads, -1)))
        gate = self.gating.sigmoid()[:, None, None]
        return (1 - gate) * attention_scores(query, key).softmax(-1) + gate * self.positional()

    def reach(self) -> torch.Tensor:
        """Say which tokens each token's output may depend on: bool [tokens, tokens]."""
        return _reach.everywhere(self.grid_size)


def kernel_offsets(num_heads: int, kernel_size: int) -> torch.Tensor:
    """Return each head its place in the kernel, (columns, rows) from its centre: [heads, 2].

    Heads go through the kernel column by column, as in the authors' code, and start anew at its
    end.
    """
    place = torch.arange(kernel_size) - (kernel_size - 1) / 2
    places = torch.cartesian_prod(place, place).view(-1, 2)
    return places.repeat(num_heads // kernel_size**2, 1)


def _offsets(grid_size: int) -> torch.Tensor:
    """Return columns, rows and squared distance from query to key: [tokens, tokens, 3]."""
    axis = torch.arange(grid_size, dtype=torch.get_default_dtype())
    rows, columns = (axis.flatten() for axis in torch.meshgrid(axis, axis, indexing="ij"))
    dx, dy = (places - places[:, None] for places in (columns, rows))
    return torch.stack([dx, dy, dx**2 + dy**2], dim=-1)


def gated_positional_attention(
    *,
    embed_dim: int,
    grid_size: int,
    num_heads: PositiveInt = 4,
    kernel_size: PositiveInt = 2,
    locality_strength: PositiveFloat = 1.0,
) -> nn.Module:
    """Build attention that is initialised as a convolution, softly: a learned locality.

    Each head starts at one place of a `kernel_size` x `kernel_size` kernel, the sharper the larger
    `locality_strength`; its gate (at first sigmoid(1) = 0.73 for position) is learned. An odd
    kernel meets tokens; an even one lies between them, where each head sees the four around.

    Source: d'Ascoli et al. (2021), "ConViT", arXiv:2103.10697. Deviations: several heads may start
    at one place; no bias of the positional scores, which softmax cancels; queries, keys and values
    have biases, as all attention here.

    Raises
    ------
    InputError : the heads do not share the kernel's places evenly, or do not divide the width
    """
    check_heads(num_heads, embed_dim)
    if num_heads % kernel_size**2:
        raise InputError(
            "as many heads start at each place of the kernel",
            where="kernel_size",
            found=f"kernel_size {kernel_size}, num_heads {num_heads}",
            allowed=[k for k in range(1, num_heads + 1) if num_heads % k**2 == 0],
        )
    return GatedPositionalAttention(embed_dim, grid_size, num_heads, kernel_size, locality_strength)

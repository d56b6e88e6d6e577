"""Every token attends within a cluster of tokens with like content."""

from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveInt
from torch import nn

from priorscope.errors import InputError
from priorscope.models._checks import check_heads
from priorscope.models.mixers._self_attention import (
    Attend,
    SelfAttention,
    attention_scores,
    average,
    heads_first,
)


class RoutedAttend(Attend):
    """Attend within clusters, each of the `cluster_size` queries and keys nearest its centroid.

    `centroids` [heads, clusters, head_dim] are no parameters: in training mode they follow the
    queries and keys, as the running statistics of batch norm do.
    """

    def __init__(
        self, grid_size: int, num_heads: int, head_dim: int, num_clusters: int, decay: float
    ):
        super().__init__(grid_size)
        self.num_clusters, self.decay = num_clusters, decay
        self.cluster_size = -(-(grid_size**2) // num_clusters)
        self.centroids: torch.Tensor
        self.register_buffer("centroids", torch.randn(num_heads, num_clusters, head_dim))

    def route(self, vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Bring normalised vectors [batch, tokens, ..., heads, head_dim] and centroids together.

        Gives each cluster's members, int64 [batch, ..., heads, clusters, cluster_size], and which
        cluster is nearest to each vector, bool [batch, tokens, ..., heads, clusters].
        """
        near = torch.einsum("...hd,hcd->...hc", vectors, self.centroids)
        members = near.movedim(1, -1).topk(self.cluster_size, sorted=False).indices
        return members, near == near.amax(-1, keepdim=True)

    def follow(self, vectors: torch.Tensor, nearest: torch.Tensor) -> None:
        """Move each centroid towards the mean of the normalised vectors that it is nearest to."""
        members = nearest.to(vectors).flatten(0, -3)  # [vectors, heads, clusters]
        total = torch.einsum("nhc,nhd->hcd", members, vectors.flatten(0, -3))
        count = members.sum(0).unsqueeze(-1)
        mean = torch.where(count > 0, total / count.clamp(min=1), self.centroids)
        self.centroids.lerp_(mean.to(self.centroids), 1 - self.decay)

    def forward(self, qkv: torch.Tensor) -> torch.Tensor:
        """Average values, [batch, tokens, 3, heads, head_dim]; see `Attend`."""
        if self.num_clusters == 1:
            query, key, value = heads_first(qkv)
            return F.scaled_dot_product_attention(query, key, value).transpose(1, 2)
        batch, tokens, _, heads, head_dim = qkv.shape
        with torch.no_grad():
            vectors = direction(qkv[:, :, :2])
            members, nearest = self.route(vectors)
            if self.training:
                self.follow(vectors, nearest)
            image, head = (torch.arange(n, device=qkv.device) for n in (batch, heads))
            token = image[:, None, None, None] * tokens + members.movedim(1, 0)
            head = head[:, None, None]
            # Queries, keys and values of all clusters are one lookup among the rows of qkv.
            part = torch.arange(3, device=qkv.device).view(3, 1, 1, 1, 1)
            rows = (token[[0, 1, 1]] * 3 + part) * heads + head
        routed = qkv.reshape(-1, head_dim).index_select(0, rows.flatten())
        query, key, value = routed.view(
            3, batch, heads * self.num_clusters, self.cluster_size, head_dim
        )
        mixed = average(query, key, value, None).reshape(-1, head_dim)
        rows = (token[0] * heads + head).flatten()
        total = mixed.new_zeros(batch * tokens * heads, head_dim).index_add(0, rows, mixed)
        counts = torch.bincount(rows, minlength=len(total)).clamp(min=1)
        return (total / counts[:, None].to(total)).view(batch, tokens, heads, head_dim)

    def weights(self, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        """Compute the weights: [batch, heads, tokens, tokens]; rows of unrouted tokens are zero."""
        if self.num_clusters == 1:
            return super().weights(query, key)
        queries, keys = (self.route(direction(v.transpose(1, 2)))[0] for v in (query, key))
        shape = (*queries.shape[:3], query.shape[2])
        by_query, by_key = (
            torch.zeros(shape, dtype=torch.bool, device=query.device).scatter_(3, index, True)
            for index in (queries, keys)
        )
        # Each cluster's softmax over its keys, averaged over the clusters that a query is in.
        scores = attention_scores(query, key)[:, :, None]
        in_cluster = scores.masked_fill(~by_key[:, :, :, None], -torch.inf).softmax(-1)
        counts = by_query.sum(2).clamp(min=1)[..., None]
        return (in_cluster * by_query[..., None]).sum(2) / counts


def direction(vectors: torch.Tensor) -> torch.Tensor:
    """Centre and scale vectors [..., head_dim], by a layer norm without parameters."""
    return F.layer_norm(vectors, vectors.shape[-1:])


def routed_attention(
    *,
    embed_dim: int,
    grid_size: int,
    num_clusters: PositiveInt = 4,
    num_heads: PositiveInt = 4,
    decay: Annotated[float, Field(ge=0, lt=1)] = 0.999,
) -> nn.Module:
    """Build attention within clusters of like tokens: sparse by content, not by place.

    Each of `num_clusters` centroids takes the tokens / `num_clusters` queries and as many keys that
    are nearest to it. A query that several take gets the mean of their answers, one that none takes
    gets zero. One cluster is global attention. In training, `decay` of a centroid stays at each
    step, and the rest comes from what is nearest to it: the first steps see random clusters.

    Source: Roy et al. (2020), "Efficient Content-Based Sparse Attention with Routing Transformers",
    arXiv:2003.05997. Deviations: all heads are routed (the paper routes some, the others are
    local); centroids follow means, not sums; vectors are normalised for the routing only.

    Raises
    ------
    InputError : more clusters than tokens, or the heads do not divide the width
    """
    check_heads(num_heads, embed_dim)
    num_tokens = grid_size**2
    if num_clusters > num_tokens:
        raise InputError(
            "a cluster needs a token",
            where="num_clusters",
            found=f"{num_clusters} clusters, grid of {grid_size} x {grid_size}",
            allowed=f"1 to {num_tokens}",
        )
    head_dim = embed_dim // num_heads
    attend = RoutedAttend(grid_size, num_heads, head_dim, num_clusters, decay)
    note = "num_clusters 1: global attention" if num_clusters == 1 else None
    return SelfAttention(embed_dim, num_heads, attend, note)

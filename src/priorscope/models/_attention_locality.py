"""How far attention looks: distance, entropy, rank and mass of attention weights."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

IMAGES_AT_ONCE = 16  # weights are [images, heads, tokens, tokens]


@dataclass(frozen=True, eq=False)
class LayerLocality:
    """Attention locality of one layer: means over images and queries, float64 [heads].

    Attributes
    ----------
    layer : index of the block among all blocks
    mean_distance : Euclidean distance from query to key, in patches of that layer's grid
    entropy : of each query's weights, in nats: 0 for one key, ln(tokens) for all alike
    effective_rank : of the matrix of weights, 1 .. tokens
    mass_within : weight on keys at most `radius` rows and columns away, 0 .. 1
    """

    layer: int
    mean_distance: torch.Tensor
    entropy: torch.Tensor
    effective_rank: torch.Tensor
    mass_within: torch.Tensor


def attention_locality(
    model: nn.Module, images: torch.Tensor, *, radius: int = 1
) -> list[LayerLocality]:
    """Measure every attention layer of a model on images, layer by layer from the input on.

    A layer is measured if its module has `weights(tokens)`, as the attention mixers of `skeleton`
    do; a model without any gives an empty list. A class token is left out, as query and as key.

    Parameters
    ----------
    images : float32 [n, 3, image_px, image_px], preprocessed
    radius : of `mass_within`, in patches; the window of side 2 radius + 1

    Source of the mean distance: Dosovitskiy et al. (2020), arXiv:2010.11929, section 4.5 (there in
    pixels). Of the effective rank: Roy and Vetterli (2007), "The effective rank: a measure of
    effective dimensionality", EUSIPCO.
    """
    sums: dict[int, torch.Tensor] = {}
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            for part in images.split(IMAGES_AT_ONCE):
                for layer, weights in enumerate(_attention_of(model, part)):
                    measured = measure_weights(weights, radius=radius).sum(1)
                    sums[layer] = sums.get(layer, torch.zeros_like(measured)) + measured
    finally:
        model.train(was_training)
    return [LayerLocality(layer, *(total / len(images))) for layer, total in sums.items()]


def measure_weights(weights: torch.Tensor, *, radius: int) -> torch.Tensor:
    """Measure attention weights [images, heads, tokens, tokens] of a square grid.

    Rows sum to 1, or to 0 where a query attends to nothing; such queries count in no mean.

    Returns
    -------
    float64 [4, images, heads] : mean distance, entropy, effective rank, mass within the radius
    """
    weights = weights.double()
    attends = weights.sum(-1) > 0
    num_queries = attends.sum(-1).clamp(min=1)
    distance, near = _distances(weights.shape[-1], radius, weights.device)
    by_query = [
        (weights * distance).sum(-1),
        -torch.xlogy(weights, weights).sum(-1),
        (weights * near).sum(-1),
    ]
    mean_distance, entropy, mass = (total.sum(-1) / num_queries for total in by_query)
    return torch.stack([mean_distance, entropy, effective_rank(weights), mass])


def effective_rank(matrices: torch.Tensor) -> torch.Tensor:
    """Return exp of the entropy of the singular values' shares: [..., n, n] to [...]."""
    values = torch.linalg.svdvals(matrices)
    shares = values / values.sum(-1, keepdim=True)
    return (-torch.xlogy(shares, shares).sum(-1)).exp()


def _distances(
    num_tokens: int, radius: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the distance of all tokens on the grid, and which are within the radius."""
    side = round(num_tokens**0.5)
    places = torch.cartesian_prod(*[torch.arange(side, device=device)] * 2)
    offsets = places[:, None] - places
    return offsets.double().norm(dim=-1), (offsets.abs() <= radius).all(-1)


def _attention_of(model: nn.Module, images: torch.Tensor) -> Iterator[torch.Tensor]:
    """Pass images through a model; give each attention layer's weights, one at a time."""
    seen: list[tuple[Any, torch.Tensor]] = []
    layers = [module for module in model.modules() if _is_attention(module)]
    hooks = [
        layer.register_forward_pre_hook(lambda module, inputs: seen.append((module, inputs[0])))
        for layer in layers
    ]
    try:
        model(images)
    finally:
        for hook in hooks:
            hook.remove()
    for module, tokens in seen:
        weights = module.weights(tokens)
        side = int(weights.shape[-1] ** 0.5)
        if class_tokens := weights.shape[-1] - side**2:
            weights = weights[..., class_tokens:, class_tokens:]
            weights = weights / weights.sum(-1, keepdim=True)
        yield weights


def _is_attention(module: nn.Module) -> bool:
    # What averages values inside such a module has weights of queries and keys, not of tokens.
    return hasattr(module, "weights") and hasattr(module, "qkv")

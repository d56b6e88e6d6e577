"""The weights of attention layers, and what is asked of them."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from priorscope.measures._measurement import WHOLE, DoesNotApply, Measurement

_IMAGES_AT_ONCE = 16  # weights are [images, heads, tokens, tokens]
OfWeights = Callable[[torch.Tensor], torch.Tensor]  # [images, heads, tokens, tokens] -> [.., heads]


def measure_attention(
    network: nn.Module, images: torch.Tensor, of_weights: OfWeights
) -> Measurement:
    """Measure every attention layer of a network on images, and average over layers and heads.

    Measured are the attention mixers of `skeleton` (a module with `weights(tokens)`) and timm's
    attention. Tokens that are no patches (a class token, registers) are left out, as query and as
    key, and the rest of a query's weights are scaled to sum to 1.

    Parameters
    ----------
    images : float32 [n, 3, image_px, image_px], preprocessed
    of_weights : maps weights of a square grid, float64, to a value an image and head

    Returns
    -------
    arms: `all`, the mean over layers and heads; `layer 1`, ...; and `layer 1, head 1`, ..., with
    `layer` and `head` as conditions (0 stands for their mean)

    Raises
    ------
    DoesNotApply : the network has no attention that tells its weights
    """
    by_layer: dict[int, list[np.ndarray]] = {}
    for part in images.split(_IMAGES_AT_ONCE):
        for layer, weights in enumerate(_attention_of(network, part)):
            by_layer.setdefault(layer, []).append(of_weights(weights.double()).cpu().numpy())
    if not by_layer:
        raise DoesNotApply("the network has no attention that tells its weights")
    layers = [np.concatenate(parts) for parts in by_layer.values()]  # each [images, heads]
    columns: list[tuple[np.ndarray, str, int, int]] = []
    means = np.stack([layer.mean(axis=1) for layer in layers])
    columns.append((means.mean(axis=0), WHOLE, 0, 0))
    columns += [(mean, f"layer {n}", n, 0) for n, mean in enumerate(means, start=1)]
    for n, layer in enumerate(layers, start=1):
        for head, values in enumerate(layer.T, start=1):
            columns.append((values, f"layer {n}, head {head}", n, head))
    num_images = len(images)
    return Measurement(
        values=np.concatenate([values for values, *_ in columns]),
        ids=np.tile(np.arange(num_images), len(columns)),
        conditions={
            "arm": np.repeat([arm for _, arm, *_ in columns], num_images),
            "layer": np.repeat([layer for *_, layer, _ in columns], num_images),
            "head": np.repeat([head for *_, head in columns], num_images),
        },
    )


def mean_over_queries(by_query: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Average a value of each query over those that attend to anything, [..., queries] -> [...]."""
    attends = weights.sum(-1) > 0
    return by_query.sum(-1) / attends.sum(-1).clamp(min=1)


def offsets_on_grid(num_tokens: int, device: torch.device) -> torch.Tensor:
    """Return rows and columns between all tokens of a square grid, int64 [tokens, tokens, 2]."""
    side = round(num_tokens**0.5)
    places = torch.cartesian_prod(*[torch.arange(side, device=device)] * 2)
    return places[:, None] - places


def _attention_of(network: nn.Module, images: torch.Tensor) -> Iterator[torch.Tensor]:
    """Pass images through a network; yield each attention layer's weights, one at a time."""
    seen: list[tuple[Any, torch.Tensor]] = []
    hooks, fused = [], []
    for module in network.modules():
        if hasattr(module, "weights") and hasattr(module, "qkv"):
            # What averages values inside such a module has weights of queries and keys, not of
            # tokens: asked again, they are those of the same input.
            hook = module.register_forward_pre_hook(lambda m, inputs: seen.append((m, inputs[0])))
            hooks.append(hook)
        elif _is_of_timm(module):
            # The plain form passes its weights through this layer; the fused one tells none.
            fused.append((module, module.fused_attn))
            module.fused_attn = False  # type: ignore[assignment]
            drop: nn.Module = module.attn_drop  # type: ignore[assignment]
            hooks.append(drop.register_forward_pre_hook(lambda _, w: seen.append((None, w[0]))))
    try:
        with torch.no_grad():
            network(images)
    finally:
        for hook in hooks:
            hook.remove()
        for module, was in fused:
            module.fused_attn = was
    with torch.no_grad():
        for module, tensor in seen:
            weights = tensor if module is None else module.weights(tensor)
            if weights.ndim == 4 and weights.shape[-1] == weights.shape[-2]:
                yield _patches_only(weights)


def _is_of_timm(module: nn.Module) -> bool:
    return (
        type(module).__module__.startswith("timm.")
        and hasattr(module, "fused_attn")
        and isinstance(getattr(module, "attn_drop", None), nn.Module)
    )


def _patches_only(weights: torch.Tensor) -> torch.Tensor:
    """Leave out tokens in front of the square grid of patches."""
    side = int(weights.shape[-1] ** 0.5)
    others = weights.shape[-1] - side**2
    if not others:
        return weights
    weights = weights[..., others:, others:]
    return weights / weights.sum(-1, keepdim=True)

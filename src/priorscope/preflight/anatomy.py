"""Measure what a model is made of, without training it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from priorscope.preflight.model_trace import Reached, WeightTrace
from priorscope.preflight.twin import Twin

NONE = "none"


@dataclass(frozen=True)
class Anatomy:
    """What was measured on a model; words stand where there is nothing to count.

    Attributes
    ----------
    depth : weight layers (see `model_trace`) on the longest path from image to logits: 50 for a
        ResNet-50; a transformer block has four (queries-keys-values, projection, two of the MLP)
    stem_px : side of the square of pixels that a central position after the first weight layer
        depends on
    stem_positions : positions (tokens, pixels of the map) after the first weight layer
    receptive_field_px : side of the square of pixels that a central position of the last map
        depends on; at most the image's side. The last map is the last output of a module that
        still has several positions
    norm_layers : kinds of normalisation among the modules
    dropout : dropout and stochastic depth with a rate above zero
    positions : "learned" if learned arrays of positions are added anywhere, see `model_trace`
    """

    depth: int
    stem_px: int | str
    stem_positions: int | str
    receptive_field_px: int | str
    norm_layers: str
    dropout: str
    positions: str


def measure_anatomy(twin: Twin, *, image_px: int) -> Anatomy:
    """Measure a model on the CPU: one forward and backward pass, and some of its first layer."""
    depth, positions, field = _trace(twin, image_px)
    stem_px, stem_positions = _stem(twin, image_px)
    return Anatomy(
        depth,
        stem_px,
        stem_positions,
        field,
        _norm_layers(twin.module),
        _dropout(twin.module),
        positions,
    )


def _trace(twin: Twin, image_px: int) -> tuple[int, str, int | str]:
    """Measure depth, learned positions and the receptive field of the last map."""
    # Two images: where one has an inactive unit the other may not.
    image = torch.randn(2, 3, image_px, image_px, generator=torch.Generator().manual_seed(1))
    image.requires_grad_(True)
    last: list[torch.Tensor] = []

    def remember(module: nn.Module, inputs: object, output: object) -> None:  # noqa: ARG001
        if isinstance(output, torch.Tensor) and output.requires_grad and _has_positions(output):
            last[:] = [output]

    hooks = [module.register_forward_hook(remember) for module in twin.module.modules()]
    plain_attention = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
    trace = WeightTrace(image, twin.weights)
    try:
        with plain_attention, trace:
            logits = twin.module(image.clone())  # a model may write into its input
    finally:
        for hook in hooks:
            hook.remove()
    depth = trace.origin(logits).depth
    positions = "learned" if trace.learned_positions else NONE
    if not last:
        return depth, positions, NONE
    central = _central(last[0])
    mixture = torch.randn(central.shape, generator=torch.Generator().manual_seed(2))
    (gradient,) = torch.autograd.grad((central * mixture).sum(), image)
    touched = (gradient != 0).any(0).any(0)  # [image_px, image_px]
    return depth, positions, max(_extent(touched.any(1)), _extent(touched.any(0)))


def _has_positions(output: torch.Tensor) -> bool:
    """Tell maps [2, c, h, w] or [2, h, w, c] and tokens [2, n, c] from all else."""
    if len(output) != 2 or output.ndim not in {3, 4}:
        return False
    sides = output.shape[1:2] if output.ndim == 3 else _grid(output)
    return math.prod(sides) > 1


def _grid(output: torch.Tensor) -> Sequence[int]:
    _, first, second, third = output.shape
    return (second, third) if second == third else (first, second)  # images are square


def _central(output: torch.Tensor) -> torch.Tensor:
    """Pick the middle of a map or of tokens: [2, channels]. Class tokens stand before the grid."""
    if output.ndim == 3:
        return output[:, _middle(output.shape[1])]
    row, column = (side // 2 for side in _grid(output))
    is_channels_first = output.shape[2] == output.shape[3]
    return output[:, :, row, column] if is_channels_first else output[:, row, column]


def _middle(num_tokens: int) -> int:
    side = math.isqrt(num_tokens)
    return num_tokens - side**2 + (side // 2) * side + side // 2


def _extent(touched: torch.Tensor) -> int:
    indices = touched.nonzero()
    return int(indices.max() - indices.min()) + 1 if len(indices) else 0


def _stem(twin: Twin, image_px: int) -> tuple[int | str, int | str]:
    """Find the pixels that the middle of the first weight layer's output depends on.

    An edge of the field is where changing all rows (columns) up to it begins to change the output;
    all four are found by bisection together.
    """
    generator = torch.Generator().manual_seed(3)
    base, other = torch.randn(2, 3, image_px, image_px, generator=generator)
    low, high = [0] * 4, [image_px - 1] * 4
    num_positions = 0
    while not num_positions or low != high:
        middle = [(a + b) // 2 for a, b in zip(low, high, strict=True)]
        images = base.repeat(5, 1, 1, 1)
        for side, (image, edge) in enumerate(zip(images[1:], middle, strict=True)):
            axis, from_end = 1 + side // 2, side % 2  # top, bottom, left, right
            part = (axis, image_px - 1 - edge if from_end else 0, edge + 1)
            image.narrow(*part).copy_(other.narrow(*part))
        output = _first_layer(twin, images)
        if output is None:
            return NONE, NONE
        num_positions = output.shape[1]
        central = output[:, _middle(num_positions)]
        change = (central[1:] - central[0]).abs().amax(1)
        for side, is_touched in enumerate(change > 1e-5 * central.abs().max()):
            if is_touched:
                high[side] = middle[side]
            else:
                low[side] = min(middle[side] + 1, high[side])
    return max(image_px - low[0] - low[1], image_px - low[2] - low[3]), num_positions


def _first_layer(twin: Twin, images: torch.Tensor) -> torch.Tensor | None:
    """Return what the first weight layer makes of images: [n, positions, channels]."""
    try:
        with torch.no_grad(), WeightTrace(images, twin.weights, stop_after_layer=True):
            twin.module(images)
    except Reached as reached:
        output = reached.tensor
        if reached.is_map:
            return output.flatten(2).transpose(1, 2)
        return output.reshape(len(images), -1, output.shape[-1])
    return None


def _norm_layers(model: nn.Module) -> str:
    kinds = set()
    for module in model.modules():
        # A library's own subclass of BatchNorm2d is a BatchNorm2d.
        names = [c.__name__ for c in type(module).__mro__ if c.__module__.startswith("torch.nn.")]
        names = [name for name in names if "Norm" in name and not name.startswith("_")]
        own = type(module).__name__
        is_other = "norm" in own.lower() and not list(module.children())
        kinds |= set(names[:1] or [own] * is_other)
    return ", ".join(sorted(kinds)) or NONE


def _dropout(model: nn.Module) -> str:
    rates: dict[str, set[float]] = {}
    for module in model.modules():
        kind = type(module).__name__
        if isinstance(module, nn.MultiheadAttention):
            rate = module.dropout
        elif "drop" in kind.lower() or kind == "StochasticDepth":
            rate = getattr(module, "p", getattr(module, "drop_prob", None)) or 0.0
        else:
            continue
        if rate > 0:
            rates.setdefault(kind, set()).add(round(float(rate), 6))
    return (
        ", ".join(
            f"{kind} {min(found):g}" + (f" to {max(found):g}" if len(found) > 1 else "")
            for kind, found in sorted(rates.items())
        )
        or NONE
    )

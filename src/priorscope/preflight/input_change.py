"""What a model does to its input before its first weights."""

import itertools
from functools import partial

import torch

from priorscope.preflight.model_trace import Reached, WeightTrace
from priorscope.preflight.twin import Twin
from priorscope.training.streams import seeded_streams

UNCHANGED = "as given"


def input_change(twin: Twin, inputs: torch.Tensor, *, training: bool) -> str | None:
    """Say what a model does to its input before the first operation with trainable weights.

    Rearranging pixels into patches and the padding of a convolution change nothing, and what is
    computed from the image and is no image any more (a mean colour) is the model's architecture.
    None for a model that fails: it did so in training mode only, and its run will say why.

    Parameters
    ----------
    inputs : float32 [n, 3, image_px, image_px], preprocessed
    training : whether the model is in training mode, where it may augment by itself
    """
    twin.module.train(training)
    trace = WeightTrace(inputs, twin.weights, stop_before_weights=True)
    try:
        with seeded_streams(0), torch.no_grad(), trace:
            twin.module(inputs.clone())  # a model may write into its input
    except Reached as reached:
        seen = reached.tensor
        if not _is_image(seen, inputs):
            for is_wanted in (_is_image, _is_map):  # what was done to the image itself comes first
                image = trace.last_like(partial(is_wanted, given=inputs))
                change = UNCHANGED if image is None else describe_change(inputs, image, 1)
                if change != UNCHANGED:
                    return change
        return describe_change(inputs, seen, reached.kernel_px)
    except Exception:  # a user's module may raise anything
        if not training:
            raise
        return None
    finally:
        twin.module.eval()
    return "no trainable weights"


def describe_change(given: torch.Tensor, seen: torch.Tensor, kernel_px: int) -> str:
    """Compare what a model was given, [n, 3, s, s], with what its first weights see.

    An image keeps its pixels in place; in any other layout (patches, overlapping ones too) only
    the values are compared. Other values in a square map are an image of other channels (a grey
    one); elsewhere, and not as many, they are features of the image.
    """
    seen = seen.to(given.dtype)
    if not _is_image(seen, given):
        if not torch.isin(seen, torch.cat([given.flatten(), given.new_zeros(1)])).all():
            if _is_map(seen, given):
                return _change_of_channels(given, seen)
            return "changed by the model" if seen.numel() == given.numel() else UNCHANGED
        return UNCHANGED if torch.isin(given, seen).all() else "cut by the model"
    side, (height, width) = given.shape[2], seen.shape[2:]
    sizes = f"{side} \N{RIGHTWARDS ARROW} {height} px"
    if (height, width) == (side, side):
        return UNCHANGED if torch.equal(seen, given) else _change_of_values(given, seen)
    if min(height, width) > side and _contains(seen, given):
        is_of_layer = max(height, width) - side < max(kernel_px, 2)
        return UNCHANGED if is_of_layer else f"padded {sizes} by the model"
    if max(height, width) < side and _contains(given, seen):
        return f"cut {sizes} by the model"
    return f"resized {sizes} by the model"


def _is_image(tensor: torch.Tensor, given: torch.Tensor) -> bool:
    return tensor.ndim == 4 and tensor.shape[:2] == given.shape[:2] and tensor.is_floating_point()


def _is_map(tensor: torch.Tensor, given: torch.Tensor) -> bool:
    """Tell a square map of any channels, [n, c, s, s] or [n, s, s, c], with several positions."""
    if tensor.ndim != 4 or len(tensor) != len(given) or not tensor.is_floating_point():
        return False
    _, first, second, third = tensor.shape
    return second > 1 and second in {first, third}


def _change_of_channels(given: torch.Tensor, seen: torch.Tensor) -> str:
    _, first, side, last = seen.shape
    channels = first if side == last else last
    size = "" if side == given.shape[2] else f" of {side} px"
    return f"turned into {channels} channel{'s' * (channels > 1)}{size} by the model"


def _change_of_values(given: torch.Tensor, seen: torch.Tensor) -> str:
    x, y = (t.double().transpose(0, 1).flatten(1) for t in (given, seen))  # [3, values]
    if torch.equal(x.sort().values, y.sort().values):
        return "rearranged by the model"
    centred = x - x.mean(1, keepdim=True)
    factor = (centred * y).sum(1) / centred.square().sum(1)
    offset = y.mean(1) - factor * x.mean(1)
    residual = y - factor[:, None] * x - offset[:, None]
    if residual.abs().max() > 1e-4 * y.abs().max():
        return "changed by the model"
    factors, offsets = (" ".join(f"{v:.3g}" for v in moment) for moment in (factor, offset))
    return f"rescaled by the model (factors {factors}, offsets {offsets})"


def _contains(larger: torch.Tensor, smaller: torch.Tensor) -> bool:
    """Tell whether a map stands unchanged in another, in its middle or at an edge."""
    (height, width), (rows, columns) = smaller.shape[2:], larger.shape[2:]
    spare = [{0, n // 2, (n + 1) // 2, n} for n in (rows - height, columns - width)]
    return any(
        torch.equal(larger[:, :, top : top + height, left : left + width], smaller)
        for top, left in itertools.product(*spare)
    )

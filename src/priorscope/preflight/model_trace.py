"""Follow an image through a model, operation by operation, and note where weights meet it.

It watches what PyTorch executes, not how the model is written: modules and functional calls are
seen alike.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from priorscope.training.compiler import leave_compiler_out

# Convolutions and matrix products, as PyTorch names them after its own decomposition.
PRODUCTS = {"convolution", "_convolution", "linear", "mm", "addmm", "bmm", "baddbmm", "mv", "addmv"}


@dataclass(frozen=True)
class Origin:
    """What a tensor depends on: the image, trainable weights alone, or neither (a constant).

    `depth` counts the weight layers between the image and the tensor on the longest path.
    """

    image: bool = False
    weights: bool = False
    depth: int = 0


class Reached(Exception):
    """Carries a tensor out of a forward pass that need not go on; nothing is wrong.

    `kernel_px` is the side of the kernel that stands ready for the tensor, 1 for matrix products;
    `is_map` tells a convolution's maps [n, channels, height, width] from all else.
    """

    def __init__(self, tensor: torch.Tensor, kernel_px: int, *, is_map: bool):
        super().__init__()
        self.tensor, self.kernel_px, self.is_map = tensor, kernel_px, is_map


class WeightTrace(TorchDispatchMode):
    """Trace a forward pass of `image` through a model with the trainable `weights`.

    A *weight layer* is a convolution or matrix product of something that depends on the image
    with something that depends on trainable weights alone. Products of two things that both depend
    on the image (attention, dynamic convolution) are none.

    Parameters
    ----------
    stop_before_weights : raise `Reached` with the tensor that the first operation with trainable
        weights of any kind is about to take
    stop_after_layer : raise `Reached` with what the first weight layer gives

    Attributes
    ----------
    learned_positions : a learned array that differs along at least two axes was added to something
        that depends on the image: absolute position embeddings and relative position biases do
        this, biases of channels do not
    """

    def __init__(
        self,
        image: torch.Tensor,
        weights: Iterable[torch.Tensor],
        *,
        stop_before_weights: bool = False,
        stop_after_layer: bool = False,
    ):
        super().__init__()
        leave_compiler_out(WeightTrace.__torch_dispatch__)
        self.stop_before_weights, self.stop_after_layer = stop_before_weights, stop_after_layer
        self.learned_positions = False
        self._origins = {_storage(weight): Origin(weights=True) for weight in weights}
        self._origins[_storage(image)] = Origin(image=True)
        self._kept: list[torch.Tensor] = []  # else freed memory would be taken for its old owner

    def origin(self, tensor: torch.Tensor) -> Origin:
        """Say what a tensor of this pass depends on."""
        return self._origins.get(_storage(tensor), Origin())

    def last_like(self, wanted: Callable[[torch.Tensor], bool]) -> torch.Tensor | None:
        """Return the last tensor of this pass that depends on the image and is as wanted."""
        found = (t for t in reversed(self._kept) if self.origin(t).image and wanted(t))
        return next(found, None)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Execute one operation and note what its results depend on."""
        kwargs = kwargs or {}
        operands = list(_tensors((args, kwargs)))
        origins = [self.origin(tensor) for tensor in operands]
        image = any(origin.image for origin in origins)
        weights = [t for t, origin in zip(operands, origins, strict=True) if origin.weights]
        name = func._schema.name.removeprefix("aten::")
        is_convolution = "convolution" in name
        if image and weights:
            kernel_px = weights[0].shape[-1] if is_convolution else 1
            if self.stop_before_weights:
                seen = next(t for t, o in zip(operands, origins, strict=True) if o.image)
                raise Reached(seen, kernel_px, is_map=is_convolution)
            if name in {"add", "add_"} and any(_num_axes(weight) > 1 for weight in weights):
                self.learned_positions = True
        results = func(*args, **kwargs)
        is_layer = image and bool(weights) and name in PRODUCTS
        depth = max((origin.depth for origin in origins), default=0) + is_layer
        for result in _tensors(results):
            self._origins[_storage(result)] = Origin(image, bool(weights) and not image, depth)
            self._kept.append(result)
        if is_layer and self.stop_after_layer:
            raise Reached(results, 1, is_map=is_convolution)
        return results


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata  # views share it, and so what they depend on


def _num_axes(tensor: torch.Tensor) -> int:
    return sum(size > 1 for size in tensor.shape)


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)

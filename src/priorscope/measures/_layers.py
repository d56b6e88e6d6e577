"""The layers of a network, and what they make of images."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import isqrt

import numpy as np
import torch
from torch import nn

from priorscope.errors import InputError, unknown_name
from priorscope.measures._measurement import DoesNotApply

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_MOST_OTHER_TOKENS = 8  # class token and registers, in front of the patches
_IMAGES_AT_ONCE = 64
_COLUMNS_AT_ONCE = 65_536
_ROUNDING = 1e-13  # of the square of a float32


def layers_of(network: nn.Module, module: str | None = None) -> dict[str, nn.Module]:
    """Find the blocks of a network, in the order in which they are defined.

    Blocks are the modules of one class that holds at least half of all parameters: of several such
    classes the most frequent, and of these the outermost. A network without such a class has its
    modules with parameters and without parts.

    Parameters
    ----------
    module : that one alone, by its name in `named_modules`

    Raises
    ------
    InputError : no module has that name
    DoesNotApply : the network has no parts with parameters
    """
    named = {name: each for name, each in network.named_modules() if name}
    if module is not None:
        if module not in named:
            raise unknown_name("module", module, list(named), where="module")
        return {module: named[module]}
    of_class: dict[type, dict[str, nn.Module]] = defaultdict(dict)
    for name, each in named.items():
        if any(True for _ in each.children()) and not isinstance(each, _CONTAINERS):
            of_class[type(each)][name] = each
    half = _num_parameters([network]) / 2
    kinds = [found for found in of_class.values() if _num_parameters(found.values()) >= half]
    if kinds:
        return max(kinds, key=len)  # the first of equals: a module comes before its parts
    plain = {name: each for name, each in named.items() if not any(True for _ in each.children())}
    found = {name: each for name, each in plain.items() if _num_parameters([each])}
    if not found:
        raise DoesNotApply("the network has no layers with parameters")
    return found


def gram_matrices(
    network: nn.Module, images: torch.Tensor, layers: dict[str, nn.Module], *, pooled: bool = False
) -> dict[str, np.ndarray]:
    """Multiply what a layer makes of each image with what it makes of each other one.

    The output of a layer is flattened; the mean over images is taken away first.

    Parameters
    ----------
    images : float32 [n, 3, image_px, image_px], preprocessed
    layers : as `layers_of` finds them
    pooled : take the mean over the places of a map, or over tokens, before

    Returns
    -------
    name of the layer -> float64 [n, n], in the order in which images pass through them

    Raises
    ------
    InputError : an activation is not finite
    DoesNotApply : a layer gives no tensor with a row an image
    """
    parts: dict[str, list[torch.Tensor]] = {}
    with torch.no_grad():
        for batch in images.split(_IMAGES_AT_ONCE):
            with outputs_of(layers) as outputs:
                network(batch)
            for name, output in outputs.items():
                if len(output) != len(batch):
                    raise DoesNotApply(f"layer {name} does not give a row an image")
                parts.setdefault(name, []).append(_pooled(output) if pooled else output.flatten(1))
    if missing := layers.keys() - parts.keys():
        raise DoesNotApply(f"layer {min(missing)} gives no tensor")
    return {name: _gram(name, parts.pop(name)) for name in list(parts)}


@contextmanager
def outputs_of(layers: dict[str, nn.Module]) -> Iterator[dict[str, torch.Tensor]]:
    """Keep what layers give while images pass: the last tensor of each, in the order of passing."""
    kept: dict[str, torch.Tensor] = {}

    def keeper(name: str):
        def keep(_: nn.Module, __: object, output: object) -> None:
            first = output[0] if isinstance(output, tuple) and output else output
            if isinstance(first, torch.Tensor) and first.ndim > 1:
                kept[name] = first

        return keep

    hooks = [each.register_forward_hook(keeper(name)) for name, each in layers.items()]
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()


def map_of(output: torch.Tensor) -> torch.Tensor | None:
    """Return a map, or the tokens of patches on their grid, as [n, channels, side, side].

    Tokens in front of the patches (a class token, registers) are left out. None if it is neither.
    """
    if output.ndim == 4:
        _, first, second, third = output.shape
        if second == third > 1 and not first == second != third:
            return output
        if first == second > 1:  # channels last, as in some of timm's transformers
            return output.movedim(3, 1)
    if output.ndim == 3 and output.shape[1] > 1:
        side = isqrt(output.shape[1])
        others = output.shape[1] - side**2
        if side > 1 and others <= _MOST_OTHER_TOKENS:
            return output[:, others:].transpose(1, 2).unflatten(2, (side, side))
    return None


def _num_parameters(modules: Iterable[nn.Module]) -> int:
    shared = {id(p): p.numel() for each in modules for p in each.parameters()}
    return sum(shared.values())


def _pooled(output: torch.Tensor) -> torch.Tensor:
    """Average a map, or tokens of patches, over places: [n, channels]; others as they are."""
    if (maps := map_of(output)) is not None:
        return maps.mean((2, 3))
    return output.flatten(1)


def _gram(name: str, parts: list[torch.Tensor]) -> np.ndarray:
    """Return the inner products of centred rows, a few columns at a time in float64.

    They are 0 where rows differ by no more than the rounding of float32.
    """
    n, width = sum(map(len, parts)), parts[0].shape[1]
    gram = torch.zeros(n, n, dtype=torch.float64, device=parts[0].device)
    whole = 0.0
    for start in range(0, width, _COLUMNS_AT_ONCE):
        columns = torch.cat([part[:, start : start + _COLUMNS_AT_ONCE].double() for part in parts])
        whole += float(columns.square().sum())
        columns -= columns.mean(0)
        gram += columns @ columns.T
    if not gram.isfinite().all():
        raise InputError("an activation is not finite", where=f"layer {name}")
    if float(gram.trace()) <= _ROUNDING * whole:
        gram.zero_()
    return gram.cpu().numpy()

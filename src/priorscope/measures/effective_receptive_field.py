"""How far a position of a network's last map really looks: where its gradient lies."""

import copy

import numpy as np
import torch
from torch import nn

from priorscope.bias import Bias
from priorscope.errors import unknown_name
from priorscope.measures._layers import map_of
from priorscope.measures._measurement import DoesNotApply, Measurement
from priorscope.metrics import Scale

SHARES = {"half": 0.5, "nine_tenths": 0.9}
SUPPORT = "support"
BIAS = Bias(
    "How far a position looks",
    "a position of the last map sees what is near",
    "it sees much of the image",
    "In pixels of the network's own input; the gradient is not yet what decides the answer.",
)
_IMAGES_AT_ONCE = 32


def effective_receptive_field(
    network: nn.Module,
    images: torch.Tensor,
    *,
    rng: np.random.Generator,
    module: str | None = None,
) -> Measurement:
    """Count the pixels that hold half of the gradient of a central position, on each image.

    The position is the central one of the last module that gives a map or tokens of patches (of an
    even grid, the one right below the middle). Its channels are summed with random normal weights,
    drawn for each image: the squared gradient is then, on average over weights, the sum of the
    channels' squares, and channels that see the same do not cancel. A pixel counts by the Euclidean
    norm of the gradient over its colours, float64.

    Luo et al. 2016 (arXiv:1701.04128). Deviations: random weights in place of a plain sum; an area
    for each image, so that images can be a random sample, where the paper takes the gradient's
    average over images, whose area is larger.

    Parameters
    ----------
    images : float32 [n, 3, image_px, image_px], preprocessed
    module : whose output to look at, by its name in `named_modules`; by default the last one

    Returns
    -------
    arms `half`, `nine_tenths` : the fewest pixels that hold such a part of the gradient;
    `support` : the pixels whose gradient is not zero, at most what the architecture can reach

    Raises
    ------
    DoesNotApply : no module gives a map or patches, or the gradient is zero everywhere
    InputError : no module has that name
    """
    names = [name for name, _ in network.named_modules() if name]
    if module is not None and module not in names:
        raise unknown_name("module", module, names, where="module")
    exact = copy.deepcopy(network).double()
    found = [
        _gradients(exact, part.double(), rng, module) for part in images.split(_IMAGES_AT_ONCE)
    ]
    weights = np.concatenate(found)
    if not weights.any(axis=1).all():
        raise DoesNotApply("the central position has no gradient on some images")
    falling = -np.sort(-weights, axis=1)
    reached = np.cumsum(falling, axis=1) / falling.sum(axis=1, keepdims=True)
    areas = {arm: 1 + (reached < share - 1e-12).sum(axis=1) for arm, share in SHARES.items()}
    areas[SUPPORT] = (weights > 0).sum(axis=1)
    return Measurement(
        values=np.concatenate(list(areas.values())).astype(float),
        ids=np.tile(np.arange(len(images)), len(areas)),
        conditions={"arm": np.repeat(list(areas), len(images))},
    )


def scale(*, module: str | None = None) -> Scale:  # noqa: ARG001
    """Return pixels, from 1 on."""
    return Scale("Effective receptive field", 1.0, None, "px", "pixels", 1.0, 0)


def _gradients(
    network: nn.Module, images: torch.Tensor, rng: np.random.Generator, module: str | None
) -> np.ndarray:
    """Return the gradient's norm over colours at each pixel, float64 [n, pixels]."""
    images = images.detach().requires_grad_()
    last: dict[str, torch.Tensor] = {}

    def keep(_: nn.Module, __: object, output: object) -> None:
        if isinstance(output, torch.Tensor) and (maps := map_of(output)) is not None:
            last["centre"] = maps[:, :, maps.shape[2] // 2, maps.shape[3] // 2]

    hooks = [
        each.register_forward_hook(keep)
        for name, each in network.named_modules()
        if (name == module if module is not None else name)
    ]
    try:
        with torch.enable_grad():
            network(images)
    finally:
        for hook in hooks:
            hook.remove()
    if "centre" not in last:
        found = f"module {module}" if module is not None else "any module"
        raise DoesNotApply("no map and no patches to look at", found=found)
    centre = last["centre"]
    drawn = torch.as_tensor(rng.standard_normal(tuple(centre.shape)), device=centre.device)
    gradient = None
    if centre.requires_grad:
        (gradient,) = torch.autograd.grad((centre * drawn).sum(), images, allow_unused=True)
    if gradient is None:
        raise DoesNotApply("the central position does not depend on the image")
    return gradient.norm(dim=1).flatten(1).cpu().numpy()

"""How much of a network's feature maps lies at high spatial frequencies, block by block."""

import numpy as np
import torch
from torch import nn

from priorscope.bias import Bias
from priorscope.measures._layers import layers_of, map_of, outputs_of
from priorscope.measures._measurement import WHOLE, DoesNotApply, Measurement
from priorscope.metrics import Scale

HIGH = 2 / 3  # of the highest frequency along an axis, half a cycle a place: what counts as high
FLOOR = 1e-6  # of all amplitude: what float32 cannot tell from none
_FEWEST_PLACES = 4  # along a side
BIAS = Bias(
    "High frequencies in feature maps",
    "maps are smooth",
    "maps keep fine detail",
    "Of amplitudes inside the network: not of what its answers depend on.",
)
_IMAGES_AT_ONCE = 64


def feature_spectrum(
    network: nn.Module,
    images: torch.Tensor,
    *,
    rng: np.random.Generator,  # noqa: ARG001
    module: str | None = None,
) -> Measurement:
    """Return the log amplitude of feature maps at high frequencies, relative to frequency zero.

    Of a block's maps (or tokens on their grid) the amplitude of the discrete Fourier transform is
    taken, its root mean square over channels at frequency zero, and that over channels and all
    frequencies of at least 2/3 of the highest along either axis. The value is the natural logarithm
    of their ratio: 0 for white noise, below it the smoother a map is. A map that is constant has
    log(1e-6) = -13.8, the floor.

    Park and Kim 2022 (arXiv:2202.06709, figure 2). Deviations: a band in place of the highest
    frequency on the diagonal; root mean squares, so that channels without amplitude do not make a
    logarithm infinite; blocks of less than 4 x 4 places are left out.

    Parameters
    ----------
    images : float32 [n, 3, image_px, image_px], preprocessed
    module : whose output to look at, by its name in `named_modules`; by default all blocks

    Returns
    -------
    arms `all`: the mean over blocks; `block 1`, ..., with `block` as a condition (0 in `all`)

    Raises
    ------
    DoesNotApply : no block gives a map or tokens of patches of at least 4 x 4 places
    InputError : no module has that name
    """
    layers = layers_of(network, module)
    found: dict[str, list[np.ndarray]] = {}
    with torch.no_grad():
        for part in images.split(_IMAGES_AT_ONCE):
            with outputs_of(layers) as outputs:
                network(part)
            for name, output in outputs.items():
                maps = map_of(output)
                if maps is not None and min(maps.shape[2:]) >= _FEWEST_PLACES:
                    found.setdefault(name, []).append(_relative(maps.double()).cpu().numpy())
    if not found:
        raise DoesNotApply("no block gives a map or patches of at least 4 x 4 places")
    by_block = np.stack([np.concatenate(parts) for parts in found.values()])
    numbers = [number for number, name in enumerate(outputs, start=1) if name in found]
    arms, n = [WHOLE, *(f"block {number}" for number in numbers)], len(images)
    return Measurement(
        values=np.concatenate([by_block.mean(axis=0), *by_block]),
        ids=np.tile(np.arange(n), len(arms)),
        conditions={"arm": np.repeat(arms, n), "block": np.repeat([0, *numbers], n)},
    )


def scale(*, module: str | None = None) -> Scale:  # noqa: ARG001
    """Return natural logarithms, without bounds."""
    return Scale("High against zero frequency, log amplitude", None, None, "", "", 1.0, 2)


def _relative(maps: torch.Tensor) -> torch.Tensor:
    """Compare amplitudes of maps [n, channels, h, w]: float64 [n]."""
    power = torch.fft.fft2(maps).abs().square().mean(dim=1)  # over channels
    along = [torch.fft.fftfreq(size, device=maps.device).abs() for size in maps.shape[2:]]
    high = torch.maximum(along[0][:, None], along[1][None]) >= HIGH / 2 - 1e-9
    floor = FLOOR**2 * power.sum(dim=(1, 2)) + torch.finfo(torch.float64).tiny
    at_high, at_zero = power[:, high].mean(dim=1), power[:, 0, 0]
    return (torch.maximum(at_high, floor) / torch.maximum(at_zero, floor)).log() / 2

"""Which spatial frequencies change a network's answers."""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field, PositiveInt
from torch import nn

from priorscope.bias import Bias
from priorscope.measures._measurement import Measurement
from priorscope.metrics import Scale

BIAS = Bias(
    "Rise of sensitivity with frequency",
    "low frequencies change more answers",
    "high frequencies change more answers",
    "The slope of a curve that need not be straight: see its picture.",
)
_IMAGES_AT_ONCE = 256


def fourier_sensitivity(
    network: nn.Module,
    images: torch.Tensor,
    *,
    rng: np.random.Generator,
    contrast: Annotated[float, Field(gt=0)] = 0.3,
    waves_a_ring: PositiveInt = 2,
) -> Measurement:
    """Count the answers that a single wave changes, by its frequency.

    Each image is shown with plane waves of one frequency each, of random direction and phase, alike
    in all channels: `waves_a_ring` in every ring of one cycle an image, from 1 to half the image's
    pixels. Every wave has the same root mean square: `contrast`, in units of the preprocessed
    values (the standard deviation of a channel, as a study normalises). A ring's value is the share
    of its waves that change an image's answer.

    The measure itself, `slope`, is the straight line through an image's rings: how much the share
    rises from frequency 0 to the highest, half a cycle a pixel. Below 0: low frequencies change
    more answers.

    Yin et al. 2019 (arXiv:1906.08988, section 3.2). Deviations: changes of answers and not errors;
    waves drawn in rings for each image, where the paper shows every image every wave; the contrast
    is that of the wave as it is added, without clipping.

    Parameters
    ----------
    images : float32 [n, 3, image_px, image_px], preprocessed
    contrast : root mean square of a wave
    waves_a_ring : more give each image a finer share, at as many passes

    Returns
    -------
    arms `slope`; `ring 1`, `ring 2`, ...: shares, with `cycles` as a condition (0 for the slope)
    """
    n, _, px, _ = images.shape
    rings = np.arange(1, px // 2 + 1)
    y, x = (
        grid.to(images.device) for grid in torch.meshgrid(*[torch.arange(px)] * 2, indexing="ij")
    )
    changed = np.zeros((len(rings), n))
    with torch.no_grad():
        said = torch.cat([network(part).argmax(1) for part in images.split(_IMAGES_AT_ONCE)])
        for ring, cycles in enumerate(rings.tolist()):
            for _ in range(waves_a_ring):
                rows, columns = _in_ring(cycles, n, rng)
                phase = rng.uniform(0, 2 * np.pi, n)
                for start in range(0, n, _IMAGES_AT_ONCE):
                    part = slice(start, start + _IMAGES_AT_ONCE)
                    fy, fx, shift = (
                        torch.as_tensor(each[part], device=images.device)[:, None, None]
                        for each in (rows, columns, phase)
                    )
                    wave = torch.cos(2 * torch.pi * (fy * y + fx * x) / px + shift)
                    size = wave.square().mean(dim=(1, 2), keepdim=True).sqrt().clamp(min=1e-12)
                    wave = (contrast * wave / size).to(images.dtype)[:, None]
                    answers = network(images[part] + wave).argmax(1)
                    changed[ring, part] += (answers != said[part]).cpu().numpy()
    changed /= waves_a_ring
    frequency = rings / rings[-1]
    away = frequency - frequency.mean()
    slope = away @ changed / (away @ away) if len(rings) > 1 else np.zeros(n)
    arms = ["slope", *(f"ring {cycles}" for cycles in rings)]
    return Measurement(
        values=np.concatenate([slope, *changed]),
        ids=np.tile(np.arange(n), len(arms)),
        conditions={"arm": np.repeat(arms, n), "cycles": np.repeat(np.append(0, rings), n)},
    )


def scale(*, contrast: float = 0.3, waves_a_ring: int = 2) -> Scale:  # noqa: ARG001
    """Return the rise of a share, without bounds of its own."""
    return Scale("Fourier sensitivity", None, None, "", "rise of the share of answers", 1.0, 2)


def _in_ring(cycles: int, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw whole frequencies (rows, columns) within half a cycle of a radius: int64 [n] each."""
    reach = np.arange(-cycles, cycles + 1)
    rows, columns = (grid.ravel() for grid in np.meshgrid(reach, reach, indexing="ij"))
    inside = np.flatnonzero(np.rint(np.hypot(rows, columns)) == cycles)
    chosen = inside[rng.integers(len(inside), size=n)]
    return rows[chosen], columns[chosen]

"""Images without their fine or their coarse half, and under noise of one octave."""

from typing import Annotated

import numpy as np
from pydantic import Field, PositiveInt
from scipy import fft

from priorscope.bias import Bias
from priorscope.data import LabeledImages
from priorscope.errors import InputError
from priorscope.probes._altered import GREY, altered_images, drawn_rows, to_bytes
from priorscope.probes._probe_set import ProbeSet

OVERLAPS = ("blur", "noise")  # see `preflight/overlaps.py`

FULL = 255.0


BIASES = {
    "low_pass": Bias(
        "Low frequencies alone",
        "it needs fine detail",
        "coarse structure is enough",
        "Averaged over the radii of the study.",
    ),
    "high_pass": Bias(
        "High frequencies alone",
        "it needs coarse structure and colour",
        "fine detail is enough",
        "The mean of the image is grey in these arms.",
    ),
    "noise": Bias(
        "Noise of one octave",
        "noise drowns what it goes by",
        "noise of this contrast leaves it alone",
        "Averaged over octaves: the curve says which.",
    ),
}


def frequency(
    source: LabeledImages,
    *,
    rng: np.random.Generator,
    num_images: Annotated[int, Field(ge=1)] = 2000,
    cycles: tuple[PositiveInt, ...] = (2, 4, 8),
    contrast: Annotated[float, Field(gt=0, le=0.5)] = 0.1,
) -> ProbeSet:
    """Show parts of the spectrum of the same images, and all of it under noise of one octave.

    - `low_pass_<c>`: frequencies of at most c cycles an image;
    - `high_pass_<c>`: those above, on mid-grey: the two add up to the image and its mean;
    - `noise_<c>`: the image with Gaussian noise between c and 2 c cycles an image, drawn for each
      image, whose standard deviation is `contrast` of the full range in each channel, the same in
      all octaves: where the score falls is the band that a network listens to;
    - `intact`: the images as they are.

    Frequencies are radial, of the discrete Fourier transform of each channel; masks are sharp, so
    that low and high pass share nothing. The sharp edge rings, and values outside 0 .. 255 are cut
    off: `change` says how far an image really moved.

    Low and high pass after Yin et al. 2019 (arXiv:1906.08988), noise in octaves after Subramanian
    et al. 2023 (arXiv:2309.13190, the critical band of people and networks). Deviations: colour
    images at their own contrast, where the latter reduces contrast and shows grey.

    Control models: a model that answers by an image's mean colour alone answers every low-pass
    image as the image itself, and all high-pass images alike (but for values that are cut off).

    Parameters
    ----------
    num_images : how many images, at most all of the source
    cycles : radii in cycles an image, below half its pixels; the first is what the probe is about
    contrast : of the noise

    Returns
    -------
    ProbeSet : images [num_images * num_arms, image_px, image_px, 3], arm by arm; conditions `arm`,
        `cycles` (0 for `intact`) and `change`

    Raises
    ------
    InputError : radii that stand twice or that the image cannot show; more images than there are
    """
    most = source.image_px // 2
    if not cycles or len(set(cycles)) < len(cycles) or max(cycles) >= most:
        raise InputError(
            "radii are given once each, in cycles an image",
            where="cycles",
            found=list(cycles),
            allowed=f"1 .. {most - 1} for images of {source.image_px} px",
        )
    rows = drawn_rows(source, num_images, rng)
    images = source.images[rows].astype(np.float32)
    coarse = {c: band(images, 0, c) for c in cycles}
    arms = {f"low_pass_{c}": to_bytes(coarse[c]) for c in cycles}
    arms |= {f"high_pass_{c}": to_bytes(images - coarse[c] + GREY) for c in cycles}
    white = rng.standard_normal(images.shape, dtype=np.float32)
    for c in cycles:
        noise = band(white, c, 2 * c)
        noise /= noise.std(axis=(1, 2), keepdims=True)
        arms[f"noise_{c}"] = to_bytes(images + np.float32(contrast * FULL) * noise)
    return altered_images(source, rows, arms, cycles=[*cycles, *cycles, *cycles, 0])


def band(images: np.ndarray, low: float, high: float) -> np.ndarray:
    """Keep frequencies above `low` and up to `high` cycles an image; `low` 0 keeps the mean too.

    Bands that cover all frequencies once add up to the images, and so do their powers (Parseval).

    Parameters
    ----------
    images : float32 [n, side, side, channels]

    Returns
    -------
    float32, like `images`
    """
    side = images.shape[1]
    y, x = fft.fftfreq(side, 1 / side)[:, None], fft.rfftfreq(side, 1 / side)[None, :]
    radius = np.hypot(y, x)
    kept = (radius > low) & (radius <= high)
    kept[0, 0] = low <= 0
    spectrum = np.asarray(fft.rfft2(images, axes=(1, 2)))
    spectrum *= kept[None, :, :, None]
    return np.asarray(fft.irfft2(spectrum, s=(side, side), axes=(1, 2)), dtype=np.float32)

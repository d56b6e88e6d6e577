"""Random fields from which the procedural backgrounds are built.

Every function returns square float32 pictures that wrap around at their edges and draws from the
given generator only. Lengths are fractions of the picture, so that a picture shows the same view
at any size; frequencies are cycles per picture.
"""

from typing import NamedTuple

import numpy as np
from scipy import fft


def coordinates(size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Return y [size, 1] and x [1, size] of the pixels' centres, in 0 .. 1."""
    centres = (np.arange(size_px, dtype=np.float32) + np.float32(0.5)) / np.float32(size_px)
    return centres[:, None], centres[None, :]


def spectral_noise(
    size_px: int,
    rng: np.random.Generator,
    exponent: float,
    *,
    low: float = 0.0,
    high: float = np.inf,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> np.ndarray:
    """Draw Gaussian noise whose amplitude falls as frequency ** -exponent.

    Parameters
    ----------
    exponent : 0 white, 1 pink (power 1/f^2 in the plane), 2 brown
    low, high : band edges in cycles per picture; amplitude falls off softly outside
    stretch : how much longer the features are along (y, x) than they would be

    Returns
    -------
    float32 [size, size], mean 0 and standard deviation 1
    """
    white = rng.standard_normal((size_px, size_px), dtype=np.float32)
    spectrum = np.asarray(fft.rfft2(white))
    fy = fft.fftfreq(size_px, 1 / size_px).astype(np.float32)[:, None] * np.float32(stretch[0])
    fx = fft.rfftfreq(size_px, 1 / size_px).astype(np.float32)[None, :] * np.float32(stretch[1])
    squared = fy**2 + fx**2
    squared[0, 0] = 1
    amplitude = squared ** np.float32(-exponent / 2)
    if np.isfinite(high):
        amplitude *= np.exp(-squared / np.float32(2 * high**2))
    if low > 0:
        amplitude *= 1 - np.exp(-squared / np.float32(2 * low**2))
    amplitude[0, 0] = 0
    noise = np.asarray(fft.irfft2(spectrum * amplitude, s=(size_px, size_px)))
    # A one-pixel picture, or a band that holds no frequency, has nothing to scale.
    deviation = noise.std()
    return noise / deviation if deviation > 1e-12 else noise


def smooth_curve(
    num_points: int, rng: np.random.Generator, exponent: float, high: float = np.inf
) -> np.ndarray:
    """Draw a random curve with amplitude frequency ** -exponent.

    Returns
    -------
    float32 [num_points], mean 0 and standard deviation 1
    """
    spectrum = np.asarray(fft.rfft(rng.standard_normal(num_points, dtype=np.float32)))
    f = np.arange(len(spectrum), dtype=np.float32)
    f[0] = 1
    amplitude = f ** np.float32(-exponent) * (f <= high)
    amplitude[0] = 0
    curve = np.asarray(fft.irfft(spectrum * amplitude, n=num_points))
    return curve / max(float(curve.std()), 1e-12)


class Cells(NamedTuple):
    """Cellular noise: for each pixel its distance to the nearest and second nearest point.

    `nearest` and `second` are in units of a cell; `cell` is the nearest point's index,
    0 .. num_cells - 1; `dy` and `dx` lead from that point to the pixel, in units of a cell.
    """

    nearest: np.ndarray
    second: np.ndarray
    cell: np.ndarray
    dy: np.ndarray
    dx: np.ndarray
    num_cells: int


def cellular_noise(
    y: np.ndarray,
    x: np.ndarray,
    rng: np.random.Generator,
    cells: tuple[int, int],
    jitter: float = 0.9,
) -> Cells:
    """Draw cellular noise at the places y, x (Worley, 1996), one jittered point in each cell.

    Parameters
    ----------
    y, x : float32 [size, size], in pictures (warp them for irregular cells)
    cells : how many cells along (y, x)
    jitter : 0 for a regular grid, 1 for points anywhere in their cells
    """
    rows, columns = cells
    point_y, point_x = 0.5 + jitter * (rng.random((2, rows, columns), dtype=np.float32) - 0.5)
    y, x = np.broadcast_arrays(y * np.float32(rows), x * np.float32(columns))
    row, column = np.floor(y).astype(np.int32), np.floor(x).astype(np.int32)
    within_y, within_x = y - row, x - column
    nearest = np.full(y.shape, np.inf, dtype=np.float32)
    second = nearest.copy()
    cell = np.zeros(y.shape, dtype=np.int32)
    offset_y, offset_x = np.zeros_like(nearest), np.zeros_like(nearest)
    for step_y in (-1, 0, 1):
        rows_at = (row + step_y) % rows * columns
        for step_x in (-1, 0, 1):
            index = rows_at + (column + step_x) % columns
            dy = within_y - (point_y.ravel()[index] + np.float32(step_y))
            dx = within_x - (point_x.ravel()[index] + np.float32(step_x))
            squared = dy * dy + dx * dx
            closer = squared < nearest
            second = np.where(closer, nearest, np.minimum(second, squared))
            nearest = np.where(closer, squared, nearest)
            cell = np.where(closer, index, cell)
            offset_y, offset_x = np.where(closer, dy, offset_y), np.where(closer, dx, offset_x)
    return Cells(np.sqrt(nearest), np.sqrt(second), cell, offset_y, offset_x, rows * columns)

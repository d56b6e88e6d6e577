"""Colour, light and strokes for the procedural backgrounds.

Colours are float32 in 0 .. 1, last axis RGB. Light comes from the upper left.
"""

from collections.abc import Sequence

import numpy as np


def rgb(code: str) -> np.ndarray:
    """Read "#rrggbb" as float32 [3]."""
    return np.frombuffer(bytes.fromhex(code[1:]), dtype=np.uint8).astype(np.float32) / 255


def colour_map(values: np.ndarray, stops: Sequence[str]) -> np.ndarray:
    """Map values in 0 .. 1 (clipped) to colours between equally spaced stops, [...] -> [..., 3]."""
    places = np.linspace(0, 1, len(stops))
    levels = np.linspace(0, 1, 1024)
    table = np.stack(
        [np.interp(levels, places, channel) for channel in np.stack([rgb(s) for s in stops]).T], -1
    ).astype(np.float32)
    return table[np.clip(values * 1023 + 0.5, 0, 1023).astype(np.int32)]


def mix(under: np.ndarray, over: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Lay colours over colours; opacity [...] in 0 .. 1."""
    return under + (over - under) * opacity[..., None]


def smoothstep(low: float | np.ndarray, high: float | np.ndarray, values: np.ndarray) -> np.ndarray:
    """Rise from 0 at `low` to 1 at `high` without a kink."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def relief(height: np.ndarray, strength: float) -> np.ndarray:
    """Light a wrapping height map [size, size] from the upper left; flat ground gives 0.

    `strength` is height in pictures per unit; the result lies in about -1 .. 1.
    """
    scale = np.float32(strength * len(height) / 2)
    slope_y = (np.roll(height, -1, 0) - np.roll(height, 1, 0)) * scale
    slope_x = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) * scale
    light = np.array([-0.45, -0.45, 0.77], dtype=np.float32)  # y, x and upwards
    lit = (light[2] - light[0] * slope_y - light[1] * slope_x) / np.sqrt(
        1 + slope_y**2 + slope_x**2
    )
    return lit - light[2]


def stamp(canvas: np.ndarray, y: np.ndarray, x: np.ndarray, values: np.ndarray) -> None:
    """Set the canvas [size, size] at the places y, x [...], in pictures, to values [...].

    Where places coincide the last one wins; they wrap around at the edges.
    """
    size = len(canvas)
    # Adding 4 makes every place positive, so that cutting off the fraction rounds down.
    row = ((y + 4) * np.float32(size)).astype(np.int32) % size
    column = ((x + 4) * np.float32(size)).astype(np.int32) % size
    row *= size
    row += column
    canvas.reshape(-1)[row.ravel()] = np.broadcast_to(values, row.shape).ravel()


def shrink(canvas: np.ndarray) -> np.ndarray:
    """Average 2 x 2 pixels: strokes drawn at twice the size come out with soft edges."""
    size = len(canvas) // 2
    return canvas.reshape(size, 2, size, 2, 3).mean(axis=(1, 3))

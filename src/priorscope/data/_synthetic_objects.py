"""Images of one object that fills the frame; the class names its texture, colour and shape.

No factor gives the class away: each texture and each colour is shared by three or four of the ten
classes, each shape by two or three, and every class has a twin that differs in one factor only. A
classifier that is blind to shape, colour or texture cannot pass 60, 70 or 70 %; one that sees only
shape, colour or texture cannot pass 40, 30 or 30 %.

Hues are drawn around the centre of a colour, and those of two colours overlap a little. Position,
size, rotation, the scale, phase and direction of the texture, lighting, the tones of the object and
the background are drawn independently of the class.
"""

from collections.abc import Callable

import numpy as np

from priorscope.data._synthetic_stream import IMAGE_PX, Block, balanced_labels

SHAPES = ("square", "triangle", "disc", "star")
TEXTURES = ("striped", "checked", "dotted")
COLOURS = ("red", "green", "blue")
CLASS_NAMES = (
    "dotted red square",
    "dotted green square",
    "checked green triangle",
    "dotted green triangle",
    "striped blue disc",
    "checked green disc",
    "checked blue disc",
    "striped red star",
    "striped blue star",
    "dotted red star",
)
# int64 [10, 3]: texture, colour and shape of each class
CLASS_FACTORS = np.array(
    [
        (TEXTURES.index(texture), COLOURS.index(colour), SHAPES.index(shape))
        for texture, colour, shape in (name.split() for name in CLASS_NAMES)
    ]
)

_HUE_SIGMA = 0.06  # in turns; the centres of two colours are 1/3 apart
_CHUNK_SIZE = 42  # its planes stay in a core's cache
_GRID_PX = np.arange(IMAGE_PX) - (IMAGE_PX - 1) / 2
# Homogeneous pixel coordinates from the image's centre (x right, y down, 1): float32 [3, 1024]
_PIXELS = np.stack(
    [*(axis.ravel() for axis in np.meshgrid(_GRID_PX, _GRID_PX)), np.ones(IMAGE_PX**2)]
).astype(np.float32)


def draw_objects(num_images: int, rng: np.random.Generator) -> Block:
    """Draw images of one object each.

    Factors, each of shape [n]: `texture`, `colour`, `shape` (int64, indices of `TEXTURES`,
    `COLOURS`, `SHAPES`); `hue` (turns), `x_px`, `y_px` (from the image's centre), `radius_px` (of a
    disc of the object's size), `angle`, `texture_angle` (radians), `texture_period_px`.
    """
    labels = balanced_labels(num_images, len(CLASS_NAMES), rng)
    texture, colour, shape = CLASS_FACTORS[labels].T
    factors = {
        "texture": texture,
        "colour": colour,
        "shape": shape,
        **draw_surroundings((colour / 3 + rng.normal(0, _HUE_SIGMA, num_images)) % 1, rng),
    }
    return Block(paint_objects(shape, texture, factors, rng), labels, factors)


def draw_surroundings(hue: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw what does not depend on the class, beside the hue: factors of `draw_objects`, [n]."""
    n = len(hue)
    return {
        "hue": hue,
        "x_px": rng.uniform(-2, 2, n),
        "y_px": rng.uniform(-2, 2, n),
        "radius_px": rng.uniform(11, 13.5, n),
        "angle": rng.uniform(0, 2 * np.pi, n),
        "texture_angle": rng.uniform(0, 2 * np.pi, n),
        "texture_period_px": rng.uniform(6, 9, n),
    }


def paint_objects(
    shape: np.ndarray,
    texture: np.ndarray,
    factors: dict[str, np.ndarray],
    rng: np.random.Generator,
    *,
    grey: np.ndarray | None = None,
) -> np.ndarray:
    """Paint an object each: uint8 [n, 32, 32, 3].

    Parameters
    ----------
    shape, texture : int64 [n]; a shape of -1 fills the frame, a texture of -1 is plain
    factors : as `draw_surroundings` gives them
    grey : bool [n]: whose objects have no hue
    """
    num_images = len(shape)
    frames = _frames(factors, rng)
    palettes = _palettes(factors["hue"], rng)
    if grey is not None:
        palettes[grey, :2] = palettes[grey, :2].mean(axis=2, keepdims=True)
    images = np.frombuffer(rng.bytes(num_images * IMAGE_PX**2 * 3), dtype=np.uint8) >> 5
    images = images.reshape(num_images, IMAGE_PX**2, 3)  # noise, 0 .. 7, that the drawing joins
    kinds, kind = np.unique(np.stack([shape, texture]), axis=1, return_inverse=True)
    for number, (of_shape, of_texture) in enumerate(kinds.T.tolist()):
        members = np.flatnonzero(kind.ravel() == number)
        for start in range(0, len(members), _CHUNK_SIZE):
            chosen = members[start : start + _CHUNK_SIZE]
            radius = factors["radius_px"][chosen, None].astype(np.float32)
            period = factors["texture_period_px"][chosen, None].astype(np.float32)
            planes = frames[chosen] @ _PIXELS
            distance = _SHAPES[of_shape](planes[:, 0], planes[:, 1], radius)
            pattern = _TEXTURES[of_texture](planes[:, 2], planes[:, 3], period)
            layers = _layers(distance, pattern, planes[:, 4], planes[:, 5])
            images[chosen] += (layers.transpose(0, 2, 1) @ palettes[chosen]).astype(np.uint8)
    return images.reshape(num_images, IMAGE_PX, IMAGE_PX, 3)


def _frames(factors: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Draw the affine maps from pixels to planes: float32 [n, 6, 3].

    Planes 0, 1: position in the object's frame (px); 2, 3: phase of the texture (radians);
    4: light on the object; 5: phase of the background (radians).
    """
    n = len(factors["hue"])
    frames = np.zeros((n, 6, 3))
    cos, sin = np.cos(factors["angle"]), np.sin(factors["angle"])
    frames[:, 0, :2] = np.stack([cos, sin], axis=1)
    frames[:, 1, :2] = np.stack([-sin, cos], axis=1)
    angle, frequency = factors["texture_angle"], 2 * np.pi / factors["texture_period_px"]
    frames[:, 2, :2] = np.stack([np.cos(angle), np.sin(angle)], axis=1) * frequency[:, None]
    frames[:, 3, :2] = np.stack([-np.sin(angle), np.cos(angle)], axis=1) * frequency[:, None]
    angle, slope = rng.uniform(0, 2 * np.pi, n), rng.uniform(0, 0.025, n)
    frames[:, 4, :2] = np.stack([np.cos(angle), np.sin(angle)], axis=1) * slope[:, None]
    frames[:, 4, 2] = 1
    centre = np.stack([factors["x_px"], factors["y_px"]], axis=1)
    frames[:, :5, 2] -= np.einsum("nkd,nd->nk", frames[:, :5, :2], centre)
    frames[:, 2:4, 2] += rng.uniform(0, 2 * np.pi, (n, 2))
    angle, frequency = rng.uniform(0, 2 * np.pi, n), 2 * np.pi / rng.uniform(20, 80, n)
    frames[:, 5, :2] = np.stack([np.cos(angle), np.sin(angle)], axis=1) * frequency[:, None]
    frames[:, 5, 2] = rng.uniform(0, 2 * np.pi, n)
    return frames.astype(np.float32)


def _palettes(hue: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the colours of object, pattern and both tones of the background: float32 [n, 4, 3]."""
    n = len(hue)
    saturation, value = rng.uniform(0.6, 0.95, n), rng.uniform(0.55, 0.95, n)
    body = _rgb(hue, saturation, value)
    light = _rgb(hue, saturation * rng.uniform(0.1, 0.35, n), rng.uniform(0.9, 1, n))
    dark = _rgb(hue, saturation, value * rng.uniform(0.2, 0.4, n))
    tone = np.where(rng.random((n, 1)) < 0.5, light, dark)
    swap = rng.random((n, 1)) < 0.5
    around = rng.random(n)
    first = _rgb(around, rng.uniform(0, 0.4, n), rng.uniform(0.25, 0.95, n))
    second = _rgb(
        around + rng.normal(0, 0.1, n), rng.uniform(0, 0.4, n), rng.uniform(0.25, 0.95, n)
    )
    colours = [np.where(swap, tone, body), np.where(swap, body, tone), first, second]
    return np.stack(colours, axis=1).astype(np.float32) * 248  # room for the noise


def _rgb(hue: np.ndarray, saturation: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Convert hue (turns), saturation and value to RGB in 0 .. 1: [n, 3]."""
    k = (np.array([5, 3, 1]) + hue[:, None] * 6) % 6
    ramp = np.clip(np.minimum(k, 4 - k), 0, 1)
    return value[:, None] * (1 - saturation[:, None] * ramp)


def _layers(distance, pattern, light, phase) -> np.ndarray:
    """Weigh the four colours of a palette in each pixel: float32 [n, 4, 1024], sums <= 1."""
    cover = np.clip(0.5 - distance, 0, 1)  # the edge is one pixel wide: anti-aliased
    light = light - np.float32(0.3)
    light += np.clip(distance * np.float32(-0.08), 0, 0.3)  # darker rim
    np.clip(light, 0, 1, out=light)
    light *= cover
    layers = np.empty((len(distance), 4, distance.shape[1]), dtype=np.float32)
    np.multiply(light, pattern, out=layers[:, 1])
    np.subtract(light, layers[:, 1], out=layers[:, 0])
    wave = np.sin(phase)
    wave *= np.float32(0.5)
    wave += np.float32(0.5)
    np.subtract(1, cover, out=cover)
    np.multiply(cover, wave, out=layers[:, 3])
    np.subtract(cover, layers[:, 3], out=layers[:, 2])
    return layers


def _square(x, y, radius):
    return np.maximum(np.abs(x), np.abs(y)) - np.float32(0.886) * radius


def _triangle(x, y, radius):
    side = np.float32(0.866) * np.abs(x) + np.float32(0.5) * y
    return np.maximum(side, -y) - np.float32(0.66) * radius


def _disc(x, y, radius):
    return np.sqrt(x * x + y * y) - radius


def _star(x, y, radius):
    """Fold the plane into one of ten wedges, then measure to the edge from tip to notch."""
    cos, sin = np.float32(np.cos(np.pi / 5)), np.float32(np.sin(np.pi / 5))
    x = np.abs(x)
    for side in (1, -1):
        beyond = 2 * np.maximum(side * cos * x - sin * y, 0)
        x = x - side * cos * beyond
        y = y + sin * beyond
    x = np.abs(x)
    tip, notch = 1.4, 0.62
    dx, dy = notch * sin, notch * cos - tip
    length = np.hypot(dx, dy)
    nx, ny = np.float32(-dy / length), np.float32(dx / length)
    return nx * x + ny * y - ny * np.float32(tip) * radius


def _striped(u, v, period):  # noqa: ARG001
    return _sharpen(np.sin(u), period)


def _checked(u, v, period):
    return _sharpen(np.sin(u * np.float32(0.6)) * np.sin(v * np.float32(0.6)), period)


def _dotted(u, v, period):
    return _sharpen(np.cos(u) + np.cos(v) - np.float32(0.5), period)


def _latticed(u, v, period):
    return _sharpen(np.maximum(np.cos(u), np.cos(v)) - np.float32(0.6), period)


def _plain(u, v, period):  # noqa: ARG001
    return np.full_like(u, 0.5)  # both of its tones, mixed


def _everywhere(x, y, radius):  # noqa: ARG001
    return np.full_like(x, -10)  # px from the edge


def _sharpen(wave, period):
    """Cut a wave at zero, with an edge about one pixel wide."""
    return np.clip(wave * (period / np.float32(2 * np.pi)) + np.float32(0.5), 0, 1)


Plane = Callable[..., np.ndarray]
_SHAPES: tuple[Plane, ...] = (_square, _triangle, _disc, _star, _everywhere)  # the last by -1
_TEXTURES: tuple[Plane, ...] = (_striped, _checked, _dotted, _latticed, _plain)  # likewise

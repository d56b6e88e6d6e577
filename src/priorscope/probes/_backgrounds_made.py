"""Procedural backgrounds made by people: masonry, wood, cloth, printed patterns."""

import numpy as np

from priorscope.probes._noise import coordinates, spectral_noise
from priorscope.probes._paint import colour_map, mix, relief, rgb, smoothstep


def brick(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a wall in running bond: bricks of several firings, rough edges, sunken mortar."""
    y, x = coordinates(size_px)
    rows, columns = 14, 5
    rough_y, rough_x = (0.0022 * spectral_noise(size_px, rng, 1.0, low=4) for _ in range(2))
    v = (y + rough_y) * rows
    row = np.floor(v).astype(np.int32)
    u = (x + rough_x) * columns + 0.5 * (row % 2)
    column = np.floor(u).astype(np.int32) % columns
    in_y, in_x = v - row, u - np.floor(u)
    # Distance to the joint in pictures, so that joints are as wide upright as they are lying.
    edge = np.minimum(np.minimum(in_y, 1 - in_y) / rows, np.minimum(in_x, 1 - in_x) / columns)
    face = smoothstep(0.0045, 0.0085, edge)
    firing = rng.random((rows, columns), dtype=np.float32)[row % rows, column]
    clay = colour_map(firing, ["#6e2f22", "#8f3f2a", "#a84f35", "#b9653f", "#93402f", "#5a2a24"])
    grain = spectral_noise(size_px, rng, 0.7)
    mortar = colour_map(0.5 + 0.13 * grain, ["#8d877c", "#b9b2a5", "#dad4c8"])
    light = 1 + 0.10 * grain + 1.0 * relief(face + 0.05 * grain, 0.006)
    return mix(mortar, clay, face) * light[..., None]


def wood(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a floor of planks: each with its own tone, growth rings, fibres and butt joint."""
    y, x = coordinates(size_px)
    planks = 6
    v = y * planks
    plank = np.floor(v).astype(np.int32)
    in_y = v - plank
    joint = rng.random(planks)[plank]
    # Planks continue with another board behind the joint.
    board = plank * 2 + (x > joint)
    shift, heart, tone = rng.random((3, 2 * planks), dtype=np.float32)
    warp = spectral_noise(size_px, rng, 1.7, high=40, stretch=(1, 6))
    away = in_y - (heart[board] * 1.4 - 0.2)
    cathedral = 1.1 * (x - shift[board]) ** 2
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (9 * np.sqrt(away**2 + cathedral + 0.02) + 0.55 * warp))
    fibre = spectral_noise(size_px, rng, 0.6, low=6, stretch=(1, 14))
    tones = 0.50 + 0.26 * (tone[board] - 0.5) + 0.17 * (rings**2 - 0.4) + 0.05 * fibre
    image = colour_map(tones, ["#3b2110", "#6f4321", "#a06a37", "#c99658", "#ecc78d"])
    gap = np.minimum(np.minimum(in_y, 1 - in_y) / planks, np.abs(x - joint))
    return image * (0.22 + 0.78 * smoothstep(0.0008, 0.0045, gap))[..., None]


def marble(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw polished white marble with grey and ochre veins that run one way."""
    y, x = coordinates(size_px)
    cloud = spectral_noise(size_px, rng, 1.7)
    tone = 0.88 + 0.05 * cloud
    ochre = np.zeros((size_px, size_px), dtype=np.float32)
    turn = rng.choice([-1, 1])
    for strength, sharpness, count, rough in (
        (0.6, 30, 1, 0.9),
        (0.4, 22, 2, 1.1),
        (0.25, 14, 4, 1.4),
    ):
        # Veins are where a wave across the slab, bent by smooth noise, passes through zero.
        bent = rough * spectral_noise(size_px, rng, 2.0, high=70)
        distance = np.abs(np.sin(np.pi * count * (x + turn * y + rng.random()) + bent))
        patchy = smoothstep(-1.2, 1.2, spectral_noise(size_px, rng, 1.6, high=12))
        vein = np.exp(-sharpness * distance)
        tone = tone - strength * patchy * (vein + 0.4 * np.exp(-3.5 * distance))
        ochre = np.maximum(ochre, vein * smoothstep(0.2, 1.5, cloud))
    image = colour_map(tone, ["#2b2d33", "#6d7179", "#a9acb2", "#dadbdc", "#fbfaf7"])
    return mix(image, image * rgb("#e0b878"), 0.8 * ochre)


def tiles(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw glazed tiles of one colour family with bevels, gloss and pale grout."""
    y, x = coordinates(size_px)
    count = 8
    v, u = y * count, x * count
    row, column = np.floor(v).astype(np.int32), np.floor(u).astype(np.int32)
    in_y, in_x = v - row - 0.5, u - column - 0.5
    edge = 0.5 - np.maximum(np.abs(in_y), np.abs(in_x))
    face = smoothstep(0.03, 0.05, edge)
    tone = rng.random((count, count), dtype=np.float32)[row, column]
    families = [
        ["#0f4c63", "#1f7a8c", "#4fb0b5", "#a9dcd8"],
        ["#17356e", "#2f5fa8", "#6f9bd1", "#c9dcf0"],
        ["#1f5a3c", "#3f8f63", "#86c29a", "#d5ecd9"],
        ["#7a3320", "#b8593a", "#dd9068", "#f3d3bd"],
    ]
    glaze = colour_map(
        tone + 0.05 * spectral_noise(size_px, rng, 1.4), families[rng.integers(len(families))]
    )
    bevel = smoothstep(0.03, 0.12, edge)
    gloss = np.exp(-((in_y + in_x + 0.42) ** 2) / 0.012) * smoothstep(0.10, 0.2, edge)
    light = 1 + 0.9 * relief(bevel, 0.012) + 0.02 * spectral_noise(size_px, rng, 0.5)
    grout = rgb("#cfcabf") * (1 + 0.05 * spectral_noise(size_px, rng, 0.3))[..., None]
    return mix(grout, glaze * light[..., None] + 0.25 * gloss[..., None], face)


def tartan(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a woven tartan: the same sett in warp and weft, crossed in a 2/2 twill."""
    palettes = [
        ["#7d1420", "#0e1c3f", "#14402a", "#e9dfc7", "#d9a62e"],
        ["#123524", "#0c1a36", "#0a0a0a", "#c7d2c0", "#8c1c22"],
        ["#1a2f5e", "#5c7fb0", "#101418", "#e8e6df", "#a3212b"],
        ["#c2a36b", "#2a2320", "#efe7d6", "#8d2a22", "#4c5a3c"],
    ]
    colours = np.stack([rgb(c) for c in palettes[rng.integers(len(palettes))]])
    widths = np.array([26, 4, 14, 3, 14, 3, 8]) + rng.integers(0, 6, 7)
    order = np.array([0, 3, 1, 4, 1, 2, 2])
    half = np.repeat(order, widths)
    sett = np.concatenate([half, half[::-1]])
    threads = 2 * len(sett)  # two repeats of the sett fill the picture
    y, x = coordinates(size_px)
    weft_at, warp_at = np.floor(y * threads).astype(int), np.floor(x * threads).astype(int)
    weft, warp = colours[sett[weft_at % len(sett)]], colours[sett[warp_at % len(sett)]]
    over = ((weft_at + warp_at) % 4 < 2)[..., None]
    image = np.where(over, weft, warp)
    # Where a thread is thinner than a pixel, the eye sees the mean of both.
    image = 0.55 * image + 0.45 * (weft + warp) / 2
    fuzz = 1 + 0.05 * spectral_noise(size_px, rng, 0.2) + 0.03 * spectral_noise(size_px, rng, 1.3)
    return image * fuzz[..., None]


def knit(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw stocking stitch: columns of interlocking V's in a wool with a coloured band."""
    y, x = coordinates(size_px)
    columns, rows = 18, 24
    wobble = 0.003 * spectral_noise(size_px, rng, 1.8, high=20)
    u = (x + wobble) * columns
    column = np.floor(u).astype(np.int32)
    in_x = u - column - 0.5
    leg = np.abs(in_x)
    v = (y - wobble) * rows + 1.25 * leg
    row = np.floor(v).astype(np.int32)
    in_y = v - row - 0.5
    strand = np.clip(1 - (in_y / 0.56) ** 2 - ((leg - 0.25) / 0.27) ** 2, 0, 1)
    twist = 0.5 + 0.5 * np.sin(2 * np.pi * (2.2 * in_y + 5 * leg))
    wools = [
        ("#8f2436", "#efe3cf"),
        ("#27496d", "#e8e4d8"),
        ("#d9cdb5", "#7a4b36"),
        ("#3c5a47", "#dcb35c"),
    ]
    ground, band = (rgb(c) for c in wools[rng.integers(len(wools))])
    start = rng.integers(rows)
    in_band = ((row - start) % rows < 6) & ~(((row - start) % rows == 2) & (column % 2 == 0))
    wool = np.where(in_band[..., None], band, ground)
    light = 0.28 + 0.72 * np.sqrt(strand) + 0.12 * (twist - 0.5) * strand
    light = light * (1 + 0.06 * spectral_noise(size_px, rng, 0.4))
    return wool * light[..., None]


def checks(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a chequerboard of two clearly different colours."""
    y, x = coordinates(size_px)
    count = int(rng.integers(10, 19))
    dark, light = _two_colours(rng)
    odd = (np.floor(y * count) + np.floor(x * count)) % 2 == 1
    return np.where(odd[..., None], dark, light)


def stripes(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw slanted stripes of two clearly different colours, with soft edges of a pixel."""
    y, x = coordinates(size_px)
    angle = rng.uniform(0.15, np.pi - 0.15)
    count = rng.uniform(10, 20)
    dark, light = _two_colours(rng)
    wave = np.sin(2 * np.pi * count * (np.cos(angle) * y + np.sin(angle) * x))
    sharpness = size_px / (2 * np.pi * count)
    return mix(light, dark, np.clip(0.5 + sharpness * wave, 0, 1).astype(np.float32))


def white_noise(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw coloured noise with a flat spectrum."""
    return _noise(size_px, rng, 0)


def pink_noise(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw coloured noise with the 1/f amplitude of natural scenes."""
    return _noise(size_px, rng, 1)


def brown_noise(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw coloured noise with 1/f^2 amplitude."""
    return _noise(size_px, rng, 2)


def _noise(size_px: int, rng: np.random.Generator, exponent: float) -> np.ndarray:
    shared = spectral_noise(size_px, rng, exponent)
    own = [spectral_noise(size_px, rng, exponent) for _ in range(3)]
    return np.stack([0.5 + 0.13 * shared + 0.12 * channel for channel in own], -1)


def _two_colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    pairs = [
        ("#151515", "#f4f1ea"),
        ("#1d3b6f", "#f2d34e"),
        ("#a51d2d", "#f6ece0"),
        ("#0f5b4c", "#f0c9a4"),
        ("#3d1f5c", "#a8dccb"),
        ("#20242b", "#e8743b"),
    ]
    dark, light = pairs[rng.integers(len(pairs))]
    return rgb(dark), rgb(light)

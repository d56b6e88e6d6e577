"""Procedural backgrounds with a horizon or a sky: landscapes, sea, city, road."""

import numpy as np

from priorscope.probes._noise import coordinates, smooth_curve, spectral_noise
from priorscope.probes._paint import colour_map, mix, rgb, smoothstep

SUN = np.array([1.0, 0.95, 0.82], dtype=np.float32)


def sky(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw fair-weather clouds: white tops, grey undersides, blue between."""
    y, _ = coordinates(size_px)
    blue = colour_map(np.broadcast_to(y, (size_px, size_px)), ["#2a67b5", "#4c8fd6", "#9cc8ee"])
    field = spectral_noise(size_px, rng, 1.75, stretch=(0.8, 1.4))
    cover = rng.uniform(-0.25, 0.25)
    density = smoothstep(cover - 0.25, cover + 1.3, field)
    # Thick cloud above a place shades it.
    above = np.roll(field, size_px // 24, 0)
    tone = 0.86 + 0.22 * (field - above) - 0.10 * np.clip(field - cover, 0, 3)
    cloud = colour_map(tone, ["#7d8797", "#aab2bf", "#d3d8df", "#f4f5f7", "#ffffff"])
    return mix(blue, cloud, density)


def sea(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the open sea under a bright sky: waves that shrink towards the horizon, sun glitter."""
    y, x = coordinates(size_px)
    horizon = np.float32(rng.uniform(0.3, 0.42))
    up = np.clip((horizon - y) / horizon, 0, 1)
    air = colour_map(np.broadcast_to(up, (size_px, size_px)), ["#f0e6d2", "#bfd8ea", "#5f9bd3"])
    haze = spectral_noise(size_px, rng, 1.7, stretch=(0.4, 2.5))
    air = mix(air, np.ones(3, np.float32), smoothstep(0.5, 2.5, haze) * 0.7)
    # Perspective: rows near the horizon show more sea, so the waves' noise is read faster there.
    near = np.clip((y - horizon) / (1 - horizon), 1e-3, 1)
    waves = np.zeros((size_px, size_px), dtype=np.float32)
    for scale, exponent in ((0.12, 1.2), (0.05, 0.9)):
        field = spectral_noise(size_px, rng, exponent, low=3, stretch=(1, 2.2))
        row = (size_px * (scale * 4 / (near + 0.06))).astype(np.int32) % size_px
        column = (size_px * (0.5 + (x - 0.5) * (0.25 / (near + 0.12) + 0.1))).astype(np.int32)
        waves += field[row, column % size_px] * (0.35 + 0.65 * near)
    sun_x = rng.uniform(0.25, 0.75)
    glitter = np.exp(-(((x - sun_x) / (0.05 + 0.18 * near)) ** 2)) * smoothstep(0.6, 1.8, waves)
    tone = 0.30 + 0.30 * (1 - near) ** 3 + 0.13 * waves
    brine = colour_map(tone, ["#05202f", "#0d4560", "#1f7291", "#5fa9bd", "#d3e9ee"])
    brine = mix(brine, SUN, np.clip(glitter, 0, 1) * 0.9)
    brine = mix(brine, rgb("#eef6f7"), smoothstep(2.1, 2.9, waves) * near * 0.8)
    return mix(air, brine, smoothstep(0, 2 / size_px, np.broadcast_to(y - horizon, haze.shape)))


def mountains(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw mountain ranges at dusk: each nearer range is darker, with mist in the valleys."""
    y, _ = coordinates(size_px)
    full = np.broadcast_to(y, (size_px, size_px))
    skies = [
        ["#2b2a5a", "#6a4a86", "#c7698a", "#f6a66b", "#fde0a0"],
        ["#1d3461", "#4f6d9a", "#b79bb5", "#f3b79a", "#fbe3c0"],
    ]
    image = colour_map(full / 0.62, skies[rng.integers(len(skies))])
    wisps = spectral_noise(size_px, rng, 1.6, stretch=(0.35, 3))
    image = mix(image, rgb("#ffd9b8"), smoothstep(0.6, 2.4, wisps) * 0.5 * (1 - full))
    far, near = rgb("#b68aa6"), rgb("#14142a")
    ranges = 6
    for k in range(ranges):
        t = (k + 0.5) / ranges
        ridge = smooth_curve(2 * size_px, rng, 1.35 - 0.15 * t)[:size_px]
        crest = (0.34 + 0.11 * k - (0.055 + 0.012 * k) * ridge)[None, :].astype(np.float32)
        below = full - crest
        body = far + (near - far) * np.float32(t**0.8)
        mist = np.exp(-np.clip(below, 0, 1) / 0.10)[..., None]
        colour = body * (0.75 + 0.25 * mist) + (1 - mist) * (far * np.float32(0.45 * (1 - t)))
        image = mix(image, colour, smoothstep(-1 / size_px, 1 / size_px, below))
    return image


def night_sky(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw stars and the Milky Way above a dark line of trees."""
    y, x = coordinates(size_px)
    angle = rng.uniform(-0.9, 0.9)
    across = (y - rng.uniform(0.3, 0.5)) * np.cos(angle) + (x - 0.5) * np.sin(angle)
    cloud = spectral_noise(size_px, rng, 1.5)
    band = np.exp(-((across / 0.16) ** 2)) * (0.75 + 0.35 * cloud)
    dust = smoothstep(0.4, 1.8, spectral_noise(size_px, rng, 1.4)) * np.exp(-((across / 0.07) ** 2))
    glow = np.clip(0.10 + 0.14 * y + 0.42 * band * (1 - 0.75 * dust), 0, 1)
    image = colour_map(glow, ["#04060f", "#131c3d", "#3d4374", "#8d86ab", "#e3d7d6"])
    count = 900
    star_y, star_x = rng.random((2, count), dtype=np.float32)
    power = (rng.pareto(1.7, count) * 0.22 + 0.16).clip(0, 4).astype(np.float32)
    hue = colour_map(rng.random(count), ["#9db8ff", "#ffffff", "#ffe2b8"])
    reach = np.arange(-5, 6)
    centre_y, centre_x = star_y * size_px, star_x * size_px
    rows = (np.floor(centre_y).astype(int)[:, None, None] + reach[:, None]) % size_px
    columns = (np.floor(centre_x).astype(int)[:, None, None] + reach[None, :]) % size_px
    away = (reach[:, None] + 0.5 - (centre_y % 1)[:, None, None]) ** 2 + (
        reach[None, :] + 0.5 - (centre_x % 1)[:, None, None]
    ) ** 2
    # The spread grows with the picture; a bright star blooms a little.
    spread = (size_px / 512) ** 2 * (0.55 + 0.25 * power[:, None, None])
    light = power[:, None, None] * np.exp(-away / (2 * spread + 0.1))
    np.add.at(image, (rows, columns), light[..., None] * hue[:, None, None, :])
    ground = 0.88 - 0.02 * smooth_curve(2 * size_px, rng, 1.5)[:size_px]
    trees = ground - 0.05 * np.abs(smooth_curve(2 * size_px, rng, 0.55)[:size_px])
    dark = smoothstep(-1 / size_px, 1 / size_px, y - trees[None, :].astype(np.float32))
    return mix(image, rgb("#030407"), dark)


def dunes(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw desert dunes: sharp crests, one flank in the sun and one in shadow."""
    y, x = coordinates(size_px)
    full = np.broadcast_to(y, (size_px, size_px))
    image = colour_map(full / 0.4, ["#3f7fc4", "#8fb9de", "#ecd9bd"])
    warp = spectral_noise(size_px, rng, 2.0, high=7)
    layers = 5
    for k in range(layers):
        t = k / (layers - 1)
        swell = smooth_curve(2 * size_px, rng, 2.2, high=9)
        heights = (0.33 + 0.15 * k - (0.03 + 0.022 * k) * swell).astype(np.float32)
        crest, slope = heights[:size_px], (np.gradient(heights) * size_px)[:size_px]
        below = full - crest[None, :]
        # The crest line of the lee side wanders down from each summit.
        edge = np.sin(2 * np.pi * (1.6 * x + 0.35 * k + 1.8 * below)) + 0.5 * warp
        lee = smoothstep(-0.06, 0.06, edge + 2.2 * slope[None, :] - 0.25)
        depth = np.clip(below / 0.25, 0, 1)
        waves = 2 * np.pi * (70 - 35 * t) * (below + 0.20 * x + 0.012 * warp)
        ripples = np.sin(waves) * 0.02 * (0.3 + t)
        sunny = colour_map(
            0.80 - 0.22 * depth + ripples, ["#7a3d16", "#c9752f", "#ecae63", "#fbdca6"]
        )
        shady = colour_map(0.34 + 0.25 * depth + ripples, ["#4a2513", "#86451f", "#c47b3c"])
        colour = mix(sunny, shady, lee * (0.95 - 0.3 * depth))
        colour = mix(colour, rgb("#ecd9bd"), np.full(full.shape, 0.45 * (1 - t) ** 1.5, np.float32))
        image = mix(image, colour, smoothstep(-1 / size_px, 1 / size_px, below))
    grain = spectral_noise(size_px, rng, 0.2)
    return image * (1 + 0.02 * grain * (full > 0.35))[..., None]


def field(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw rows of a crop that run to one point on the horizon, under an open sky."""
    y, x = coordinates(size_px)
    horizon, vanish = np.float32(rng.uniform(0.32, 0.42)), np.float32(rng.uniform(0.3, 0.7))
    air = sky(size_px, rng)
    row = np.clip(((y / horizon) * 0.9 * size_px).astype(np.int32), 0, size_px - 1)
    air = air[row[:, 0]]
    near = np.clip((y - horizon) / (1 - horizon), 2e-3, 1)
    u = (x - vanish) / near
    leaf = spectral_noise(size_px, rng, 0.7, low=6)
    rows_at = (size_px * (0.22 / near)).astype(np.int32) % size_px
    columns_at = (size_px * (u * 0.5 + 0.5)).astype(np.int32) % size_px
    foliage = leaf[rows_at, columns_at]
    plants = np.cos(2 * np.pi * 5.0 * u + 0.35 * foliage)
    # Far away the rows merge into one tone.
    clear = smoothstep(0.02, 0.22, near)
    tone = 0.50 + clear * (0.27 * plants + 0.10 * foliage) + 0.12 * (1 - near) ** 4
    crops = [
        ["#3b2a18", "#5a4a20", "#4f7a22", "#86ae3a", "#c5d978"],
        ["#4a3218", "#86642a", "#b8913a", "#dcbc5c", "#f6e6a6"],
    ]
    crop = colour_map(tone, crops[rng.integers(len(crops))])
    image = mix(air, crop, smoothstep(0, 2 / size_px, np.broadcast_to(y - horizon, tone.shape)))
    trees = horizon - 0.018 - 0.010 * np.abs(smooth_curve(2 * size_px, rng, 0.8)[:size_px])[None, :]
    belt = smoothstep(-1 / size_px, 1 / size_px, y - trees) * (y < horizon + 0.004)
    return mix(image, rgb("#2d4527") * (1 + 0.15 * leaf)[..., None], belt.astype(np.float32))


def skyline(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a city at nightfall: towers in three depths, some of their windows lit."""
    y, _ = coordinates(size_px)
    full = np.broadcast_to(y, (size_px, size_px))
    image = colour_map(full, ["#0d1a3a", "#2c3f73", "#7c6a96", "#e0937c", "#f8cf95"])
    bodies = [rgb("#6a6288"), rgb("#3b3b60"), rgb("#15182c")]
    for depth, body in enumerate(bodies):
        left = -0.02
        while left < 1:
            width = rng.uniform(0.05, 0.11) * (1 + 0.25 * depth)
            top = rng.uniform(0.22, 0.62) + 0.13 * depth
            columns = slice(max(0, int(left * size_px)), max(0, int((left + width) * size_px)))
            rows = slice(int(min(top, 0.97) * size_px), size_px)
            part = image[rows, columns]
            if part.size:
                part[:] = body * np.float32(rng.uniform(0.8, 1.2))
                _windows(part, rng, depth, size_px)
                if rng.random() < 0.25:  # a mast
                    mast = int((left + width / 2) * size_px)
                    reach = slice(max(0, rows.start - int(0.08 * size_px)), rows.start)
                    image[reach, mast : mast + max(1, size_px // 256)] = body
            left += width * rng.uniform(0.8, 1.25)
    haze = np.exp(-((full - 0.95) ** 2) / 0.03) * 0.25
    return mix(image, rgb("#f0b48c"), haze)


def _windows(part: np.ndarray, rng: np.random.Generator, depth: int, size_px: int) -> None:
    """Light windows of one tower, in place; `part` is its [height, width, 3] of the picture."""
    pitch = max(3, round(size_px * (0.010 + 0.004 * depth)))
    rows, columns = part.shape[0] // pitch, part.shape[1] // pitch
    lit = rng.random((rows + 1, columns + 1)) < 0.32
    colour = colour_map(rng.random(lit.shape), ["#ffd27a", "#fff0c4", "#ffb85c", "#cfe3ff"])
    row, column = np.arange(part.shape[0]), np.arange(part.shape[1])
    pane = (row % pitch >= pitch * 0.4)[:, None] & (column % pitch >= pitch * 0.45)[None, :]
    pane &= (row >= pitch // 2)[:, None]
    on = pane & lit[row // pitch][:, column // pitch]
    part[on] = part[on] * 0.25 + 0.75 * colour[row // pitch][:, column // pitch][on]
    off = pane & ~on
    part[off] *= 0.78


def road(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a straight asphalt road to the horizon: dashed centre line, edge lines, verges."""
    y, x = coordinates(size_px)
    horizon, vanish = np.float32(rng.uniform(0.28, 0.4)), np.float32(rng.uniform(0.4, 0.6))
    near = np.clip((y - horizon) / (1 - horizon), 2e-3, 1)
    u = (x - vanish) / near  # place across the road, in pictures at the lower edge
    rows_at = (size_px * (0.16 / near)).astype(np.int32) % size_px
    columns_at = (size_px * (u * 0.7 + 0.5)).astype(np.int32) % size_px
    grit = spectral_noise(size_px, rng, 0.25)[rows_at, columns_at]
    patch = spectral_noise(size_px, rng, 1.5, stretch=(3, 1))[rows_at, columns_at]
    asphalt = colour_map(
        0.34 + 0.06 * grit * np.sqrt(near) + 0.04 * patch + 0.25 * (1 - near) ** 3,
        ["#1b1c1f", "#45474b", "#77797b", "#b5b4b0"],
    )
    verges = [
        ["#2c3d17", "#566f26", "#8ba545", "#d0d58d"],
        ["#5b3d22", "#96703f", "#c6a067", "#e9d3a2"],
    ]
    verge = colour_map(
        0.42 + 0.12 * grit * near + 0.10 * patch + 0.2 * (1 - near) ** 3,
        verges[rng.integers(len(verges))],
    )
    width = 0.62
    blur = 0.004 / near
    image = mix(verge, asphalt, 1 - smoothstep(width - blur, width + blur, np.abs(u)))
    worn = 0.85 + 0.1 * np.clip(grit, -1, 1)
    edge = 1 - smoothstep(0.018 - blur, 0.018 + blur, np.abs(np.abs(u) - (width - 0.07)))
    image = mix(image, rgb("#eeece4"), edge * worn)
    dash = smoothstep(-0.15, 0.15, np.sin(2 * np.pi * (0.55 / near + rng.random())))
    centre = 1 - smoothstep(0.022 - blur, 0.022 + blur, np.abs(u))
    image = mix(image, rgb("#f0c93a"), centre * dash * worn)
    air = sky(size_px, rng)
    hills = horizon - 0.03 - 0.014 * smooth_curve(2 * size_px, rng, 1.5)[:size_px][None, :]
    air = mix(air, rgb("#6f87a0"), smoothstep(-1 / size_px, 1 / size_px, y - hills))
    return mix(air, image, smoothstep(0, 2 / size_px, np.broadcast_to(y - horizon, u.shape)))


def forest(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a wood in fog: trunks in four depths, the far ones pale."""
    y, x = coordinates(size_px)
    full = np.broadcast_to(y, (size_px, size_px))
    hues = [("#dfe8e2", "#101a16"), ("#eadfc9", "#1c140e"), ("#d3dde8", "#0f1620")]
    pale, dark = (rgb(c) for c in hues[rng.integers(len(hues))])
    fog = spectral_noise(size_px, rng, 1.7, stretch=(0.6, 1.6))
    sun = np.exp(-((x - rng.uniform(0.2, 0.8)) ** 2 + (y - 0.25) ** 2) / 0.12)
    image = pale * (0.82 + 0.16 * sun + 0.02 * fog)[..., None]
    rough = spectral_noise(size_px, rng, 1.0, low=4, stretch=(5, 1))
    layers = 4
    for k in range(layers):
        t = (k + 1) / layers
        ink = pale + (dark - pale) * np.float32(t**1.4)
        ground = 0.66 + 0.09 * k + 0.012 * smooth_curve(2 * size_px, rng, 1.2)[:size_px]
        cover = smoothstep(-0.03 / t, 0.01, y - ground[None, :].astype(np.float32))
        for _ in range(round(11 - 2 * k)):
            middle, radius = rng.uniform(0, 1), rng.uniform(0.5, 1.2) * 0.022 * t
            lean = rng.normal(0, 0.04)
            away = np.abs(x - middle - lean * (y - 0.5) + 0.0015 * rough)
            flare = radius * (
                1 + 0.9 * np.exp((full - ground[int(middle * size_px)]) / 0.05).clip(0, 1)
            )
            trunk = 1 - smoothstep(flare - 1.2 / size_px, flare + 1.2 / size_px, away)
            cover = np.maximum(cover, trunk * (full < ground[int(middle * size_px)] + 0.02))
            for _ in range(4):  # branches rise to one side
                side, start = rng.choice([-1, 1]), rng.uniform(0.02, 0.55)
                rise, length = rng.uniform(0.3, 1.1), rng.uniform(0.06, 0.18)
                out = (x - middle) * side
                line = np.abs(y - start + rise * out) / np.hypot(1, rise)
                taper = 0.25 * radius * (1 - out / length)
                limb = (out > 0) & (out < length) & (line < taper)
                cover = np.maximum(cover, limb)
        shade = (1 + 0.10 * t * rough)[..., None]
        image = mix(image, ink * shade, cover * (0.75 + 0.25 * t))
    return image

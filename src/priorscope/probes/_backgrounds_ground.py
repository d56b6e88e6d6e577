"""Procedural backgrounds seen from above: ground, bark, water."""

import numpy as np

from priorscope.probes._noise import cellular_noise, coordinates, spectral_noise
from priorscope.probes._paint import colour_map, mix, relief, shrink, smoothstep, stamp


def grass(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a lawn: thousands of bent blades, the upper ones lighter."""
    canvas_px, n, longest, widest = 2 * size_px, 3600, 0.15, 0.0042
    # Each blade is a strip of points, dense enough to leave no gaps at this size.
    t = np.linspace(0, 1, int(longest * canvas_px) + 2, dtype=np.float32)[None, :, None]
    side = np.linspace(-1, 1, int(2 * widest * canvas_px) + 2, dtype=np.float32)[None, None, :]
    depth = np.linspace(0, 1, n, dtype=np.float32)[:, None, None]
    y, x = rng.random((2, n, 1, 1), dtype=np.float32)
    angle = rng.normal(0, 0.5, (n, 1, 1)).astype(np.float32)
    bend = rng.normal(0, 0.45, (n, 1, 1)).astype(np.float32)
    length = rng.uniform(0.07, longest, (n, 1, 1)).astype(np.float32)
    hue = rng.normal(0, 0.08, (n, 1, 1)).astype(np.float32)
    # The direction hardly changes across a blade, so sines are taken along it only.
    cos, sin = np.cos(angle + bend * t), np.sin(angle + bend * t)
    reach, width = length * t, widest * (1 - t**3)
    light = (0.06 + 0.36 * depth + 0.34 * t + hue) + 0.07 * side
    blade_y, blade_x = y - reach * cos + width * sin * side, x + reach * sin + width * cos * side
    canvas = np.zeros((canvas_px, canvas_px), dtype=np.float32)
    stamp(canvas, blade_y, blade_x, light)
    return shrink(colour_map(canvas, ["#10260a", "#2a5813", "#4b8a1e", "#7cb635", "#c9e07f"]))


def sand(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw rippled sand: warped wind ripples and single grains."""
    y, x = coordinates(size_px)
    warp = 0.025 * spectral_noise(size_px, rng, 1.6, high=9, stretch=(1.5, 1))
    tilt = rng.uniform(-0.35, 0.35)
    phase = 2 * np.pi * rng.integers(9, 13) * (y + tilt * x + warp)
    ripples = 0.5 + 0.5 * np.sin(phase + 0.6 * np.sin(phase))
    height = ripples * (0.75 + 0.25 * spectral_noise(size_px, rng, 1, high=12))
    tone = 0.56 + 0.16 * (height - 0.5) + 0.30 * relief(height, 0.011)
    grains = spectral_noise(size_px, rng, 0, low=60)
    tone += 0.045 * grains + 0.03 * spectral_noise(size_px, rng, 1.2)
    image = colour_map(tone, ["#6b4a2c", "#a67c4e", "#d3ad78", "#e9d0a3", "#fbf0d6"])
    return image * np.where(grains > 2.6, 0.6, 1)[..., None]


def gravel(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw pebbles lying close together, each with its own tint, light and shadow."""
    y, x = coordinates(size_px)
    warp = 0.006 * spectral_noise(size_px, rng, 1.5, low=3, high=40)
    cells = cellular_noise(y + warp, x - warp, rng, (17, 14))
    edge = np.clip((cells.second - cells.nearest) / 0.45, 0, 1)
    dome = np.sqrt(edge * (2 - edge))
    tint = colour_map(
        rng.random(cells.num_cells),
        ["#5d5a55", "#8f8a82", "#b3a794", "#8a6f58", "#cfcac0", "#6f7680"],
    )[cells.cell]
    speckle = 1 + 0.07 * spectral_noise(size_px, rng, 0.6, low=10)
    light = (0.18 + 0.82 * smoothstep(0, 0.45, edge)) * (0.95 + 0.9 * relief(dome, 0.022))
    return tint * (light * speckle)[..., None]


def leaves(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw fallen autumn leaves, one over the other, with midribs, veins and shadows."""
    n = 380
    soil = colour_map(0.5 + 0.2 * spectral_noise(size_px, rng, 0.8), ["#0d0906", "#2e2015"])
    canvas = np.ascontiguousarray(soil)
    bodies = colour_map(
        rng.random(n),
        ["#6b3a17", "#9c4a17", "#c8691b", "#e09a2b", "#d9b44a", "#a33a1c", "#7c5a2b", "#8a2a18"],
    )
    for k in range(n):
        y, x = rng.random(2) * size_px
        length_px, slim = rng.uniform(0.12, 0.2) * size_px, rng.uniform(0.22, 0.38)
        angle, bend = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.08)
        reach = np.arange(-int(0.56 * length_px) - 1, int(0.56 * length_px) + 2)
        rows, columns = int(y) + reach, int(x) + reach
        v = ((rows - y) / length_px).astype(np.float32)[:, None]
        u = ((columns - x) / length_px).astype(np.float32)[None, :]
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        along, across = v * cos + u * sin + 0.5, u * cos - v * sin
        # A pointed oval, widest before its middle, with a thin stalk behind it.
        blade = np.clip((along - 0.12) / 0.88, 0, 1)
        across = across - bend * np.sin(np.pi * blade)
        half_width = slim * np.sin(np.pi * blade**0.8)
        half_width = np.where(
            (along > 0) & (along < 0.14), np.maximum(half_width, 0.014), half_width
        )
        inside = (half_width - np.abs(across)) * length_px
        cover = np.clip(inside + 0.5, 0, 1) * (half_width > 0)
        side = np.clip(across / np.maximum(half_width, 0.02), -1, 1)
        vein = np.abs(((blade * 6.5 - np.abs(across) * 9) % 1) - 0.5) < 0.07
        midrib = np.abs(across) < 0.011
        shade = (0.62 + 0.34 * k / n) * (1 - 0.16 * side * (cos + sin) - 0.10 * side**4)
        shade = shade * np.where(midrib, 1.35, np.where(vein, 1.13, 1))
        place = np.ix_(rows % size_px, columns % size_px)
        shadow = np.clip(0.5 + inside / (0.05 * length_px), 0, 0.45) * (half_width > 0)
        under = canvas[place] * (1 - shadow)[..., None]
        canvas[place] = mix(under, bodies[k] * shade[..., None], cover)
    return canvas * (1 + 0.07 * spectral_noise(size_px, rng, 0.8))[..., None]


def snow(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw drifted snow with bluish shadows and a line of footprints."""
    height = spectral_noise(size_px, rng, 2.2, high=14, stretch=(0.8, 1.3))
    y, x = coordinates(size_px)
    heading = rng.uniform(-0.35, 0.35)
    start = rng.uniform(0.3, 0.7)
    steps = 7
    for step in range(steps):
        foot_y = (step + rng.uniform(0.4, 0.6)) / steps
        side = 0.03 if step % 2 else -0.03
        foot_x = start + heading * (foot_y - 0.5) + side + rng.normal(0, 0.006)
        v, u = y - foot_y, x - foot_x - heading * (y - foot_y)
        heel = (u / 0.017) ** 2 + ((v - 0.025) / 0.016) ** 2
        sole = (u / 0.021) ** 2 + ((v + 0.012) / 0.03) ** 2
        depth = 1 - smoothstep(0.5, 1.25, np.minimum(heel, sole))
        rim = np.exp(-((np.minimum(heel, sole) - 1.7) ** 2) / 0.4)
        height = height - 0.55 * depth + 0.12 * rim
    crust = spectral_noise(size_px, rng, 1.0, low=12)
    tone = 0.72 + 0.95 * relief(height + 0.012 * crust, 0.045)
    image = colour_map(tone, ["#42608f", "#7f9cc8", "#bccfe8", "#e6eef8", "#ffffff"])
    sparkle = spectral_noise(size_px, rng, 0) > 3.1
    return np.where(sparkle[..., None], np.float32(1), image)


def bark(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the bark of an old tree: long plates between deep vertical fissures."""
    y, x = coordinates(size_px)
    warp_x = 0.022 * spectral_noise(size_px, rng, 1.5, high=25, stretch=(2.5, 1))
    warp_y = 0.03 * spectral_noise(size_px, rng, 1.4, high=30)
    cells = cellular_noise(y + warp_y, x + warp_x, rng, (5, 15))
    plate = smoothstep(0.02, 0.42, cells.second - cells.nearest)
    fibre = spectral_noise(size_px, rng, 0.9, low=5, stretch=(5, 1))
    height = plate + 0.10 * fibre
    tint = rng.normal(0, 0.05, cells.num_cells).astype(np.float32)[cells.cell]
    tone = 0.12 + 0.42 * plate + tint + 0.05 * fibre + 0.32 * relief(height, 0.016)
    image = colour_map(tone, ["#17100b", "#3d2c20", "#6b5442", "#937c66", "#c4b19a"])
    moss = smoothstep(0.9, 1.9, spectral_noise(size_px, rng, 1.5, high=40)) * 0.5
    return mix(image, image * np.array([0.75, 1.1, 0.5], dtype=np.float32), moss)


def cracked_earth(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw dried mud: polygons with lit rims between dark cracks."""
    y, x = coordinates(size_px)
    warp_y, warp_x = (0.011 * spectral_noise(size_px, rng, 1.5, high=60) for _ in range(2))
    cells = cellular_noise(y + warp_y, x + warp_x, rng, (6, 6))
    gap = cells.second - cells.nearest
    small = cellular_noise(y + warp_x, x + warp_y, rng, (15, 15))
    crack = smoothstep(0.03, 0.10, gap)
    hairline = smoothstep(0.01, 0.07, small.second - small.nearest)
    plate = 0.5 * smoothstep(0.02, 0.3, gap) + 0.08 * hairline
    dirt = spectral_noise(size_px, rng, 1.1)
    tint = rng.normal(0, 0.04, cells.num_cells).astype(np.float32)[cells.cell]
    tone = 0.60 + tint + 0.05 * dirt + 0.55 * relief(plate + 0.012 * dirt, 0.03)
    tone = tone * (0.12 + 0.88 * crack) * (0.86 + 0.14 * hairline)
    return colour_map(tone, ["#1c120b", "#5a3f2a", "#946d4a", "#c29b72", "#e8cda6"])


def water(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a clear pool from above: a net of bright caustics over turquoise."""
    y, x = coordinates(size_px)
    light = np.zeros((size_px, size_px), dtype=np.float32)
    for cells in ((6, 7), (9, 8)):
        warp_y, warp_x = (0.035 * spectral_noise(size_px, rng, 2, high=14) for _ in range(2))
        net = cellular_noise(y + warp_y, x + warp_x, rng, cells)
        light += np.exp(-7 * (net.second - net.nearest))
    deep = spectral_noise(size_px, rng, 2, high=8)
    ripple = spectral_noise(size_px, rng, 1.3, low=4, high=60)
    tone = 0.26 + 0.06 * deep + 0.025 * ripple + 0.33 * light
    return colour_map(tone, ["#064a78", "#0c7fae", "#27b2cf", "#7ddfe6", "#f2ffff"])


def concrete(size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a cast concrete wall: blotches, pores, seams of the formwork and its bolt holes."""
    y, x = coordinates(size_px)
    tone = 0.58 + 0.045 * spectral_noise(size_px, rng, 1.4)
    tone += 0.03 * spectral_noise(size_px, rng, 1.2, stretch=(4, 1))
    tone += 0.022 * spectral_noise(size_px, rng, 0.3, low=30)
    pores = cellular_noise(y, x, rng, (26, 26), jitter=1.0)
    radius = (rng.random(pores.num_cells, dtype=np.float32) ** 6 * 0.16)[pores.cell]
    tone -= 0.3 * smoothstep(0, 0.05, radius - pores.nearest)
    seam_y, seam_x = rng.uniform(0.1, 0.9, 2)
    for place, axis in ((seam_y, y), ((seam_y + 0.5) % 1, y), (seam_x, x)):
        distance = np.abs(axis - place)
        tone = tone - 0.28 * (1 - smoothstep(0.001, 0.005, distance))
        tone = tone + 0.05 * (1 - smoothstep(0.004, 0.009, distance))
    for hole_y in (seam_y + 0.12, seam_y + 0.38, seam_y + 0.62, seam_y + 0.88):
        for hole_x in (seam_x + 0.15, seam_x + 0.5, seam_x + 0.85):
            away = np.hypot(y - hole_y % 1, x - hole_x % 1)
            tone = tone - 0.4 * (1 - smoothstep(0.010, 0.014, away))
    return colour_map(tone, ["#26282a", "#5f6264", "#92948f", "#bcbcb4", "#e6e5dd"])

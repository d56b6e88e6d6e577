"""Objects: geometry against polygons, colours against the pixels, and the design of the classes."""

import colorsys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from priorscope.data import _synthetic_objects as objects
from priorscope.data.synthetic import synthetic, synthetic_factors

N = 2000


@pytest.fixture(scope="module")
def drawn():
    data = synthetic(root=Path(), num_train=N, num_test=1).train
    return data, synthetic_factors(split="train", num_images=N)


def test_names_of_the_classes_are_their_factors(drawn):
    data, factors = drawn
    levels = (objects.TEXTURES, objects.COLOURS, objects.SHAPES)
    for label, texture, colour, shape in zip(
        data.labels, factors["texture"], factors["colour"], factors["shape"], strict=True
    ):
        named = [names[k] for names, k in zip(levels, (texture, colour, shape), strict=True)]
        assert data.class_names[label] == " ".join(named)


def test_no_factor_nor_two_factors_identify_the_class():
    classes = [name.split() for name in objects.CLASS_NAMES]
    best = {
        seen: len({tuple(factors[i] for i in seen) for factors in classes}) / 10
        for num_seen in (1, 2)
        for seen in combinations(range(3), num_seen)
    }
    assert best == {(0,): 0.3, (1,): 0.3, (2,): 0.4, (0, 1): 0.6, (0, 2): 0.7, (1, 2): 0.7}
    for one in classes:
        assert any(sum(a != b for a, b in zip(one, other, strict=True)) == 1 for other in classes)


def polygon(shape: str, radius: float) -> np.ndarray:
    """Corners in the object's frame, y towards the tip: [corners, 2]."""

    def ring(num: int, size: float, turn: float) -> np.ndarray:
        angle = np.pi / 2 + turn + 2 * np.pi * np.arange(num) / num
        return size * radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    if shape == "star":
        return np.stack([ring(5, 1.4, 0), ring(5, 0.62, np.pi / 5)], axis=1).reshape(10, 2)
    corners, size = {"square": (4, 0.886 * 2**0.5), "triangle": (3, 1.32), "disc": (720, 1)}[shape]
    return ring(corners, size, np.pi / 4 if shape == "square" else 0)


def inside(x: np.ndarray, y: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Count the edges that a ray to the right crosses: odd is inside."""
    result = np.zeros(x.shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:
            result ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return result


@pytest.mark.parametrize("shape", objects.SHAPES)
def test_shapes_agree_with_supersampled_polygons(shape):
    radius, scale = 12.0, 8
    fine = (np.arange(40 * scale) + 0.5) / scale - 20 + 0.013
    x, y = np.meshgrid(fine, fine)
    exact = inside(x, y, polygon(shape, radius))
    exact = exact.reshape(40, scale, 40, scale).mean(axis=(1, 3))
    coarse = np.arange(40) - 19.5 + 0.013
    px, py = (axis.astype(np.float32) for axis in np.meshgrid(coarse, coarse))
    distance = objects._SHAPES[objects.SHAPES.index(shape)](px, py, np.float32(radius))
    cover = np.clip(0.5 - distance, 0, 1)
    assert np.abs(cover - exact).mean() < 0.004
    assert abs(cover.sum() / exact.sum() - 1) < 0.02


def test_colour_can_be_read_off_the_centre(drawn):
    data, factors = drawn
    y, x = (np.round(15.5 + factors[f"{axis}_px"]).astype(int) for axis in "yx")
    right = []
    for image, row, column, hue in zip(data.images[:300], y, x, factors["hue"], strict=False):
        patch = image[row - 3 : row + 4, column - 3 : column + 4].reshape(-1, 3) / 255
        seen = [colorsys.rgb_to_hsv(*pixel) for pixel in patch]
        vivid = max(seen, key=lambda pixel: pixel[1] * pixel[2])[0]
        right.append(abs((vivid - hue + 0.5) % 1 - 0.5) < 0.05)
    assert np.mean(right) > 0.95


def test_hues_of_two_colours_overlap_a_little(drawn):
    _, factors = drawn
    nearest = np.round(factors["hue"] * 3) % 3
    assert 0.98 < (nearest == factors["colour"]).mean() < 1


def test_objects_fill_the_frame_and_backgrounds_surround_them(drawn):
    data, _ = drawn
    spread = data.images.astype(float).std(axis=0).mean(axis=-1)
    assert spread.min() > 30  # nothing is constant
    centre, corner = data.images[:, 10:22, 10:22], data.images[:, :4, :4]
    assert centre.std(axis=(1, 2)).mean() > 3 * corner.std(axis=(1, 2)).mean()


def test_nuisances_are_independent_of_the_class(drawn):
    data, factors = drawn
    names = ("x_px", "y_px", "radius_px", "angle", "texture_angle", "texture_period_px")
    for name in names:
        groups = [factors[name][data.labels == label] for label in range(10)]
        assert stats.kruskal(*groups).pvalue > 0.01 / len(names), name

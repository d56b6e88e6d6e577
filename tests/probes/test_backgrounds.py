from itertools import pairwise

import numpy as np
import pytest
from scipy import fft

from priorscope.errors import InputError
from priorscope.probes._backgrounds import KINDS, draw
from priorscope.probes._noise import cellular_noise, coordinates, smooth_curve, spectral_noise

SIZE_PX, NUM_SEEDS = 96, 6


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    return {
        kind: np.stack([draw(kind, SIZE_PX, np.random.default_rng(s)) for s in range(NUM_SEEDS)])
        for kind in KINDS
    }


def test_there_are_as_many_kinds_as_promised():
    assert len(KINDS) >= 24


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size_px", [1, 2, 33, 128])
def test_any_size(kind, size_px):
    picture = draw(kind, size_px, np.random.default_rng(0))
    assert picture.shape == (size_px, size_px, 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("kind", KINDS)
def test_seed_decides_the_picture(kind, pictures):
    again = draw(kind, SIZE_PX, np.random.default_rng(0))
    assert np.array_equal(again, pictures[kind][0])
    for one in range(NUM_SEEDS):
        for other in range(one):
            assert not np.array_equal(pictures[kind][one], pictures[kind][other])


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_have_contrast_and_are_not_burnt_out(kind, pictures):
    for picture in pictures[kind]:
        assert picture.std() > 4
        assert ((picture == 0) | (picture == 255)).mean() < 0.4


@pytest.mark.parametrize(
    "kind",
    ["grass", "sand", "water", "brick", "leaves", "gravel", "tiles", "bark", "cracked_earth"],
)
def test_features_grow_with_the_picture(kind):
    # Features of a fixed size in pixels would double their frequency in cycles per picture.
    small, large = (
        np.mean([mean_octave(draw(kind, size, np.random.default_rng(s))) for s in range(3)])
        for size in (128, 256)
    )
    assert abs(small - large) < 0.5


def mean_octave(picture: np.ndarray) -> float:
    """Return the power-weighted mean of log2(cycles per picture), up to 48 cycles."""
    grey = picture.astype(float).mean(-1)
    power = np.abs(fft.fft2(grey - grey.mean())) ** 2
    f = fft.fftfreq(len(grey), 1 / len(grey))
    radius = np.hypot(f[:, None], f)
    kept = (radius > 0) & (radius <= 48)
    return float((power[kept] * np.log2(radius[kept])).sum() / power[kept].sum())


def features(pictures: np.ndarray) -> np.ndarray:
    """Colour moments and band energies: [n, height, width, 3] -> [n, num_features]."""
    colours = pictures.astype(float) / 255
    grey = colours.mean(-1)
    power = np.abs(fft.rfft2(grey - grey.mean((1, 2), keepdims=True))) ** 2
    fy = np.abs(fft.fftfreq(SIZE_PX, 1 / SIZE_PX))[:, None]
    fx = fft.rfftfreq(SIZE_PX, 1 / SIZE_PX)[None, :]
    radius = np.hypot(fy, fx)
    edges = [0.5, 3, 6, 12, 24, 70]
    bands = [
        np.log(power[:, (radius >= low) & (radius < high)].mean(1) + 1e-3)
        for low, high in pairwise(edges)
    ]
    upright = np.log((power * (fx > fy)).sum((1, 2)) / (power * (fx < fy)).sum((1, 2)))
    halves = colours[:, : SIZE_PX // 2].mean((1, 2)) - colours[:, SIZE_PX // 2 :].mean((1, 2))
    return np.column_stack(
        [colours.mean((1, 2)), colours.std((1, 2)), halves, np.stack(bands, -1), upright]
    )


def test_kinds_are_told_apart_by_colour_and_spectrum(pictures):
    x = np.concatenate([features(pictures[kind]) for kind in KINDS])
    kind = np.repeat(np.arange(len(KINDS)), NUM_SEEDS)
    seed = np.tile(np.arange(NUM_SEEDS), len(KINDS))
    correct = []
    for held_out in range(NUM_SEEDS):
        known = seed != held_out
        centroids = np.stack([x[known & (kind == k)].mean(0) for k in range(len(KINDS))])
        residual = x[known] - centroids[kind[known]]
        scale = np.sqrt((residual**2).mean(0))
        away = ((x[~known, None] - centroids) / scale) ** 2
        correct.append(away.sum(-1).argmin(1) == kind[~known])
    assert np.mean(correct) > 0.8  # chance is 1 in 29


@pytest.mark.parametrize(
    ("kind", "slope"), [("white_noise", 0), ("pink_noise", 1), ("brown_noise", 2)]
)
def test_noise_has_the_spectrum_of_its_name(kind, slope):
    grey = draw(kind, 256, np.random.default_rng(0)).astype(float).mean(-1)
    amplitude = np.abs(fft.fft2(grey - grey.mean()))
    f = np.hypot(*np.meshgrid(fft.fftfreq(256, 1 / 256), fft.fftfreq(256, 1 / 256)))
    octaves = [(4, 8), (8, 16), (16, 32)]
    means = [np.log2(amplitude[(f >= low) & (f < high)].mean()) for low, high in octaves]
    assert np.polyfit(range(3), means, 1)[0] == pytest.approx(-slope, abs=0.15)


def test_unknown_kind_offers_the_nearest():
    with pytest.raises(InputError) as caught:
        draw("gras", 8, np.random.default_rng(0))
    assert caught.value.hint == "did you mean grass?"


def test_spectral_noise_is_standardised():
    noise = spectral_noise(64, np.random.default_rng(0), 1.5, low=3, high=20, stretch=(1, 3))
    assert noise.dtype == np.float32
    assert noise.mean() == pytest.approx(0, abs=1e-5) and noise.std() == pytest.approx(1, abs=1e-4)


def test_smooth_curve_keeps_to_its_band():
    curve = smooth_curve(256, np.random.default_rng(0), 1.0, high=5)
    amplitude = np.abs(fft.rfft(curve))
    assert amplitude[6:].max() < 1e-3 * amplitude[1:6].max()


def test_cellular_noise_equals_a_search_over_all_points():
    size, cells = 24, (3, 4)
    y, x = coordinates(size)
    found = cellular_noise(y, x, np.random.default_rng(5), cells, jitter=0.7)
    # The same points, made independently, searched over the nine copies of the torus.
    jitter = np.random.default_rng(5).random((2, *cells), dtype=np.float32)
    rows, columns = np.mgrid[: cells[0], : cells[1]]
    points = np.stack(
        [rows + 0.5 + 0.7 * (jitter[0] - 0.5), columns + 0.5 + 0.7 * (jitter[1] - 0.5)], -1
    )
    points = points.reshape(-1, 2)
    shifts = [(a * cells[0], b * cells[1]) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    copies = np.concatenate([points + shift for shift in shifts])
    places = np.stack(np.broadcast_arrays(y * cells[0], x * cells[1]), -1)
    away = np.linalg.norm(places[:, :, None] - copies, axis=-1)
    nearest = np.sort(away, -1)
    np.testing.assert_allclose(found.nearest, nearest[..., 0], atol=1e-5)
    np.testing.assert_allclose(found.second, nearest[..., 1], atol=1e-5)
    assert np.array_equal(found.cell, away.argmin(-1) % len(points))
    np.testing.assert_allclose(np.hypot(found.dy, found.dx), found.nearest, atol=1e-5)

"""The spectrum of feature maps: noise, constants, single waves and filters in closed form."""

import numpy as np
import pytest
import torch
from torch import nn

from priorscope.errors import InputError
from priorscope.measures import DoesNotApply
from priorscope.measures.feature_spectrum import FLOOR, feature_spectrum
from priorscope.models.linear import linear
from priorscope.models.resnet_nano import resnet_nano
from priorscope.models.vit_nano import vit_nano

PX = 16


class Shows(nn.Module):
    """A network whose only layer gives the image itself, or a circular filter of it."""

    def __init__(self, kernel=((1.0,),)):
        super().__init__()
        kernel = torch.tensor(kernel)
        size = len(kernel)
        self.layer = nn.Conv2d(
            3, 3, size, padding=size // 2, groups=3, bias=False, padding_mode="circular"
        )
        nn.init.zeros_(self.layer.weight)
        with torch.no_grad():
            self.layer.weight[:] = kernel

    def forward(self, x):
        return self.layer(x).mean((2, 3))


def spectrum(images, network=None):
    found = feature_spectrum(
        (network or Shows()).eval(), torch.as_tensor(images, dtype=torch.float32),
        rng=np.random.default_rng(0),
    )  # fmt: skip
    return found.values[found.conditions["arm"] == "all"]


def high():
    f = np.abs(np.fft.fftfreq(PX))
    return np.maximum(f[:, None], f[None]) >= 1 / 3


def test_white_noise_is_flat_and_a_constant_lies_at_zero():
    noise = np.random.default_rng(0).normal(size=(4000, 3, PX, PX))
    # The logarithm of the mean of three squares at one frequency: digamma(3/2) - log(3/2), halved.
    bias = (0.03649 - np.log(1.5)) / 2
    assert spectrum(noise).mean() == pytest.approx(-bias, abs=0.03)
    assert spectrum(np.full((2, 3, PX, PX), 0.7)) == pytest.approx(np.log(FLOOR), abs=1e-6)


@pytest.mark.parametrize(("cycles", "is_high"), [(2, False), (5, False), (6, True), (7, True)])
def test_a_wave_counts_where_its_frequency_is_high(cycles, is_high):
    """1 + a cos(2 pi k x / n): amplitude 1 at zero, a / 2 at two frequencies of all high ones."""
    wave = 1 + 0.3 * np.cos(2 * np.pi * cycles * np.arange(PX) / PX)
    images = np.tile(wave, (1, 3, PX, 1))
    at_high = 0.15 * np.sqrt(2 / high().sum())
    expected = np.log(at_high if is_high else FLOOR * np.sqrt(1 + 0.3**2 / 2))
    assert spectrum(images) == pytest.approx(expected, abs=1e-4)


def test_a_filter_moves_it_by_its_transfer_function():
    kernel = np.ones((3, 3), dtype=np.float32) / 9
    padded = np.zeros((PX, PX))
    padded[:3, :3] = kernel
    power = np.abs(np.fft.fft2(padded)) ** 2
    expected = np.log(power[high()].mean() / power[0, 0]) / 2
    noise = np.random.default_rng(1).normal(size=(4000, 3, PX, PX))
    moved = spectrum(noise, Shows(kernel.tolist())).mean() - spectrum(noise).mean()
    assert moved == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("make", [resnet_nano, vit_nano])
def test_every_block_has_a_value_and_their_mean_is_the_measure(make):
    images = torch.randn(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    network = make(num_classes=4, image_px=32).eval()
    found = feature_spectrum(network, images, rng=np.random.default_rng(0))
    by_block = np.stack([found.values[found.conditions["arm"] == arm] for arm in found.arms])
    assert len(by_block) == 1 + len(network.blocks)
    np.testing.assert_allclose(by_block[0], by_block[1:].mean(0))


def test_networks_without_maps_and_modules_that_are_not_there_are_said():
    images = torch.randn(3, 3, 8, 8)
    with pytest.raises(DoesNotApply):
        feature_spectrum(linear(num_classes=4, image_px=8), images, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="unknown module"):
        feature_spectrum(Shows(), images, rng=np.random.default_rng(0), module="layr")

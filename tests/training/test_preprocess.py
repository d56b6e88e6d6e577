"""Bytes to network input, against torchvision's functions."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from priorscope.data._preprocess import Preprocess, preprocess_for


@pytest.mark.parametrize("side", [16, 32, 40])
def test_equals_torchvision(side):
    images = torch.randint(0, 256, (5, 32, 32, 3), dtype=torch.uint8)
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
    expected = tv.normalize(
        tv.resize(images.permute(0, 3, 1, 2).float() / 255, [side, side], antialias=True), mean, std
    )
    result = Preprocess(side, mean, std)(images)
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)
    assert result.dtype == torch.float32


def test_moments_are_those_of_the_training_pixels():
    images = np.random.default_rng(0).integers(0, 256, (3000, 4, 4, 3), dtype=np.uint8)
    images[..., 2] = 7  # a constant channel
    found = preprocess_for(images, None)
    flat = images.reshape(-1, 3) / 255
    np.testing.assert_allclose(found.mean, flat.mean(0), atol=1e-6)
    np.testing.assert_allclose(found.std[:2], flat.std(0)[:2], atol=1e-6)
    assert found.std[2] > 0
    assert found.image_px == 4

"""Batched operations against torchvision's, to the pixel."""

import math

import pytest
import torch
from torchvision.transforms.v2 import functional as F

from priorscope.training._pixel_ops import GRADED, PLAIN
from priorscope.training.autoaugment import ACTIONS, NUM_LEVELS, RANGES, UNSIGNED, magnitude_of

PLAIN_PEERS = {"AutoContrast": F.autocontrast, "Equalize": F.equalize, "Invert": F.invert}
GRADED_PEERS = {
    "Brightness": lambda images, m: F.adjust_brightness(images, 1 + m),
    "Color": lambda images, m: F.adjust_saturation(images, 1 + m),
    "Contrast": lambda images, m: F.adjust_contrast(images, 1 + m),
    "Posterize": lambda images, m: F.posterize(images, int(m)),
    "Rotate": lambda images, m: F.rotate(images, m),
    "Sharpness": lambda images, m: F.adjust_sharpness(images, 1 + m),
    "ShearY": lambda images, m: F.affine(
        images, 0, [0, 0], 1, [0, math.degrees(math.atan(m))], center=[0, 0]
    ),
    "Solarize": lambda images, m: F.solarize(images, 255 * m),
    "TranslateX": lambda images, m: F.affine(images, 0, [int(m), 0], 1, [0, 0]),
    "TranslateY": lambda images, m: F.affine(images, 0, [0, int(m)], 1, [0, 0]),
}
MOVING = {"Rotate", "ShearY", "TranslateX", "TranslateY"}
SIZES = [(32, 32), (40, 40), (17, 23), (2, 5), (1, 1)]


def peer(function, images, *magnitude):
    """Apply torchvision's operation, which has channels first."""
    return function(images.permute(0, 3, 1, 2).contiguous(), *magnitude).permute(0, 2, 3, 1)


def delicate_images(height, width):
    """Draw noise of several contrasts, grey noise, two levels, constants and black channels."""
    generator = torch.Generator().manual_seed(height)
    shape = (4, height, width, 3)
    noise = torch.randint(0, 256, shape, generator=generator)
    low = 100 + torch.randint(0, 40, shape, generator=generator)
    grey = torch.randint(0, 256, shape, generator=generator)[..., :1].expand(shape)
    two = 255 * torch.randint(0, 2, shape, generator=generator)
    # Blended with itself, each level is a rounding of its own.
    constant = torch.arange(256)[:, None, None, None].expand(256, height, width, 3)
    no_red = noise * torch.tensor([0, 1, 1])
    return torch.cat([noise, low, grey, two, constant[:: max(1, height // 4)], no_red]).byte()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("operation", sorted(PLAIN))
def test_operations_without_magnitude_equal_torchvision(operation, size):
    images = delicate_images(*size)
    before = images.clone()
    assert torch.equal(PLAIN[operation](images), peer(PLAIN_PEERS[operation], images))
    assert torch.equal(images, before)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("operation", sorted(GRADED))
def test_operations_equal_torchvision_at_every_level_and_sign(operation, size):
    images = delicate_images(*size)
    before = images.clone()
    for magnitude in magnitudes(operation, size):
        ours = GRADED[operation](images, [magnitude] * len(images))
        assert torch.equal(ours, peer(GRADED_PEERS[operation], images, magnitude)), magnitude
    assert torch.equal(images, before)


@pytest.mark.parametrize("operation", sorted(GRADED))
def test_each_image_has_its_own_magnitude(operation):
    images = delicate_images(32, 32)[:12]
    options = magnitudes(operation, (32, 32))
    mixed = [options[(7 * i) % len(options)] for i in range(12)]
    alone = [GRADED[operation](images[i : i + 1], [m]) for i, m in enumerate(mixed)]
    assert torch.equal(GRADED[operation](images, mixed), torch.cat(alone))


@pytest.mark.parametrize("operation", sorted(MOVING))
def test_no_pixel_is_moved_otherwise_at_224_px(operation):
    # Every pixel is different: its row, its column, and one for inside.
    y, x = torch.meshgrid(torch.arange(224), torch.arange(224), indexing="ij")
    image = torch.stack([y, x, torch.ones_like(x)], dim=2).byte()[None]
    for magnitude in magnitudes(operation, (224, 224)):
        ours = GRADED[operation](image, [magnitude])
        assert torch.equal(ours, peer(GRADED_PEERS[operation], image, magnitude)), magnitude


def test_the_policy_uses_every_operation_here():
    assert {operation for operation, _, _ in ACTIONS} == {"Identity", *PLAIN, *GRADED}
    assert set(GRADED) == set(RANGES)


def magnitudes(operation, size):
    """Return the magnitudes of an operation at all levels, with both signs where it has them.

    Of what moves pixels only the policy's levels: at others a pixel can come from exactly between
    two, and which one torchvision takes is up to its last bit.
    """
    if operation in MOVING:
        actions = [n for n, (name, _, _) in enumerate(ACTIONS) if name == operation]
        return [magnitude_of(action, *size) for action in actions]
    first, last = RANGES[operation]
    if operation == "Posterize":
        return list(range(last, first + 1))
    levels = torch.linspace(first, last, NUM_LEVELS).tolist()
    return levels if operation in UNSIGNED else levels + [-level for level in levels]

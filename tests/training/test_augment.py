"""Batched augmentation against the same thing done image by image."""

import torch

from priorscope.training.augment import augment, horizontal_flip, random_crop


def batch(n=64, side=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, 256, (n, side, side, 3), dtype=torch.uint8, generator=generator)


def test_crop_shows_every_shift_of_the_padded_image_and_no_other():
    images = batch(4000, side=8)
    cropped = random_crop(images, torch.Generator().manual_seed(1), padding_px=2)
    padded = torch.nn.functional.pad(images, (0, 0, 2, 2, 2, 2))
    matches = torch.stack(
        [
            (cropped == padded[:, top : top + 8, left : left + 8]).flatten(1).all(1)
            for top in range(5)
            for left in range(5)
        ]
    )
    assert (matches.sum(0) == 1).all(), "each image is shifted as a whole, by one of 25 shifts"
    counts = matches.sum(1)
    chi_square = ((counts - 160) ** 2 / 160).sum()
    assert chi_square < 51.2, "uniform over 25 shifts (99.9 % quantile for 24 degrees of freedom)"


def test_flip_mirrors_about_half_of_the_images():
    images = batch(2000)
    flipped = horizontal_flip(images, torch.Generator().manual_seed(1))
    mirrored = (flipped == images.flip(2)).flatten(1).all(1)
    untouched = (flipped == images).flatten(1).all(1)
    assert (mirrored ^ untouched).all()
    assert 900 < mirrored.sum() < 1100


def test_the_generator_decides_everything():
    names = ("random_crop", "horizontal_flip")
    first, again, other = (
        augment(batch(), names, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(augment(batch(), (), torch.Generator()), batch())


def test_crop_and_flip_in_one_gather_are_the_two_one_after_the_other():
    for side in (8, 9):
        one, two = (torch.Generator().manual_seed(3) for _ in range(2))
        fused = augment(batch(300, side), ("random_crop", "horizontal_flip"), one)
        assert torch.equal(fused, horizontal_flip(random_crop(batch(300, side), two), two))
        assert torch.equal(one.get_state(), two.get_state())

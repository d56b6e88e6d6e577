"""Batches augmented in blocks: how many are made at once changes nothing, wherever it stops."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from priorscope.data import _preprocess
from priorscope.data._preprocess import Preprocess, sent, sent_rows
from priorscope.errors import RunFailed
from priorscope.training import batches
from priorscope.training.augment import AUGMENTATIONS
from priorscope.training.batches import augmented_batches, batches_in_block
from priorscope.training.checkpoint import Checkpoints
from priorscope.training.loop import train
from priorscope.training.pool import image_pool
from priorscope.training.recipe import Recipe

CPU = torch.device("cpu")
EVERY = tuple(AUGMENTATIONS)
BLOCKS = [1, 2, 7, 1000]
IMAGES = np.random.default_rng(0).integers(0, 256, (50, 12, 12, 3), dtype=np.uint8)
LABELS = np.random.default_rng(1).integers(0, 4, 50)
ROWS = torch.from_numpy(np.random.default_rng(2).permutation(50))


@pytest.fixture(params=BLOCKS)
def block(request, monkeypatch):
    monkeypatch.setattr(batches, "batches_in_block", lambda *_, **__: request.param)
    return request.param


def made(recipe, generator, rows=ROWS, pool=None):
    pool = pool or image_pool(IMAGES, CPU)
    labels = torch.from_numpy(LABELS)
    return list(augmented_batches(rows, pool, labels, recipe, 16, generator, CPU))


def crop_by_hand(images, shifts):
    """Cut each image out of a larger black one, pixel by pixel."""
    out = np.zeros_like(images)
    for image, own, (top, left) in zip(images, out, shifts.T, strict=True):
        for y in range(len(image)):
            for x in range(len(image)):
                from_y, from_x = y + top - 4, x + left - 4
                if 0 <= from_y < len(image) and 0 <= from_x < len(image):
                    own[y, x] = image[from_y, from_x]
    return out


def test_crops_and_flips_are_drawn_batch_by_batch(block):
    recipe = Recipe(batch_size=7, augment=("random_crop", "horizontal_flip"))
    generator, by_hand = (torch.Generator().manual_seed(5) for _ in range(2))
    found = made(recipe, generator)
    assert [len(batch.target) for batch in found] == [7] * 7 + [1]
    for batch, rows in zip(found, map(torch.Tensor.numpy, ROWS.split(7)), strict=True):
        shifts = torch.randint(0, 9, (2, len(rows)), generator=by_hand).numpy()
        flipped = torch.rand(len(rows), generator=by_hand).numpy() < 0.5
        expected = crop_by_hand(IMAGES[rows], shifts)
        expected[flipped] = expected[flipped][:, :, ::-1]
        assert np.array_equal(batch.pixels.numpy(), expected)
        assert np.array_equal(batch.target.numpy(), LABELS[rows])
        assert torch.equal(batch.drawn_until, by_hand.get_state())
    assert torch.equal(generator.get_state(), by_hand.get_state())


@pytest.mark.parametrize("resize", ["before_augment", "after_augment"])
def test_every_augmentation_is_that_of_the_batch_alone(block, resize):
    recipe = Recipe(batch_size=8, augment=EVERY, resize=resize)
    generator, alone = (torch.Generator().manual_seed(6) for _ in range(2))
    found = made(recipe, generator)
    for batch, rows in zip(found, map(torch.Tensor.numpy, ROWS.split(8)), strict=True):
        pixels = torch.from_numpy(IMAGES[rows])
        if resize == "before_augment":
            planes = F.interpolate(pixels.permute(0, 3, 1, 2).float(), (16, 16), mode="bilinear")
            pixels = planes.permute(0, 2, 3, 1).round().byte()
        for name in EVERY:
            of_name = AUGMENTATIONS[name]
            pixels = of_name.apply(pixels, of_name.draw(len(pixels), alone))
        assert torch.equal(batch.pixels, pixels)
        assert torch.equal(batch.drawn_until, alone.get_state())


def test_a_block_that_does_not_fit_is_halved_with_the_same_draws(monkeypatch):
    monkeypatch.setattr(batches, "batches_in_block", lambda *_, **__: 4)
    recipe, sizes, whole = Recipe(batch_size=8, augment=EVERY), [], image_pool(IMAGES, CPU)

    def pool(rows):
        sizes.append(len(rows))
        if len(rows) > 16:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return whole(rows)

    expected = made(recipe, torch.Generator().manual_seed(1))
    found = made(recipe, torch.Generator().manual_seed(1), pool=pool)
    assert sizes == [8, 32, 16, 16, 10]
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one.pixels, other.pixels)
        assert torch.equal(one.drawn_until, other.drawn_until)


def test_memory_that_does_not_suffice_for_a_batch_is_said():
    def pool(_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.raises(RunFailed, match="out of memory in the augmentation of a batch"):
        made(Recipe(batch_size=8), torch.Generator(), pool=pool)


def test_memory_decides_how_many_batches_are_augmented_at_once(monkeypatch):
    gpu, small, large = torch.device("meta"), 256 * 32 * 32 * 3, 64 * 224 * 224 * 3

    def chosen(device, *sizes, augmented=True):
        return [batches_in_block(device, size, augmented=augmented) for size in sizes]

    assert chosen(CPU, small // 4, small, large) == [8, 2, 1]
    assert chosen(CPU, small // 4, augmented=False) == [1]
    monkeypatch.setattr(batches, "free_bytes", lambda _: 10**12)
    assert chosen(gpu, small, large, 10**9) == [85, 6, 1]
    assert chosen(gpu, small, augmented=False) == [85]
    monkeypatch.setattr(batches, "free_bytes", lambda _: 10**9)
    assert chosen(gpu, small) == [12]  # a fifth of what is free, 20 times as much at work
    monkeypatch.setattr(batches, "free_bytes", lambda _: 0)
    assert chosen(gpu, small) == [1]


class Killed(Exception):
    """What stands for a process that ends between two lines."""


class Network(nn.Sequential):
    """A classifier that fails at a given forward pass in training."""

    def __init__(self, fails_at=None):
        torch.manual_seed(0)
        super().__init__(nn.Flatten(), nn.Linear(432, 8), nn.ReLU(), nn.Linear(8, 4))
        self.passes, self.fails_at = 0, fails_at

    def forward(self, inputs):
        self.passes += self.training
        if self.training and self.passes == self.fails_at:
            raise Killed
        return super().forward(inputs)


def trained(fails_at=None, checkpoints=None):
    """Train for two epochs of 7 steps; give the weights."""
    model = Network(fails_at)
    train(
        model, Recipe(epochs=2, batch_size=8, augment=EVERY), IMAGES, LABELS, seed=0, device=CPU,
        preprocess=Preprocess(12, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)), checkpoints=checkpoints,
        accuracies=lambda _: {"test_accuracy": 0.0}, on_epoch=lambda _: None,
    )  # fmt: skip
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.fixture(scope="module")
def batch_by_batch():
    return trained()


def test_weights_end_in_the_same_bits(block, batch_by_batch):
    assert torch.equal(trained(), batch_by_batch)


@pytest.mark.parametrize("fails_at", [2, 5, 7, 8, 11])
def test_a_training_killed_within_a_block_ends_in_the_same_bits(
    block, fails_at, batch_by_batch, tmp_path
):
    checkpoints = Checkpoints(tmp_path, every_seconds=0)
    with pytest.raises(Killed):
        trained(fails_at, checkpoints)
    assert torch.equal(trained(checkpoints=checkpoints), batch_by_batch)


def test_what_goes_to_a_gpu_is_pinned_and_not_waited_for(monkeypatch):
    """A dry run: the device is the CPU under another name, and pinned memory is counted."""
    empty, pinned, sends = torch.empty, [], []

    def counted_empty(*shape, pin_memory=False, **options):
        pinned.extend([shape] * pin_memory)
        return empty(*shape, **options)

    class Gpu:
        type = "cuda"

    def to(tensor, device, non_blocking=False):
        sends.append((device.type, non_blocking))
        return tensor

    monkeypatch.setattr(_preprocess.torch, "empty", counted_empty)
    monkeypatch.setattr(torch.Tensor, "to", to)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda t: (pinned.append(t.shape), t)[1])
    values = torch.arange(5)
    assert torch.equal(sent(values, Gpu()), values)
    rows = np.array([3, 3, 0])
    found = sent_rows(IMAGES, rows, Gpu())
    assert np.array_equal(found.numpy(), IMAGES[rows])
    assert pinned == [(5,), ((3, 12, 12, 3),)]
    assert sends == [("cuda", True)] * 2

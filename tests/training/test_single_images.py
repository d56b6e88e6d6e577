"""Images that pass through a model alone: found before training, with what to change."""

import numpy as np
import pytest
import torch
from small_training import CPU, PLAIN
from torch import nn

from priorscope.cli import run_command
from priorscope.errors import InputError
from priorscope.training.loop import train
from priorscope.training.recipe import Recipe
from priorscope.training.single_images import (
    SingleImage,
    check_single_images,
    fewest_at_once,
    single_image_note,
)


def flat(fails_alone=True):
    """Build a classifier whose batch norm has one value a channel, or maps."""
    if fails_alone:
        layers = nn.Flatten(), nn.Linear(192, 8), nn.BatchNorm1d(8), nn.Linear(8, 4)
    else:
        layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 4)
    return nn.Sequential(*layers)


class Sizes(nn.Module):
    """Remembers how many images came at once."""

    def __init__(self):
        super().__init__()
        self.head, self.sizes = nn.Linear(192, 4), []

    def forward(self, images):
        self.sizes.append(len(images))
        return self.head(images.flatten(1))


@pytest.mark.parametrize("num_images", [1, 2, 5, 33, 64, 65, 97, 130])
@pytest.mark.parametrize("batch_size", [1, 2, 32, 64])
@pytest.mark.parametrize("micro_batch_size", [None, 1, 2, 3, 31, 63, 100])
def test_the_smallest_part_is_that_of_an_epoch(num_images, batch_size, micro_batch_size):
    model = Sizes()
    recipe = Recipe(batch_size=batch_size, micro_batch_size=micro_batch_size, epochs=1)
    images = np.zeros((num_images, 8, 8, 3), dtype=np.uint8)
    train(
        model, recipe, images, np.zeros(num_images, dtype=np.int64), preprocess=PLAIN, seed=0,
        device=CPU, accuracies=lambda _: {"test_accuracy": 0.0}, on_epoch=lambda _: None,
    )  # fmt: skip
    assert fewest_at_once(num_images, batch_size, micro_batch_size) == min(model.sizes)


@pytest.mark.parametrize(
    ("num_images", "recipe", "found", "hint"),
    [
        (65, Recipe(batch_size=64), "a last batch of 1 image", "batch_size to 63 or 65"),
        (64, Recipe(batch_size=1), "in batches of 1", "batch_size to 2 or 4"),
        (
            64,
            Recipe(batch_size=64, micro_batch_size=1),
            "a part of 1",
            "micro_batch_size to 2 or 3",
        ),
        (
            67,
            Recipe(batch_size=64, micro_batch_size=2),
            "a part of 1",
            "micro_batch_size to 3 or 4",
        ),
        (1, Recipe(batch_size=64), "in batches of 1", None),
    ],
)
def test_a_model_that_cannot_train_on_one_image_is_refused(num_images, recipe, found, hint):
    with pytest.raises(InputError) as refused:
        check_single_images(flat(), recipe, num_images, 8, where="models.a")
    error = refused.value
    assert error.where == "models.a" and found in str(error.found)
    assert (error.hint is None) if hint is None else hint in str(error.hint)


@pytest.mark.parametrize("size", [63, 65])
def test_what_is_proposed_does_train(size):
    recipe = Recipe(batch_size=size, epochs=1)
    check_single_images(flat(), recipe, 65, 8, where="models.a")
    assert single_image_note(flat(), recipe, 65) is None
    images = np.random.default_rng(0).integers(0, 256, (65, 8, 8, 3), dtype=np.uint8)
    train(
        flat(), recipe, images, np.arange(65) % 4, preprocess=PLAIN, seed=0, device=CPU,
        accuracies=lambda _: {"test_accuracy": 0.0}, on_epoch=lambda _: None,
    )  # fmt: skip


def test_the_look_draws_nothing_from_the_streams():
    model = nn.Sequential(nn.Dropout(0.5), flat(fails_alone=False))
    before = torch.get_rng_state()
    check_single_images(model, Recipe(batch_size=64), 65, 8, where="models.a")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_model_without_batch_norm_is_left_alone():
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.LayerNorm(4))
    check_single_images(model, Recipe(batch_size=64), 65, 8, where="models.a")
    assert single_image_note(model, Recipe(batch_size=64), 65) is None


def test_moments_of_one_image_are_warned_of_where_they_can_be_had():
    recipe = Recipe(batch_size=64, epochs=1)
    check_single_images(flat(fails_alone=False), recipe, 65, 8, where="models.a")
    images = np.random.default_rng(0).integers(0, 256, (65, 8, 8, 3), dtype=np.uint8)
    with pytest.warns(SingleImage, match=r"one image alone: .*65 training .* 63 or 65"):
        train(
            flat(fails_alone=False), recipe, images, np.arange(65) % 4, preprocess=PLAIN, seed=0,
            device=CPU, accuracies=lambda _: {"test_accuracy": 0.0}, on_epoch=lambda _: None,
        )  # fmt: skip


STUDY = """
name: alone
data: {name: synthetic, num_train: 65, num_test: 40}
recipe: {epochs: 1, batch_size: 64}
models: {a: {name: %s}}
seeds: [0]
"""
MODEL = """
from torch import nn
def normed(*, num_classes: int, image_px: int) -> nn.Module:
    layers = nn.Linear(3 * image_px**2, 8), nn.BatchNorm1d(8), nn.Linear(8, num_classes)
    return nn.Sequential(nn.Flatten(), *layers)
"""


@pytest.mark.parametrize("command", ["check", "run"])
def test_the_command_line_refuses_before_anything_is_trained(command, tmp_path, capsys):
    (tmp_path / "normed.py").write_text(MODEL)
    (tmp_path / "alone.yaml").write_text(STUDY % '"./normed.py:normed"')
    out = ["--out", str(tmp_path / "out")] if command == "run" else []
    assert run_command([command, str(tmp_path / "alone.yaml"), *out]) == 2
    said = capsys.readouterr().err
    assert "batch norm cannot train on one image" in said and "models.a" in said
    assert "set recipe.batch_size to 63 or 65" in said and "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_check_notes_moments_of_one_image(tmp_path, capsys):
    (tmp_path / "alone.yaml").write_text(STUDY % "resnet_nano, width: 4, num_blocks: [1]")
    assert run_command(["check", str(tmp_path / "alone.yaml")]) == 0
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note")]
    assert len(notes) == 1 and "a: batch norm takes its moments from one image alone" in notes[0]

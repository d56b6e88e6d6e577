"""A training that was stopped anywhere ends in the same bits as one that was not."""

import os
import signal

import numpy as np
import pytest
import torch
from torch import nn

from priorscope.data._preprocess import Preprocess
from priorscope.training import distributed
from priorscope.training.checkpoint import Checkpoints, DamagedCheckpoint, interruption
from priorscope.training.loop import train
from priorscope.training.recipe import Recipe
from priorscope.training.state import TrainingState

CPU = torch.device("cpu")
PLAIN = Preprocess(8, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
RECIPES = [
    Recipe(epochs=3, batch_size=16, augment=("random_crop", "horizontal_flip")),
    Recipe(epochs=3, batch_size=16, optimizer="sgd", schedule="cosine", micro_batch_size=5),
    Recipe(epochs=3, batch_size=16, optimizer="adamw", schedule="constant", precision="bf16"),
    Recipe(epochs=3, batch_size=16, precision="fp16", clip_grad_norm=1.0),
]


class Killed(Exception):
    """What stands for a process that ends between two lines."""


class Network(nn.Sequential):
    """Draws dropout, keeps batch norm's moments, and fails at a given forward pass in training."""

    def __init__(self, fails_at=None):
        torch.manual_seed(0)
        super().__init__(
            nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3),
            nn.Linear(288, 4),
        )  # fmt: skip
        self.passes, self.fails_at = 0, fails_at

    def forward(self, inputs):
        self.passes += self.training
        if self.training and self.passes == self.fails_at:
            raise Killed
        return super().forward(inputs)


def run(recipe, checkpoints, *, fails_at=None, on_epoch=None):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (50, 8, 8, 3), dtype=np.uint8)
    model, epochs = Network(fails_at), {}

    def record(epoch):
        epochs[epoch.epoch] = (epoch.train_loss, epoch.train_accuracy, epoch.learning_rate)
        if on_epoch:
            on_epoch(epoch)

    torch.manual_seed(7)
    train(
        model, recipe, images, rng.integers(0, 4, 50), preprocess=PLAIN, seed=0, device=CPU,
        accuracies=lambda _: {"test_accuracy": 0.0}, on_epoch=record, checkpoints=checkpoints,
    )  # fmt: skip
    return model.state_dict(), epochs


def assert_same(state, other):
    assert all(torch.equal(state[name], other[name]) for name in state)


@pytest.mark.parametrize("recipe", RECIPES, ids=["adam", "sgd", "adamw", "fp16"])
@pytest.mark.parametrize("fails_at", [1, 2, 7, 12])
def test_a_killed_training_ends_in_the_same_bits(recipe, fails_at, tmp_path):
    expected, expected_epochs = run(recipe, None)
    checkpoints = Checkpoints(tmp_path / "checkpoint", every_seconds=0)
    with pytest.raises(Killed):
        run(recipe, checkpoints, fails_at=fails_at)
    assert not list(tmp_path.rglob("*.partial"))
    torch.manual_seed(99)  # another process has another stream
    found, epochs = run(recipe, checkpoints)
    assert_same(expected, found)
    assert epochs == {epoch: expected_epochs[epoch] for epoch in epochs}
    assert 3 in epochs


def test_the_scale_of_fp16_is_part_of_the_state():
    """After an overflow the scale is halved; a training that continues must not start it anew."""
    recipe = Recipe(epochs=1, batch_size=16, precision="fp16")

    def fresh():
        return TrainingState(Network(), recipe, 50, seed=0, device=CPU)

    state = fresh()
    for gradient in (float("inf"), float("inf"), 1.0):
        loss = sum(parameter.sum() for parameter in state.model.parameters())
        state.scaler.scale(loss * gradient).backward()
        state.scaler.step(state.optimizer)
        state.scaler.update()
        state.optimizer.zero_grad()
    assert state.scaler.get_scale() == 2.0**16 / 4
    continued = fresh()
    assert continued.scaler.get_scale() == 2.0**16
    continued.restore(state.as_dict())
    assert continued.scaler.state_dict() == state.scaler.state_dict()
    assert continued.scaler.get_scale() == 2.0**16 / 4


def test_a_signal_keeps_the_state_and_stops(tmp_path):
    expected, _ = run(RECIPES[0], None)
    checkpoints = Checkpoints(tmp_path, every_seconds=1e9)
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        run(RECIPES[0], checkpoints, on_epoch=lambda _: os.kill(os.getpid(), signal.SIGTERM))
    assert signal.getsignal(signal.SIGTERM) is handler
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000004.ckpt"]
    found, epochs = run(RECIPES[0], checkpoints)
    assert list(epochs) == [2, 3]
    assert_same(expected, found)


@pytest.mark.parametrize(("num_processes", "patient"), [(1, False), (2, True)])
def test_a_second_signal_interrupts_at_once(num_processes, patient, monkeypatch):
    monkeypatch.setattr(distributed, "world_size", lambda: num_processes)
    ended_by_second = False
    with pytest.raises(KeyboardInterrupt), interruption() as stop:  # in the end both interrupt
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.is_set()
        ended_by_second = True
        os.kill(os.getpid(), signal.SIGTERM)
        ended_by_second = False
    assert ended_by_second != patient


def test_a_finished_training_is_not_trained_again(tmp_path):
    checkpoints = Checkpoints(tmp_path, every_seconds=1e9)
    expected, _ = run(RECIPES[0], checkpoints)
    found, epochs = run(RECIPES[0], checkpoints, fails_at=1)
    assert not epochs
    assert_same(expected, found)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_newest_falls_back_to_the_one_before(damage, tmp_path):
    expected, _ = run(RECIPES[0], None)
    checkpoints = Checkpoints(tmp_path, every_seconds=0)
    with pytest.raises(Killed):
        run(RECIPES[0], checkpoints, fails_at=7)
    _, newest = sorted(tmp_path.iterdir())  # two are kept
    content = newest.read_bytes()
    middle = len(content) // 2
    newest.write_bytes(
        {
            "cut": content[:-100],
            "flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "empty": b"",
            "text": b"not a checkpoint",
        }[damage]
    )
    with pytest.warns(DamagedCheckpoint, match=newest.name):
        found, _ = run(RECIPES[0], checkpoints)
    assert_same(expected, found)
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    with pytest.warns(DamagedCheckpoint):
        found, epochs = run(RECIPES[0], checkpoints)
    assert list(epochs) == [1, 2, 3]  # from the start
    assert_same(expected, found)


def test_a_checkpoint_of_another_run_is_not_continued(tmp_path):
    with pytest.raises(Killed):
        run(RECIPES[0], Checkpoints(tmp_path, every_seconds=0, owner="a-s0"), fails_at=7)
    with pytest.warns(DamagedCheckpoint):
        assert Checkpoints(tmp_path, owner="a-s1").latest() is None
    assert Checkpoints(tmp_path, owner="a-s0").latest() is not None


def test_a_checkpoint_that_would_run_code_is_not_loaded(tmp_path):
    import hashlib
    import pickle

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "pwned"),)

    content = pickle.dumps(Evil())
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "step-000000001.ckpt").write_bytes(hashlib.sha256(content).digest() + content)
    with pytest.warns(DamagedCheckpoint):
        assert Checkpoints(folder).latest() is None
    assert not (tmp_path / "pwned").exists()

"""The loop against the same training written out by hand, and its promises."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_training import CPU, data, network, run, weights
from torch import nn

from priorscope.data._preprocess import Preprocess
from priorscope.errors import RunFailed
from priorscope.training.loop import train
from priorscope.training.optimize import build_optimizer, build_schedule
from priorscope.training.recipe import Recipe


def test_full_batch_training_equals_the_steps_written_by_hand():
    recipe = Recipe(
        optimizer="adamw", learning_rate=0.01, schedule="one_cycle", batch_size=50, epochs=12,
        weight_decay=0.1, label_smoothing=0.1, clip_grad_norm=0.5,
    )  # fmt: skip
    model, epochs = run(recipe)

    expected = network()
    pixels, labels = data()
    inputs = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.25
    target = torch.from_numpy(labels)
    optimizer = torch.optim.AdamW(expected.parameters(), lr=0.01, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=12)
    losses = []
    for _ in range(12):
        loss = nn.CrossEntropyLoss(label_smoothing=0.1)(expected(inputs), target)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(expected.parameters(), 0.5)
        optimizer.step()
        schedule.step()
    torch.testing.assert_close(weights(model), weights(expected), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose([epoch.train_loss for epoch in epochs], losses, rtol=1e-4)


def test_every_example_is_seen_once_an_epoch():
    seen = []

    class Recorder(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3, 4)

        def forward(self, inputs):
            seen.append(inputs[:, 0, 0, 0].clone())
            return self.head(inputs.mean((2, 3)))

    images = np.zeros((50, 8, 8, 3), dtype=np.uint8)
    images[:, 0, 0, 0] = np.arange(50)
    run(Recipe(batch_size=16, epochs=2), model=Recorder(), images=images)
    assert [len(batch) for batch in seen] == [16, 16, 16, 2] * 2
    for epoch in (seen[:4], seen[4:]):
        bytes_seen = ((torch.cat(epoch) * 0.25 + 0.5) * 255).round()
        assert sorted(bytes_seen.tolist()) == list(range(50))
    assert not torch.equal(torch.cat(seen[:4]), torch.cat(seen[4:]))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_same_seed_same_bits(precision):
    recipe = Recipe(batch_size=16, epochs=3, augment=("random_crop",), precision=precision)
    first, again, other = (run(recipe, seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(other))


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "constant"])
def test_every_optimizer_and_schedule_learns(optimizer, schedule):
    recipe = Recipe(
        optimizer=optimizer, schedule=schedule, learning_rate=0.05 if optimizer == "sgd" else 0.01,
        batch_size=16, epochs=15,
    )  # fmt: skip
    _, epochs = run(recipe)
    assert epochs[-1].train_loss < 0.7 * epochs[0].train_loss
    assert epochs[-1].step == 15 * 4


def test_non_finite_loss_stops_with_step_and_learning_rate():
    recipe = Recipe(optimizer="sgd", schedule="constant", learning_rate=1e30, batch_size=25)
    with pytest.raises(RunFailed, match=r"step [2-9] \(epoch \d, learning rate 1e\+30\)"):
        run(recipe)


def test_cosine_rises_linearly_and_ends_near_zero():
    recipe = Recipe(schedule="cosine", warmup_fraction=0.1, learning_rate=1.0)
    optimizer = build_optimizer(network(), recipe, CPU)
    schedule = build_schedule(optimizer, recipe, 100)
    rates = []
    for _ in range(100):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    np.testing.assert_allclose(rates[:10], np.arange(1, 11) / 11)
    assert np.argmax(rates) == 10
    assert (np.diff(rates[10:]) < 0).all()
    np.testing.assert_allclose(rates[55], 0.5, atol=1e-9)
    assert rates[-1] < 1e-3


def test_micro_batches_give_the_gradients_of_the_whole_batch():
    whole = Recipe(learning_rate=0.01, batch_size=20, epochs=4, label_smoothing=0.1)
    parts = replace(whole, micro_batch_size=6)
    models, losses = zip(*(run(recipe) for recipe in (whole, parts)), strict=True)
    torch.testing.assert_close(weights(models[0]), weights(models[1]), rtol=1e-3, atol=1e-5)
    for a, b in zip(*losses, strict=True):
        assert a.train_loss == pytest.approx(b.train_loss, rel=1e-4)
        assert a.train_accuracy == b.train_accuracy


def test_the_order_of_resizing_and_augmenting_is_the_recipes():
    """A crop shifts by pixels of the network's input, or by those of the data."""

    class Recorder(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3, 4)
            self.black = []

        def forward(self, inputs):
            black = (inputs[:, 0] < -1.9).all(2)  # rows that entered from outside the image
            self.black += black.sum(1).tolist()
            return self.head(inputs.mean((2, 3)))

    images = np.full((200, 8, 8, 3), 200, dtype=np.uint8)
    images[0] = 199  # no constant channel
    shifts = {}
    for order in ("after_augment", "before_augment"):
        recorder, (_, labels) = Recorder(), data(200)
        train(
            recorder,
            Recipe(epochs=1, augment=("random_crop",), resize=order),
            images,
            labels,
            preprocess=Preprocess(32, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
            seed=0,
            device=CPU,
            accuracies=lambda _: {"test_accuracy": 0.0},
            on_epoch=lambda _: None,
        )
        shifts[order] = max(recorder.black)
    assert shifts["before_augment"] == 4
    assert shifts["after_augment"] > 12


class Faint(nn.Module):
    """Multiplies logits, so that fp16 gradients vanish below 1 or overflow above."""

    def __init__(self, factor):
        super().__init__()
        self.inner, self.factor = network(), factor

    def forward(self, inputs):
        return self.inner(inputs) * self.factor


def test_fp16_scales_the_loss_so_that_small_gradients_survive(monkeypatch):
    """One step of gradients near 1e-8, where fp16 has nothing but zero."""
    recipe = Recipe(
        optimizer="sgd", schedule="constant", momentum=0.0, weight_decay=0.0, learning_rate=1e4,
        batch_size=50, epochs=1,
    )  # fmt: skip
    before = weights(network())
    factor = 2.0**-20

    def step(precision):
        return weights(run(replace(recipe, precision=precision), model=Faint(factor))[0]) - before

    expected, found = step("fp32"), step("fp16")
    assert expected.abs().max() > 1e-4
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0.01 * float(expected.abs().max()))
    plain = torch.amp.GradScaler
    monkeypatch.setattr(torch.amp, "GradScaler", lambda device, **_: plain(device, enabled=False))
    assert not step("fp16").any(), "unscaled they do vanish"


@pytest.mark.filterwarnings("error:Detected call of .lr_scheduler")
def test_fp16_passes_over_steps_whose_gradients_overflow():
    recipe = Recipe(
        optimizer="sgd", schedule="constant", learning_rate=1e-6, batch_size=50, epochs=1,
        precision="fp16", clip_grad_norm=1.0,
    )  # fmt: skip
    one, (epoch,) = run(recipe, model=Faint(2.0**13))
    assert torch.equal(weights(one), weights(network())) and epoch.num_skipped_updates == 1
    many, epochs = run(replace(recipe, epochs=40), model=Faint(2.0**13))
    assert not torch.equal(weights(many), weights(network())), "the scale has fallen until it fits"
    assert torch.isfinite(weights(many)).all() and len(epochs) == 40
    skipped = [epoch.num_skipped_updates for epoch in epochs]
    assert set(skipped) == {0, 1} and skipped == sorted(skipped, reverse=True)


@pytest.mark.skipif(not any(map(shutil.which, ("c++", "g++"))), reason="needs a C++ compiler")
def test_a_compiled_model_learns_what_a_plain_one_does():
    recipe = Recipe(learning_rate=0.01, batch_size=25, epochs=3)  # of one shape: compiled once
    plain, _ = run(recipe)
    model = network()
    compiled, epochs = run(replace(recipe, compile=True), model=model)
    assert model._compiled_call_impl is not None and len(epochs) == 3
    torch.testing.assert_close(weights(compiled), weights(plain), rtol=1e-3, atol=1e-5)
    assert plain.state_dict().keys() == compiled.state_dict().keys()


def test_inputs_and_weights_lie_channels_last():
    class Recorder(nn.Sequential):
        def forward(self, inputs):
            seen.append((inputs, self[0].weight))
            return super().forward(inputs)

    seen = []
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))
    run(
        Recipe(batch_size=25, epochs=1, augment=("random_crop",)),
        model=Recorder(nn.Conv2d(3, 6, 3), head),
    )
    assert len(seen) == 2
    for inputs, weight in seen:
        # The channel is the fastest axis in memory.
        assert inputs.shape == (25, 3, 8, 8) and inputs.stride() == (192, 1, 24, 3)
        assert weight.shape == (6, 3, 3, 3) and weight.stride() == (27, 1, 9, 3)

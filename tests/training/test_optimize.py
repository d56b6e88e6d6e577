"""Schedules where they are short, and what an update that is passed over does to them."""

import numpy as np
import pytest
import torch
from small_training import CPU, network, run, weights

from priorscope.training.optimize import build_optimizer, build_schedule
from priorscope.training.recipe import Recipe
from priorscope.training.state import TrainingState


def rates_of(recipe, num_steps):
    """List each step's learning rate, and momentum or first beta."""
    optimizer = build_optimizer(network(), recipe, CPU)
    schedule = build_schedule(optimizer, recipe, num_steps)
    rates, momenta = [], []
    for _ in range(num_steps):
        (group,) = optimizer.param_groups
        rates.append(group["lr"])
        momenta.append(group["momentum"] if recipe.optimizer == "sgd" else group["betas"][0])
        optimizer.step()
        schedule.step()
    return np.array(rates), np.array(momenta)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("num_steps", [2, 3, 7, 20, 1000])
@pytest.mark.parametrize("warmup_fraction", [0.0, 0.05, 0.1, 0.25, 0.3, 1 / 3, 0.5, 0.99])
def test_one_cycle_is_defined_for_every_warm_up(optimizer, num_steps, warmup_fraction):
    recipe = Recipe(learning_rate=2.0, warmup_fraction=warmup_fraction, optimizer=optimizer)
    rates, momenta = rates_of(recipe, num_steps)
    # By hand, step by step: the rise ends at the last step of the warm-up, the fall at the last.
    last = float(warmup_fraction * num_steps) - 1
    for step, (rate, momentum) in enumerate(zip(rates, momenta, strict=True)):
        if last > 0 and step <= last:
            part = (1 - np.cos(np.pi * step / last)) / 2
            expected = 0.08 + (2 - 0.08) * part, 0.95 - 0.1 * part
        else:
            part = (1 + np.cos(np.pi * (step - last) / (num_steps - 1 - last))) / 2
            expected = 8e-6 + (2 - 8e-6) * part, 0.95 - 0.1 * part
        np.testing.assert_allclose([rate, momentum], expected, rtol=1e-6)


def test_a_warm_up_of_one_step_is_at_the_peak_in_it():
    rates, momenta = rates_of(Recipe(learning_rate=2.0, warmup_fraction=0.25), 4)
    np.testing.assert_allclose(rates, [2.0, 1.5, 0.5, 8e-6], rtol=1e-4)
    np.testing.assert_allclose(momenta, [0.85, 0.875, 0.925, 0.95])


def test_cosine_reaches_its_peak_however_long_it_warms_up():
    recipe = Recipe(schedule="cosine", learning_rate=2.0, warmup_fraction=0.99)
    np.testing.assert_allclose(rates_of(recipe, 4)[0], [0.5, 1.0, 1.5, 2.0])


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "constant"])
@pytest.mark.parametrize("warmup_fraction", [0.0, 0.3, 0.5, 0.9])
def test_the_only_step_is_at_the_peak(schedule, warmup_fraction):
    recipe = Recipe(
        learning_rate=0.1, warmup_fraction=warmup_fraction, schedule=schedule, batch_size=50,
        epochs=1, optimizer="sgd",
    )  # fmt: skip
    rates, _ = rates_of(recipe, 1)
    np.testing.assert_allclose(rates, [0.1], rtol=1e-6)
    model, (epoch,) = run(recipe)
    assert epoch.learning_rate == pytest.approx(0.1)
    assert (weights(model) - weights(network())).abs().max() > 1e-3, "it does train"


def test_cuda_gets_the_fused_optimizer_unless_fp16_asks_whether_a_step_counts():
    for kind in ("adam", "adamw", "sgd"):
        for precision, fused in (("fp32", True), ("bf16", True), ("fp16", None)):
            recipe = Recipe(optimizer=kind, precision=precision)
            on_gpu = build_optimizer(network(), recipe, torch.device("cuda"))
            assert on_gpu.defaults["fused"] is fused
            assert build_optimizer(network(), recipe, CPU).defaults["fused"] is None


@pytest.mark.parametrize("kind", ["adam", "adamw", "sgd"])
def test_the_fused_optimizer_makes_the_same_steps(kind):
    """PyTorch has it for CPUs too; its state goes through a checkpoint and back."""
    recipe = Recipe(optimizer=kind, learning_rate=0.01, weight_decay=0.1)
    models = network(), network()
    optimizers = [
        build_optimizer(model, recipe, torch.device(device))
        for model, device in zip(models, ("cpu", "cuda"), strict=True)
    ]
    for step in range(6):
        gradients = [torch.randn(p.shape) for p in models[0].parameters()]
        for model, optimizer in zip(models, optimizers, strict=True):
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter.grad = gradient.clone()
            optimizer.step()
        if step == 2:
            stored = optimizers[1].state_dict()
            optimizers[1] = build_optimizer(models[1], recipe, torch.device("cuda"))
            optimizers[1].load_state_dict(stored)
            assert optimizers[1].param_groups[0]["fused"]
    torch.testing.assert_close(*map(weights, models))


class Scaler:
    """Passes over the first updates, as infinite gradients would."""

    def __init__(self, *_, num_infinite=3, **__):
        self.num_infinite = num_infinite

    def scale(self, loss):
        return loss

    def unscale_(self, _):
        pass

    def update(self):
        pass

    def step(self, optimizer):
        self.num_infinite -= 1
        if self.num_infinite < 0:
            optimizer.step()

    def state_dict(self):
        return {"num_infinite": self.num_infinite}

    def load_state_dict(self, state):
        self.num_infinite = state["num_infinite"]


@pytest.mark.filterwarnings("error:Detected call of .lr_scheduler")
def test_the_schedule_waits_for_updates_that_are_passed_over(monkeypatch):
    monkeypatch.setattr(torch.amp, "GradScaler", Scaler)
    _, epochs = run(Recipe(batch_size=25, epochs=4, learning_rate=0.5, precision="fp16"))
    assert [epoch.num_skipped_updates for epoch in epochs] == [2, 1, 0, 0]
    assert [epoch.step for epoch in epochs] == [2, 4, 6, 8]
    expected, _ = rates_of(Recipe(learning_rate=0.5), 8)
    # Of eight steps three were passed over: the last rate is that of the fifth update.
    seen = [epoch.learning_rate for epoch in epochs]
    np.testing.assert_allclose(seen, [expected[0], expected[0], expected[2], expected[4]])


def test_updates_that_are_passed_over_are_part_of_the_state(monkeypatch):
    monkeypatch.setattr(torch.amp, "GradScaler", Scaler)
    recipe = Recipe(batch_size=10, epochs=2)

    def fresh():
        return TrainingState(network(), recipe, 50, seed=0, device=CPU)

    state = fresh()
    for _ in range(4):
        state.update(state.drawn_until)
    continued = fresh()
    continued.restore(state.as_dict())
    assert (continued.num_skipped_updates, continued.num_steps) == (3, 4)
    assert continued.schedule.last_epoch == 1
    state.begin_epoch(2)
    assert state.num_skipped_updates == 0

"""Optimizers without the compiler do what PyTorch's own do, and do without its import."""

import subprocess
import sys

import pytest
import torch

from priorscope.training.compiler import leave_compiler_out, uncompiled

KINDS = [
    (torch.optim.Adam, {"lr": 1e-2, "weight_decay": 0.1}),
    (torch.optim.AdamW, {"lr": 1e-2, "weight_decay": 0.1}),
    (torch.optim.SGD, {"lr": 1e-2, "momentum": 0.9}),
]


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_steps_states_and_hooks_are_those_of_pytorchs_own(kind, options):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(5, 3, generator=generator)
    weights = [torch.nn.Parameter(start.clone()) for _ in range(2)]
    optimizers = [
        build([w], **options) for build, w in zip((kind, uncompiled(kind)), weights, strict=True)
    ]
    calls = []
    optimizers[1].register_step_post_hook(lambda *_: calls.append(1))
    schedules = [torch.optim.lr_scheduler.ExponentialLR(each, 0.9) for each in optimizers]
    for _ in range(4):
        gradient = torch.randn(5, 3, generator=generator)
        for weight, optimizer, schedule in zip(weights, optimizers, schedules, strict=True):
            optimizer.zero_grad()
            (weight * gradient).sum().backward()
            optimizer.step()
            schedule.step()
    assert torch.equal(*weights)
    assert not torch.equal(weights[0], start)
    assert len(calls) == 4
    first, second = (optimizer.state_dict() for optimizer in optimizers)
    assert first["param_groups"] == second["param_groups"]
    torch.testing.assert_close(first["state"], second["state"], rtol=0, atol=0)
    optimizers[0].load_state_dict(second)
    assert isinstance(optimizers[1], kind)


def test_training_does_not_import_the_compiler():
    program = """
import sys
import numpy as np
import torch
from priorscope.data._preprocess import preprocess_for
from priorscope.training.loop import train
from priorscope.training.recipe import Recipe
images, labels = np.zeros((8, 8, 8, 3), dtype=np.uint8), np.arange(8) % 2
for optimizer in ("adam", "adamw", "sgd"):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 2))
    recipe = Recipe(optimizer=optimizer, batch_size=4, epochs=1)
    train(model, recipe, images, labels, preprocess=preprocess_for(images, None), seed=0,
          device=torch.device("cpu"), accuracies=lambda _: {"test_accuracy": 0.0},
          on_epoch=lambda _: None)
sys.exit("torch._dynamo" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_is_not_wrapped_or_was_called_before_stays_as_it_is():
    def plain():
        return 1

    leave_compiler_out(plain)
    assert not vars(plain)

    def wrapper():
        return plain()

    wrapper.__wrapped__ = plain
    plain.__dict__["__dynamo_disable"] = kept = object()
    leave_compiler_out(wrapper)
    assert plain.__dict__["__dynamo_disable"] is kept

"""What a training does when memory runs out."""

from dataclasses import replace

import pytest
import torch
from small_training import network, run, weights
from torch import nn

from priorscope.errors import RunFailed
from priorscope.training.memory import SmallerMicroBatch
from priorscope.training.recipe import Recipe


class Greedy(nn.Module):
    """Stands for a model whose activations need memory: more than `most` images do not fit."""

    def __init__(self, most):
        super().__init__()
        self.inner, self.most, self.sizes = network(), most, []

    def forward(self, inputs):
        if self.training:
            self.sizes.append(len(inputs))
            if len(inputs) > self.most:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return self.inner(inputs)


def test_out_of_memory_takes_smaller_parts_of_the_same_batch():
    recipe = Recipe(learning_rate=0.01, batch_size=20, epochs=2)
    plain, epochs = run(recipe)
    greedy = Greedy(most=6)
    with pytest.warns(SmallerMicroBatch, match="5 images"):
        _, fewer = run(recipe, model=greedy)
    assert greedy.sizes[:3] == [20, 10, 5]
    assert max(greedy.sizes[2:]) == 5
    torch.testing.assert_close(weights(plain), weights(greedy.inner), rtol=1e-3, atol=1e-5)
    assert [epoch.micro_batch_size for epoch in (*epochs, *fewer)] == [20, 20, 5, 5]


def test_out_of_memory_with_one_image_is_said():
    with pytest.warns(SmallerMicroBatch), pytest.raises(RunFailed, match="with 1 images"):
        run(Recipe(batch_size=20, epochs=1), model=Greedy(most=0))


class Normed(nn.Module):
    """Batch norm and dropout, and then no memory for more than `most` images."""

    def __init__(self, most):
        super().__init__()
        torch.manual_seed(0)
        self.norm, self.dropout, self.most = nn.BatchNorm2d(3), nn.Dropout(0.3), most
        self.head = nn.Linear(192, 4)

    def forward(self, inputs):
        hidden = self.dropout(self.norm(inputs))
        if self.training and len(inputs) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return self.head(hidden.flatten(1))


def test_out_of_memory_leaves_no_trace_in_moments_and_random_numbers():
    recipe = Recipe(learning_rate=0.01, batch_size=32, epochs=2)
    fits, greedy = Normed(most=32), Normed(most=8)
    torch.manual_seed(5)
    expected, _ = run(replace(recipe, micro_batch_size=8), model=fits)
    torch.manual_seed(5)
    with pytest.warns(SmallerMicroBatch, match="8 images"):
        found, _ = run(recipe, model=greedy)
    state = found.state_dict()
    assert all(torch.equal(state[name], value) for name, value in expected.state_dict().items())


@pytest.mark.parametrize(
    ("name", "words"),
    [("batches.apply", "the augmentation of a batch"), ("step.nn.utils.clip_grad_norm_", "step")],
)
def test_out_of_memory_elsewhere_is_said_in_a_sentence(name, words, monkeypatch):
    def fail(*_):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried")

    monkeypatch.setattr(f"priorscope.training.{name}", fail)
    with pytest.raises(RunFailed, match=f"^out of memory in .*{words}$"):
        run(Recipe(batch_size=20, epochs=1, clip_grad_norm=1.0))

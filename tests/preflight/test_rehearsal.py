"""Two steps on copies of a model before its training: what they find, and what they cost."""

import random
from collections import namedtuple
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
import torchvision.models
from torch import nn

from priorscope.errors import InputError
from priorscope.preflight.rehearsal import rehearse
from priorscope.training.memory_format import lay_out, stay_contiguous
from priorscope.training.outputs import answer_in_logits, answers_of, loss_of
from priorscope.training.recipe import Recipe

RECIPE = Recipe(epochs=1, learning_rate=1e-3)


class Net(nn.Module):
    """A linear model; subclasses change what it keeps or returns."""

    def __init__(self):
        super().__init__()
        self.f = nn.Linear(3 * 8 * 8, 10)
        self.make()

    def make(self): ...

    def forward(self, x):
        return self.answer(self.f(self.see(x.flatten(1))))

    def see(self, x):
        return x

    def answer(self, y):
        return y


def rehearsed(kind, prepare=answer_in_logits):
    def build():
        torch.manual_seed(0)
        return prepare(kind())

    return rehearse(build, RECIPE, num_classes=10, image_px=8, where="models.m")


class Counter(Net):  # as a ramp of stochastic depth has it
    calls = 0

    def see(self, x):
        self.calls += self.training
        return x * min(1.0, self.calls / 40)


class LateCounter(Net):  # nothing of it shows before the thousandth step
    def make(self):
        self.seen = {"steps": [0]}

    def see(self, x):
        self.seen["steps"][0] += self.training
        return x * (2.0 if self.seen["steps"][0] > 1000 else 1.0)


class PlainTensor(Net):
    def make(self):
        self.centre = torch.zeros(3 * 8 * 8)

    def see(self, x):
        if self.training:
            self.centre = 0.9 * self.centre + 0.1 * x.detach().mean(0)
        return x - self.centre


class TransientBuffer(Net):
    def make(self):
        self.register_buffer("mean", torch.zeros(3 * 8 * 8), persistent=False)

    def see(self, x):
        if self.training:
            self.mean += 0.1 * (x.detach().mean(0) - self.mean)
        return x - self.mean


class OfTheClass(Net):  # what all of a class share is one in this process and none in the next
    steps: ClassVar = [0]

    def see(self, x):
        OfTheClass.steps[0] += self.training
        return x * OfTheClass.steps[0]


class OwnGenerator(Net):
    def make(self):
        self.rng = np.random.default_rng(0)

    def see(self, x):
        return x * float(self.rng.random()) if self.training else x


class Closure(Net):
    def make(self):
        count = iter(range(1, 100))
        self.tick = lambda: next(count)

    def see(self, x):
        return x * self.tick() if self.training else x


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Counter, "state that is not stored (calls): a network that is read back answers"),
        (LateCounter, "state that is not stored (seen): a network that is read back goes on"),
        (PlainTensor, "state that is not stored (centre)"),
        (TransientBuffer, "buffers that is not stored (mean)"),
        (OfTheClass, "(OfTheClass.steps)"),
        (OwnGenerator, "state that is not stored (rng)"),
        (Closure, "state that is not stored: a network"),
    ],
)
def test_what_a_model_keeps_outside_of_its_stored_state_is_found(kind, words):
    (line,) = rehearsed(kind).warnings
    assert words.replace("buffers that is", "buffers that are") in line
    assert "not promised the same bits" in line and "\n" not in line


class Remembers(Net):  # what many keep for figures: of the last images only
    def see(self, x):
        self.last = x.detach().clone()
        self.shape, self.kind = x.shape, type(x)
        return x


class PersistentBuffer(Net):
    def make(self):
        self.register_buffer("count", torch.zeros(()))

    def see(self, x):
        self.count += self.training
        return x * min(1.0, float(self.count) / 40)


class ExtraState(Net):
    def make(self):
        self.count = 0

    def see(self, x):
        self.count += self.training
        return x * self.count

    def get_extra_state(self):
        return torch.tensor(self.count)

    def set_extra_state(self, state):
        self.count = int(state)


class Dropout(Net):
    def make(self):
        self.drop = nn.Dropout(0.5)

    def see(self, x):
        return self.drop(x) * random.random() * np.random.rand()  # noqa: NPY002


class Norms(Net):
    def make(self):
        self.f = nn.Sequential(
            nn.utils.parametrizations.spectral_norm(nn.Linear(192, 16)),
            nn.BatchNorm1d(16),
            nn.Linear(16, 10),
        )


@pytest.mark.parametrize("kind", [Net, Remembers, PersistentBuffer, ExtraState, Dropout, Norms])
def test_nothing_is_said_of_what_is_stored_or_of_no_account(kind):
    assert rehearsed(kind).warnings == ()


class Reseeds(Net):
    def see(self, x):
        scale = torch.rand(1, generator=torch.Generator().manual_seed(torch.seed() % 2**31))
        return x * scale if self.training else x


class FromTheSystem(Net):
    def make(self):
        self.f.weight.data.copy_(torch.from_numpy(np.random.default_rng().normal(size=(10, 192))))


@pytest.mark.parametrize("kind", [Reseeds, FromTheSystem])
def test_random_numbers_that_no_seed_reaches_are_found(kind):
    lines = rehearsed(kind).warnings
    assert any("random numbers that no seed reaches" in line for line in lines)


class SharedPart(Net):
    def make(self):
        whole = torch.randn(30, 10)
        self.a, self.b = nn.Parameter(whole[:20]), nn.Parameter(whole[10:])

    def answer(self, y):
        return y + self.a.sum(0) + self.b.sum(0)


class OddExtraState(Net):
    def get_extra_state(self):
        return {"step": 1}

    def set_extra_state(self, state): ...


class Sparse(Net):
    def make(self):
        self.register_buffer("sparse", torch.eye(3).to_sparse())


class Grows(Net):
    def see(self, x):
        if not hasattr(self, "late"):
            self.late = nn.Linear(3, 3)
        return x


@pytest.mark.parametrize("kind", [SharedPart, OddExtraState, Sparse, Grows])
def test_what_cannot_be_stored_is_refused(kind):
    with pytest.raises(InputError, match="state cannot be stored and read back") as caught:
        rehearsed(kind)
    assert caught.value.where == "models.m"


Named = namedtuple("Named", "features logits")


@dataclass
class Output:
    hidden: torch.Tensor
    logits: torch.Tensor


def returning(how, *, in_tests=True):
    class Returns(Net):
        def answer(self, y):
            return how(y) if self.training or in_tests else y

    return Returns


@pytest.mark.parametrize(
    "how",
    [
        lambda y: (y, y[:, :3]),
        lambda y: [y],
        lambda y: {"features": y[:, :3], "logits": y},
        lambda y: {"out": y},
        lambda y: Named(y[:, :3], y),
        lambda y: Output(y[:, :3], y),
        lambda y: ((y, y[:, :3]), None),
    ],
)
@pytest.mark.parametrize("in_tests", [True, False])
def test_the_logits_are_found_in_what_a_model_returns(how, in_tests):
    kind = returning(how, in_tests=in_tests)
    assert rehearsed(kind).notes[0].startswith("trained on")
    torch.manual_seed(0)
    model, x = answer_in_logits(kind()), torch.randn(2, 3, 8, 8)
    for training in (True, False):
        assert torch.equal(model.train(training)(x), model.f(x.flatten(1)))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (lambda y: (y, y), "several outputs in training"),
        (lambda y: {"logits": y, "aux": y}, "several outputs in training"),
        (lambda y: y.repeat(1, 2), "must return logits in training too"),
        (lambda y: y[:1], "must return logits in training too"),
        (lambda _: None, "must return logits in training too"),
        (lambda _: {"logits": 3}, "must return logits in training too"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(how, words):
    with pytest.raises(InputError, match=words):
        rehearsed(returning(how, in_tests=False))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (lambda y: y.detach(), "does not require grad"),
        (lambda y: y / 0, "not finite before it is trained"),
    ],
)
def test_what_fails_by_itself_is_warned_of_and_left_to_its_run(how, words):
    (warning,) = rehearsed(returning(how, in_tests=False)).warnings
    assert "its runs will too" in warning and words in warning


def test_two_outputs_in_tests_too_are_no_auxiliary_heads():
    assert "first tensor" in rehearsed(returning(lambda y: (y, 2 * y))).notes[0]


@pytest.mark.parametrize(
    ("outputs", "weight"),
    [
        (torchvision.models.GoogLeNetOutputs, 0.3),
        (torchvision.models.InceptionOutputs, 0.4),
    ],
)
def test_auxiliary_heads_have_their_published_weights(outputs, weight):
    generator, target = torch.Generator().manual_seed(0), torch.tensor([0, 1, 2, 3])
    heads = [torch.randn(4, 10, generator=generator) for _ in outputs._fields]
    loss = loss_of(answers_of(outputs(*heads)), target, 0.1)
    parts = [nn.CrossEntropyLoss(label_smoothing=0.1)(head, target) for head in heads]
    torch.testing.assert_close(loss, parts[0] + weight * sum(parts[1:]))
    alone = answers_of(outputs(heads[0], *[None] * (len(heads) - 1)))
    torch.testing.assert_close(loss_of(alone, target, 0.1), parts[0])


def test_it_costs_no_more_than_four_steps():
    passes = {"forward": 0, "backward": 0}

    class Counted(Net):
        def see(self, x):
            passes["forward"] += 1
            return x

        def make(self):
            self.f.weight.register_hook(lambda _: passes.update(backward=passes["backward"] + 1))

    rehearsed(Counted)
    assert passes["forward"] + 2 * passes["backward"] <= 4 * 3  # a backward pass is two forward


def test_contiguous_models_see_contiguous_images():
    seen = []

    class Sees(Net):
        def make(self):
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            seen.append((x.is_contiguous(), self.conv.weight.is_contiguous()))
            return super().forward(self.conv(x))

    for prepare, memory_format in ((lambda m: m, "channels_last"), (stay_contiguous, "contiguous")):
        seen.clear()
        assert rehearsed(Sees, prepare).memory_format == memory_format
        assert set(seen) == {(memory_format == "contiguous",) * 2}


def test_weights_of_convolutions_over_volumes_are_left_as_they_are():
    class Volume(Net):
        def make(self):
            self.conv, self.volume = nn.Conv2d(3, 4, 3, padding=1), nn.Conv3d(1, 1, (4, 1, 1))

        def forward(self, x):
            y = self.volume(self.conv(x).unsqueeze(1)).squeeze(1)
            return super().forward(y.expand(-1, 3, -1, -1))

    assert rehearsed(Volume).warnings == ()
    model = lay_out(Volume(), torch.device("cpu"))
    assert model.conv.weight.is_contiguous(memory_format=torch.channels_last)

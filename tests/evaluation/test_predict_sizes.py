"""How many images pass through a model at once: what fits, found without waiting for the device."""

import numpy as np
import pytest
import torch
from torch import nn

from priorscope.data._preprocess import Preprocess
from priorscope.evaluation import predict as module
from priorscope.evaluation.predict import predict

CPU = torch.device("cpu")
PLAIN = Preprocess(4, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
IMAGES = np.random.default_rng(0).integers(0, 256, (3000, 4, 4, 3), dtype=np.uint8)


class Recorder(nn.Module):
    """A linear classifier on a card of which it takes so many bytes an image."""

    def __init__(self, card, per_image=1000):
        super().__init__()
        torch.manual_seed(0)
        self.head, self.sizes, self.card, self.per_image = nn.Linear(48, 10), [], card, per_image

    def forward(self, images):
        self.sizes.append(len(images))
        self.card.use(len(images) * self.per_image)
        return self.head(images.flatten(1))


class Card:
    """Stands for the counts of a GPU's allocator; nothing here can wait."""

    def __init__(self, total, in_use=0):
        self.total, self.in_use, self.peak = total, in_use, in_use

    def use(self, num_bytes):
        if self.in_use + num_bytes > self.total:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        self.peak = max(self.peak, self.in_use + num_bytes)

    def install(self, monkeypatch):
        counts = {
            "reset_peak_memory_stats": lambda _: setattr(self, "peak", self.in_use),
            "memory_allocated": lambda _: self.in_use,
            "max_memory_allocated": lambda _: self.peak,
            "memory_reserved": lambda _: self.in_use,
            "mem_get_info": lambda _: (self.total - self.in_use, self.total),
        }
        for name, count in counts.items():
            monkeypatch.setattr(torch.cuda, name, count)
        monkeypatch.setattr(module, "_counts_memory", lambda _: True)
        return self


def answers(model, **options):
    return predict(model, IMAGES, preprocess=PLAIN, device=CPU, **options)


@pytest.mark.parametrize(
    ("total", "in_use", "sizes"),
    [
        # Half of 1,100,000 bytes are 550 images: the power of two below.
        (1_100_000, 0, [256, 512, 512, 512, 512, 512, 184]),
        (1_100_000, 50_000, [256, 512, 512, 512, 512, 512, 184]),
        (10**12, 0, [256, 2744]),  # all that is left, at most 8,192
        (300_000, 0, [256] * 11 + [184]),  # what fitted once goes on, though half is less
        (200_000, 0, [256, *[128] * 23, 56]),  # as before: half of what did not fit
    ],
)
def test_the_largest_batch_that_fits_is_found_from_the_first(total, in_use, sizes, monkeypatch):
    card = Card(total, in_use).install(monkeypatch)
    model = Recorder(card)
    found = answers(model)
    assert model.sizes == sizes
    monkeypatch.setattr(module, "_counts_memory", lambda _: False)
    np.testing.assert_allclose(found, answers(Recorder(card), batch_size=50), atol=1e-5)


def test_what_was_found_holds_for_the_calls_that_follow(monkeypatch):
    card = Card(10**12).install(monkeypatch)
    model = Recorder(card)
    answers(model)
    model.sizes.clear()
    answers(model)
    answers(model, batch_size=2000)
    assert model.sizes == [3000, 2000, 1000]


def test_a_batch_that_does_not_fit_later_is_halved(monkeypatch):
    card = Card(1_100_000).install(monkeypatch)
    model = Recorder(card)
    answers(model)
    card.in_use = 700_000  # another run has come
    model.sizes.clear()
    answers(model)
    assert model.sizes[:3] == [512, 256, 256] and max(model.sizes[1:]) == 256


def test_a_cpu_takes_fifty_at_a_time():
    model = Recorder(Card(10**12))
    answers(model)
    assert model.sizes == [50] * 60

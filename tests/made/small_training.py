"""A training small enough to be run in every test, and what its model weighs in the end."""

import numpy as np
import torch
from torch import nn

from priorscope.data._preprocess import Preprocess
from priorscope.training.loop import train

CPU = torch.device("cpu")
PLAIN = Preprocess(8, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def data(n=50, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, n)
    images = rng.integers(0, 100, (n, 8, 8, 3), dtype=np.uint8)
    images[np.arange(n), labels] += 100  # the row that is bright is the class
    return images, labels


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.ReLU(), nn.Linear(16, 4))


def run(recipe, *, seed=0, model=None, images=None):
    model = model or network()
    pixels, labels = data()
    epochs = []
    train(
        model,
        recipe,
        pixels if images is None else images,
        labels,
        preprocess=PLAIN,
        seed=seed,
        device=CPU,
        accuracies=lambda _: {"test_accuracy": 0.0},
        on_epoch=epochs.append,
    )
    return model, epochs


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])

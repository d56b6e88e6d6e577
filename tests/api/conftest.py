"""A notebook, and a study that takes a second to run."""

import sys

import pytest
from notebook import Notebook

SMALL = {
    "name": "small",
    "data": {"name": "synthetic", "num_train": 100, "num_test": 50},
    "recipe": {"learning_rate": 1e-3, "epochs": 2, "batch_size": 50},
}
LINEAR = """
from torch import nn

def my_model(*, num_classes: int, image_px: int, bias: bool = True):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * image_px**2, num_classes, bias=bias))
"""


@pytest.fixture
def notebook(monkeypatch, tmp_path):
    made = Notebook()
    monkeypatch.setitem(sys.modules, "__main__", made.main)
    monkeypatch.chdir(tmp_path)
    return made


@pytest.fixture
def small() -> dict:
    """Return the keys of a small study, but its models."""
    return {key: dict(value) if isinstance(value, dict) else value for key, value in SMALL.items()}


@pytest.fixture
def linear() -> str:
    """Return the source of a linear model."""
    return LINEAR

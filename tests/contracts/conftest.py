"""Small inputs for the contract tests."""

import numpy as np
import pytest

from priorscope.data import LabeledImages, fingerprint


@pytest.fixture(scope="session")
def source() -> LabeledImages:
    """Return 200 noise images of ten classes."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (200, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(200) % 10
    names = tuple(f"class {i}" for i in range(10))
    return LabeledImages(images, labels, names, fingerprint(images, labels))

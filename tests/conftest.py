"""What all tests share."""

import os
from pathlib import Path

import pytest

TINY = """
name: tiny
data: {name: synthetic, task: objects, num_train: 200, num_test: 100}
recipe: {learning_rate: 1e-3, batch_size: 50, epochs: 2, augment: [random_crop, horizontal_flip]}
models:
  cnn: {name: resnet_nano, width: 8, num_blocks: [1, 1, 1]}
  vit: {name: vit_nano, embed_dim: 16, depth: 1, num_heads: 2}
seeds: [0]
probes:
  combined: {name: mosaic, num_images: 20}
  background: {name: large_background, num_images: 20, canvas_px: 64}
hypotheses:
  - {id: H1, statement: The CNN learns more., contrast: {a: cnn, b: vit}, probe: test, metric: top1,
     expect: greater}
"""


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Keep the tests' decoded data out of the user's cache."""
    os.environ["PRIORSCOPE_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def tiny() -> str:
    """Return the text of a small valid study, to run or to spoil."""
    return TINY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Find the real CIFAR-10 that lies beside a checkout; without it the test is skipped."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    root = Path(os.environ.get("PRIORSCOPE_DATA", beside))
    if not (root / "cifar10").is_dir():
        pytest.skip("no CIFAR-10 at $PRIORSCOPE_DATA or ../shared/data")
    return root

"""The real CIFAR-10, where it is there; and what another library says of the official files."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from torchvision import datasets

from priorscope.data import subset
from priorscope.data._official import CIFAR10, CIFAR100
from priorscope.data.cifar10 import cifar10

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
ROOT = Path(os.environ.get("PRIORSCOPE_DATA") or SHARED)
needs_data = pytest.mark.skipif(
    not (ROOT / "cifar10" / "test-00000-of-00001.parquet").exists(), reason="no CIFAR-10 here"
)


@pytest.mark.parametrize(
    ("official", "other"), [(CIFAR10, datasets.CIFAR10), (CIFAR100, datasets.CIFAR100)]
)
def test_official_files_are_those_that_torchvision_knows(official, other):
    assert dict(other.train_list) == official.files["train"]
    assert dict(other.test_list) == official.files["test"]
    assert {other.meta["filename"]: other.meta["md5"]} == official.files["meta"]
    assert other.meta["key"] == official.names_key
    assert (other.url, other.tgz_md5) == (official.url, official.archive_md5)
    assert other.base_folder == official.folder


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRIORSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield cifar10(root=ROOT)


@needs_data
def test_real_cifar10(real):
    assert real.train.images.shape == (50_000, 32, 32, 3)
    assert real.test.images.shape == (10_000, 32, 32, 3)
    assert np.bincount(real.train.labels).tolist() == [5000] * 10
    assert np.bincount(real.test.labels).tolist() == [1000] * 10
    # The first labels of the official training and test batches.
    assert real.train.labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert real.test.labels[:10].tolist() == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]
    # The means and deviations that recipes for CIFAR-10 quote, in units of 255.
    pixels = real.train.images[::10] / 255
    np.testing.assert_allclose(pixels.mean((0, 1, 2)), [0.4914, 0.4822, 0.4465], atol=0.005)
    np.testing.assert_allclose(pixels.std((0, 1, 2)), [0.2470, 0.2435, 0.2616], atol=0.008)


@needs_data
def test_real_subset(real):
    part = subset(real.train, fraction=0.2, rng=np.random.default_rng(0))
    assert np.bincount(part.labels).tolist() == [1000] * 10


@needs_data
def test_real_cifar10_has_few_copies_and_is_not_warned_of(real):
    # Barz and Denzler ("Do We Train on Test Data?", 2020) saw near-duplicates of 3.3 % of the test
    # images; those that are more than stored anew, such as shifted ones, are not counted here.
    assert real.overlap.exact_in_train == real.overlap.two_labels == 0
    assert 0.005 <= real.overlap.near_in_train / 10_000 <= 0.033
    assert not real.overlap.above_share and real.remarks()["warnings"] == []


def test_importing_data_does_not_import_torch():
    code = (
        "import sys, priorscope.data, priorscope.data.cifar10, priorscope.data.image_folder, "
        "priorscope.data.cifar100, priorscope.data._fetch; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

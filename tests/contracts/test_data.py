"""What every packaged dataset must do, or how it must refuse."""

import numpy as np
import pytest

from priorscope.components import listing
from priorscope.data import fingerprint
from priorscope.errors import InputError
from priorscope.runs.prepare import load_dataset
from priorscope.study.spec import Component

DATASETS = sorted(listing("data"))
EMBEDDED = {"synthetic": [{"task": t} for t in ("objects", "near_relation", "far_relation")]}


@pytest.mark.parametrize("name", sorted(set(DATASETS) - set(EMBEDDED)))
def test_missing_files_are_named(name, tmp_path):
    parameters = {"path": "absent"} if name == "image_folder" else {}
    with pytest.raises(InputError) as caught:
        load_dataset(Component(name, parameters), tmp_path, tmp_path, where="data")
    assert str(tmp_path) in str(caught.value)
    assert caught.value.where.startswith("data")


@pytest.mark.parametrize(
    ("name", "parameters"), [(name, p) for name in EMBEDDED for p in EMBEDDED[name]]
)
def test_embedded_data_are_drawn_by_seed(name, parameters, tmp_path):
    def load(seed):
        sizes = {"num_train": 64, "num_test": 32, "seed": seed}
        component = Component(name, {**parameters, **sizes})
        return load_dataset(component, tmp_path, tmp_path, where="data")

    first, again, other = load(0), load(0), load(1)
    for part in ("train", "test"):
        images = getattr(first, part)
        assert images.fingerprint == fingerprint(images.images, images.labels)
        assert images.fingerprint == getattr(again, part).fingerprint
        assert images.fingerprint != getattr(other, part).fingerprint
    assert first.train.class_names == first.test.class_names
    assert not any(np.array_equal(a, b) for a in first.train.images for b in first.test.images)
    assert list(tmp_path.iterdir()) == [], "no file is needed or left"

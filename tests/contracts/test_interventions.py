"""What every packaged intervention must do."""

import numpy as np
import pytest

from priorscope.components import listing
from priorscope.errors import InputError
from priorscope.study.interventions import bind_intervention
from priorscope.study.spec import Component

INTERVENTIONS = sorted(listing("interventions"))


def order_of(name, tmp_path, image_px=32, seed=0, **parameters):
    draw = bind_intervention(Component(name, parameters), tmp_path, where="data.intervention")
    return draw(image_px=image_px, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("name", INTERVENTIONS)
@pytest.mark.parametrize("image_px", [8, 32, 224])
def test_every_pixel_goes_to_one_place(name, image_px, tmp_path):
    order = order_of(name, tmp_path, image_px)
    assert sorted(order) == list(range(image_px**2))
    assert not np.array_equal(order, np.arange(image_px**2))


@pytest.mark.parametrize("name", INTERVENTIONS)
def test_the_generator_decides_and_nothing_else(name, tmp_path):
    first, again, other = (order_of(name, tmp_path, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", [n for n in INTERVENTIONS if "patches" in n])
def test_patches_that_do_not_divide_the_image_are_refused(name, tmp_path):
    with pytest.raises(InputError, match="do not divide") as caught:
        order_of(name, tmp_path, patch_px=5)
    assert caught.value.where == "patch_px"
    assert "1, 2, 4, 8, 16, 32" in str(caught.value)
    with pytest.raises(InputError, match="value not allowed"):
        order_of(name, tmp_path, patch_px=0)

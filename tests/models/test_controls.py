"""Control models: what they cannot see does not change what they answer."""

import numpy as np
import pytest
import torch

from priorscope.components import listing
from priorscope.errors import InputError
from priorscope.models.bag_of_local_features import bag_of_local_features
from priorscope.models.linear import linear
from priorscope.models.pixel_set_mlp import pixel_set_mlp
from priorscope.study.interventions import bind_intervention
from priorscope.study.spec import Component

SHAPE = {"num_classes": 5, "image_px": 16}


def build(function, **parameters):
    torch.manual_seed(0)
    model = function(**SHAPE, **parameters).double()
    model(torch.randn(8, 3, 16, 16, dtype=torch.float64))  # running statistics of their own
    return model.eval()


def random_images():
    return torch.randn(2, 3, 16, 16, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("field_px", [1, 3, 9, 15])
def test_the_bag_is_the_mean_over_all_its_patches_cut_out(field_px):
    model, images = build(bag_of_local_features, field_px=field_px), random_images()
    patches = images.unfold(2, field_px, 1).unfold(3, field_px, 1)  # [2, 3, rows, columns, f, f]
    patches = patches.permute(0, 2, 3, 1, 4, 5).flatten(1, 2)
    votes = torch.stack([model(of_one_image) for of_one_image in patches])
    torch.testing.assert_close(model(images), votes.mean(1))


@pytest.mark.parametrize("field_px", [1, 3, 9])
def test_the_bags_field_is_as_declared_by_gradient(field_px):
    model, images = build(bag_of_local_features, field_px=field_px), random_images()
    vote = model.head(model.patch(images))[0, :, 2, 3].sum()
    (gradient,) = torch.autograd.grad(vote, images)
    touched = gradient[0].abs().sum(0) > 0
    expected = torch.zeros(16, 16, dtype=torch.bool)
    expected[2 : 2 + field_px, 3 : 3 + field_px] = True
    assert torch.equal(touched, expected)


def test_the_bag_cannot_tell_where_its_patches_lie_but_sees_their_order():
    model = build(bag_of_local_features, field_px=5)
    images = torch.zeros(2, 3, 16, 16, dtype=torch.float64)
    pattern = torch.randn(3, 2, 2, dtype=torch.float64)
    images[0, :, 5:7, 6:8] = pattern
    images[1, :, 8:10, 9:11] = pattern
    torch.testing.assert_close(*model(images))
    images[1, :, 8:10, 9:11] = pattern.flip(2)
    assert (model(images)[0] - model(images)[1]).abs().max() > 1e-5


def test_no_order_of_the_pixels_changes_the_set_but_their_colours_do():
    model, images = build(pixel_set_mlp), random_images()
    permuted = torch.stack([image.flatten(1)[:, torch.randperm(256)] for image in images])
    torch.testing.assert_close(model(images), model(permuted.view_as(images)))
    assert (model(images) - model(images.flip(1))).abs().max() > 1e-3  # channels traded


@pytest.mark.parametrize("name", sorted(listing("interventions")))
def test_the_set_of_pixels_is_the_same_after_any_intervention(name, tmp_path):
    draw = bind_intervention(Component(name), tmp_path, where="data.intervention")
    order = torch.from_numpy(draw(image_px=16, rng=np.random.default_rng(0)))
    model, images = build(pixel_set_mlp), random_images()
    moved = images.flatten(2)[:, :, order].view_as(images)
    assert not torch.equal(moved, images)
    torch.testing.assert_close(model(moved), model(images))


def test_the_linear_models_weights_undo_any_permutation():
    model, images = build(linear), random_images()
    order = torch.randperm(3 * 256)
    permuted = images.flatten(1)[:, order].view_as(images)
    other = build(linear)
    other[1].weight.data.copy_(model[1].weight[:, order])
    torch.testing.assert_close(model(images), other(permuted))
    doubled = model(2 * images) - model(images)
    torch.testing.assert_close(doubled, model(images) - model(0 * images))


@pytest.mark.parametrize("field_px", [4, 17])
def test_impossible_fields_are_refused(field_px):
    with pytest.raises(InputError, match="odd number of pixels") as caught:
        build(bag_of_local_features, field_px=field_px)
    assert "1, 3, ..., 15" in str(caught.value)

"""Images of networks that are given: every bit as timm's own evaluation transform has it."""

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from timm.data import create_transform, resolve_data_config

from priorscope.data import Preprocess
from priorscope.errors import InputError
from priorscope.runs.given_images import preprocess_given, preprocess_note
from priorscope.study.spec import Component
from priorscope.study.weights import StatedPreprocess

OWN = Preprocess(32, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
# crop 0.875, 0.95, 0.9, 1.0; bilinear and bicubic; ImageNet's, half's and CLIP's moments.
TIMM = ("resnet18.tv_in1k", "resnet50.a1_in1k", "vit_base_patch16_224.augreg_in21k")
TIMM += ("deit3_small_patch16_224", "efficientnet_b0", "vit_base_patch16_clip_224.openai")
TIMM += ("convnext_tiny.fb_in22k", "beit_base_patch16_224", "efficientvit_b0.r224_in1k")


def images_of(side, n=3):
    return np.random.default_rng(side).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", TIMM)
@pytest.mark.parametrize("side", [32, 64, 300])
def test_every_bit_is_that_of_timm(name, side):
    config = resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    transform = create_transform(**config, is_training=False)
    images = images_of(side)
    expected = torch.stack([transform(Image.fromarray(image)) for image in images])
    found = preprocess_given(Component(f"timm:{name}"), None, OWN, "w")
    assert torch.equal(found(torch.from_numpy(images)), expected)
    assert found.image_px == expected.shape[-1]


def test_the_architectures_differ_in_how_they_see():
    """Else the test above would show one transform many times."""
    seen = {preprocess_given(Component(f"timm:{name}"), None, OWN, "w").pictures for name in TIMM}
    assert len({each.interpolation for each in seen}) > 1
    assert len({each.crop_fraction for each in seen}) > 2


def test_what_is_stated_is_done_by_pil_and_numpy():
    """A second implementation of a resize, a central crop and the moments."""
    stated = StatedPreprocess(
        image_px=24,
        mean=(0.5, 0.4, 0.3),
        std=(0.2, 0.3, 0.4),
        interpolation="bicubic",
        crop_fraction=0.75,
    )
    found = preprocess_given(Component("linear"), stated, OWN, "w")
    images = images_of(40)
    resized = [Image.fromarray(each).resize((32, 32), Image.Resampling.BICUBIC) for each in images]
    cropped = np.stack([np.asarray(each)[4:28, 4:28] for each in resized]) / 255
    expected = (cropped - [0.5, 0.4, 0.3]) / [0.2, 0.3, 0.4]
    assert np.allclose(
        found(torch.from_numpy(images)).numpy(), expected.transpose(0, 3, 1, 2), atol=1e-5
    )


def test_without_anything_stated_own_models_see_what_the_study_trains_on():
    assert preprocess_given(Component("linear"), None, OWN, "w") is OWN
    assert "assumed" in preprocess_note(Component("linear"), None, OWN)


def test_a_tag_that_timm_does_not_have_is_refused():
    with pytest.raises(InputError, match="no such weights") as error:
        preprocess_given(Component("timm:resnet18.tv_in1"), None, OWN, "models.m.preprocess")
    assert "did you mean resnet18.tv_in1k" in str(error.value)


def test_a_part_that_is_stated_changes_that_part():
    known = preprocess_given(Component("timm:resnet18"), None, OWN, "w")
    found = preprocess_given(Component("timm:resnet18"), StatedPreprocess(image_px=64), OWN, "w")
    assert (found.image_px, found.mean, found.pictures) == (64, known.mean, known.pictures)
    said = preprocess_note(Component("timm:resnet18"), StatedPreprocess(image_px=64), found)
    assert "64 px" in said
    assert "what the study does not state: timm's configuration" in said


@pytest.mark.parametrize("name", ["torchvision:resnet18", "timm:vgg_none"])
def test_what_is_not_known_must_be_stated(name):
    with pytest.raises(InputError, match="not known how images are prepared") as error:
        preprocess_given(Component(name), StatedPreprocess(crop_fraction=0.9), OWN, "models.m")
    assert "no image_px, mean, std" in str(error.value)
    if name.startswith("torchvision"):
        assert "IMAGENET1K_V1: image_px 224" in str(error.value)
    whole = StatedPreprocess(image_px=48, mean=(0, 0, 0), std=(1, 1, 1))
    assert preprocess_given(Component(name), whole, OWN, "models.m").image_px == 48

"""`timm:` and `torchvision:`: the libraries' own models, with fresh weights."""

import pytest
import timm
import torch
import torchvision

from priorscope.components import bind, resolve
from priorscope.errors import InputError
from priorscope.runs.prepare_models import measure_model


def build(reference, tmp_path, *, image_px=32, **parameters):
    function = resolve("models", reference, base=tmp_path)
    bound = bind(function, parameters, where="models.m", reserved=("num_classes", "image_px"))
    return function(num_classes=10, image_px=image_px, **bound)


@pytest.mark.parametrize(
    ("reference", "own"),
    [
        ("torchvision:resnet18", lambda: torchvision.models.resnet18(num_classes=10)),
        ("timm:resnet18", lambda: timm.create_model("resnet18", num_classes=10)),
        (
            "timm:vit_tiny_patch16_224",
            lambda: timm.create_model("vit_tiny_patch16_224", num_classes=10, img_size=32),
        ),
    ],
)
def test_equals_the_librarys_own_model(reference, own, tmp_path):
    model, expected = build(reference, tmp_path).eval(), own().eval()
    expected.load_state_dict(model.state_dict())
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(model(images), expected(images))


def test_options_reach_the_constructor(tmp_path):
    model = build("timm:vit_tiny_patch16_224", tmp_path, patch_size=4, depth=2)
    assert len(model.blocks) == 2
    assert model.patch_embed.patch_size == (4, 4)


@pytest.mark.parametrize(
    ("reference", "options", "words"),
    [
        ("timm:resnet81", {}, "did you mean timm:resnet"),
        ("torchvision:resnet81", {}, "did you mean torchvision:resnet"),
        ("timm:resnet18", {"no_such_option": 1}, "refuses"),
        ("timm:resnet18", {"pretrained": True}, "trained from scratch"),
        ("timm:resnet18", {"checkpoint_path": "weights.bin"}, "trained from scratch"),
        ("torchvision:resnet18", {"weights": "DEFAULT"}, "trained from scratch"),
        ("torchvision:resnet18", {"no_such_option": 1}, "refuses"),
    ],
)
def test_refusals(reference, options, words, tmp_path):
    with pytest.raises(InputError) as caught:
        build(reference, tmp_path, **options)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "options", "allowed"),
    [
        ("timm:vit_tiny_patch16_224", {}, "multiple of 16, such as 48 or 64"),
        ("timm:swin_tiny_patch4_window7_224", {}, "multiple of 4, such as 48 or 52"),
        ("timm:mixer_s16_224", {}, "multiple of 16"),
        ("timm:vit_tiny_patch16_224", {"patch_size": 64}, "multiple of 64, such as 64"),
        ("timm:xcit_nano_12_p16_224", {}, "224"),  # it refuses by itself, without naming a size
    ],
)
def test_patches_that_leave_pixels_out_are_refused(reference, options, allowed, tmp_path):
    with pytest.raises(InputError) as caught:
        build(reference, tmp_path, image_px=50, **options)
    assert allowed in caught.value.allowed and "50 px" in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "image_px", "options"),
    [
        ("timm:vit_tiny_patch16_224", 50, {"patch_size": 10}),
        ("timm:vit_tiny_patch16_224", 50, {"dynamic_img_pad": True}),
        ("timm:resnet18", 50, {}),
    ],
)
def test_what_covers_the_image_is_not_refused(reference, image_px, options, tmp_path):
    assert build(reference, tmp_path, image_px=image_px, **options)


@pytest.mark.parametrize(
    ("reference", "words"),
    [("torchvision:alexnet", "at least 63"), ("timm:inception_v4", "timm has it for 299")],
)
def test_a_size_that_fails_is_refused_with_what_the_library_knows(reference, words, tmp_path):
    model = build(reference, tmp_path, image_px=16)
    with pytest.raises(InputError, match="fails on images of 16 px") as caught:
        measure_model(model, num_classes=10, image_px=16, where="models.m")
    assert words in caught.value.allowed

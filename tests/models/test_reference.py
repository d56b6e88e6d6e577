"""`timm:` and `torchvision:`: the libraries' own models, with fresh weights."""

import pytest
import timm
import torch
import torchvision

from priorscope.components import bind, resolve
from priorscope.errors import InputError


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

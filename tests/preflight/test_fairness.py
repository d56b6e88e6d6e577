"""The fairness lint sees what differs between models, and what a model does to its input."""

import copy
from types import MappingProxyType

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from priorscope.errors import InputError
from priorscope.preflight.anatomy import measure_anatomy
from priorscope.preflight.fairness import as_plain, lint, refuse
from priorscope.preflight.input_change import describe_change, input_change
from priorscope.preflight.twin import Twin
from priorscope.runs.prepare import build_probes, load_data
from priorscope.runs.prepare_models import build_model
from priorscope.study.load import parse_study
from priorscope.study.spec import Component


class Before(nn.Module):
    """Does something to the images, then classifies them."""

    def __init__(self, change, norm=None):
        super().__init__()
        self.change = change
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = norm or nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 10)

    def forward(self, images):
        return self.head(self.norm(self.conv(self.change(images))).mean(dim=(2, 3)))


class Functional(nn.Module):
    """Holds its weights itself and calls no modules: 16 patches of 8 px, then a product."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Parameter(torch.randn(192, 6))
        self.head = nn.Parameter(torch.randn(6, 10))

    def forward(self, images):
        patches = F.unfold(images, 8, stride=8).transpose(1, 2)
        return (patches @ self.embed).mean(1) @ self.head


def normalise(images):
    mean, std = torch.tensor([0.4, 0.5, 0.6]), torch.tensor([0.5, 0.25, 2.0])
    return (images - mean[:, None, None]) / std[:, None, None]


def anatomy(name, tmp_path, image_px=32, **parameters):
    component = Component(name, parameters)
    shape = {"num_classes": 10, "image_px": image_px}
    model = build_model(component, **shape, seed=0, base=tmp_path, where="models.m")
    return measure_anatomy(Twin(model), image_px=image_px)


def study_of(text, tmp_path, models):
    study = parse_study(text, base=tmp_path)
    data = load_data(study, tmp_path)
    return lint(study, data, models, build_probes(study, data.dataset))


def found(differences):
    return {difference.property: difference for difference in differences}


@pytest.mark.parametrize(
    ("name", "depth", "stem_px", "stem_positions", "norm", "positions"),
    [
        ("resnet_nano", 20, 3, 32**2, "BatchNorm2d", "none"),  # ResNet-20
        ("vit_nano", 1 + 4 * 4 + 1, 4, 8**2, "LayerNorm", "learned"),
        ("local_vit_nano", 1 + 4 * 4 + 1, 4, 8**2, "LayerNorm", "learned"),
        ("torchvision:resnet18", 18, 7, 16**2, "BatchNorm2d", "none"),
    ],
)
def test_known_models(name, depth, stem_px, stem_positions, norm, positions, tmp_path):
    measured = anatomy(name, tmp_path)
    assert (measured.depth, measured.stem_px) == (depth, stem_px)
    assert measured.stem_positions == stem_positions
    assert (measured.norm_layers, measured.positions) == (norm, positions)
    assert measured.receptive_field_px == 32  # all three see the whole image in the end


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_receptive_field_of_local_attention_is_that_of_the_closed_form(depth, tmp_path):
    """A window of 3 adds one patch on each side in every block."""
    measured = anatomy("local_vit_nano", tmp_path, image_px=64, depth=depth)
    assert measured.receptive_field_px == 4 * (1 + 2 * depth)


def test_receptive_field_of_convolutions_is_that_of_the_closed_form(tmp_path):
    """Each layer adds (kernel - 1) times the strides before it (Araujo et al. 2019)."""
    field, stride = 1 + 2, 1  # the stem
    for stage in range(3):
        for layer in range(6):
            field += 2 * stride
            stride *= 2 if stage > 0 and layer == 0 else 1
    assert anatomy("resnet_nano", tmp_path, image_px=128, width=4).receptive_field_px == field == 81


def test_silent_weights_count():
    """Weights that are zero at first do not hide what a position will depend on."""
    model = Before(nn.Conv2d(3, 3, 7, padding=3, bias=False))
    nn.init.zeros_(model.change.weight)
    assert measure_anatomy(Twin(model), image_px=16).receptive_field_px == 9


def test_models_without_modules_and_without_weights():
    measured = measure_anatomy(Twin(Functional()), image_px=32)
    assert (measured.depth, measured.stem_px, measured.stem_positions) == (2, 8, 16)
    linear = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8**2, 10))
    measured = measure_anatomy(Twin(linear), image_px=8)
    assert (measured.depth, measured.stem_px, measured.stem_positions) == (1, 8, 1)
    measured = measure_anatomy(Twin(nn.Sequential(nn.AvgPool2d(8), nn.Flatten())), image_px=8)
    assert (measured.depth, measured.stem_px) == (0, "none")


def test_dropout_and_norms_are_listed():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.Dropout(0.1), nn.Dropout(0.2), nn.Dropout(0.0)
    )
    model.extend([nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8 * 36, 10)])
    measured = measure_anatomy(Twin(model), image_px=8)
    assert measured.dropout == "Dropout 0.1 to 0.2"
    assert measured.norm_layers == "BatchNorm2d, GroupNorm"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (nn.Identity(), "as given"),
        (nn.ReflectionPad2d(1), "as given"),  # as a convolution pads
        (lambda x: F.pad(x, (8, 8, 8, 8)), "padded 32 → 48 px"),
        (lambda x: F.interpolate(x, 16, mode="bilinear"), "resized 32 → 16 px"),
        (lambda x: F.interpolate(x, scale_factor=2), "resized 32 → 64 px"),
        (lambda x: x[:, :, 4:-4, 4:-4], "cut 32 → 24 px"),
        (lambda x: x.flip(3), "rearranged"),
        (normalise, "rescaled by the model (factors 2 4 0.5, offsets -0.8 -2 -0.3)"),
        (torch.tanh, "changed"),
        (nn.BatchNorm2d(3, affine=False), "changed|rescaled"),
    ],
)
def test_what_a_model_does_to_its_input_is_seen(change, words):
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    seen = input_change(Twin(Before(change)), images, training=True)
    assert any(str(seen).startswith(word) for word in words.split("|")), seen


def test_augmentation_inside_a_model_is_seen_in_training_only():
    images = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    twin = Twin(Before(nn.Dropout(0.5)))
    state = torch.random.get_rng_state()
    assert input_change(twin, images, training=True) == "changed by the model"
    assert input_change(twin, images, training=False) == "as given"
    assert torch.equal(torch.random.get_rng_state(), state)


def test_patches_are_no_change_but_patches_with_gaps_are():
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert describe_change(images, F.unfold(images, 4, stride=4).transpose(1, 2), 1) == "as given"
    assert describe_change(images, F.unfold(images, 7, stride=3, padding=2), 1) == "as given"
    assert describe_change(images, F.unfold(images, 2, stride=4), 1) == "cut by the model"
    assert describe_change(images, 2 * images.flatten(1), 1) == "changed by the model"


def test_features_without_weights_are_architecture_but_rescaled_patches_are_not():
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))

    class Features(nn.Module):
        def __init__(self, features, size):
            super().__init__()
            self.features, self.head = features, nn.Linear(size, 10)

        def forward(self, images):
            return self.head(self.features(images))

    def seen(features, size):
        return str(input_change(Twin(Features(features, size)), images, training=False))

    assert seen(lambda x: x.mean((2, 3)), 3) == "as given"
    assert seen(lambda x: x.flatten(1), 192) == "as given"
    assert seen(lambda x: normalise(x).flatten(1), 192).startswith("rescaled by the model")
    assert seen(lambda x: normalise(x).mean((2, 3)), 3).startswith("rescaled by the model")
    assert seen(lambda x: F.interpolate(x, 4).flatten(1), 48).startswith("resized 8 → 4 px")
    assert seen(lambda x: x.mean(1, keepdim=True).flatten(1), 64).startswith("turned into 1 ")


@pytest.mark.parametrize(
    ("change", "channels", "words"),
    [
        (lambda x: x.mean(1, keepdim=True), 1, "turned into 1 channel by the model"),
        (
            lambda x: F.interpolate(x.mean(1, keepdim=True), 8, mode="area"),
            1,
            "turned into 1 channel of 8 px by the model",
        ),
        (
            lambda x: x.mean(1, keepdim=True) * torch.ones(2, 1, 1),
            2,
            "turned into 2 channels by the model",
        ),
        (lambda x: x[:, :1], 1, "cut by the model"),
        (lambda x: F.pixel_unshuffle(x, 4), 48, "as given"),  # patches
        (lambda x: torch.cat([x, x], 1), 6, "as given"),
    ],
)
def test_maps_of_other_channels_are_seen(change, channels, words):
    model = Before(change)
    model.conv = nn.Conv2d(channels, 8, 3, padding=1)
    images = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert input_change(Twin(model), images, training=False) == words


def test_a_model_that_fails_in_training_is_left_to_its_run(tiny, tmp_path):
    class Bad(Before):
        def forward(self, images):
            if self.training:
                raise ValueError("no training today")
            return super().forward(images)

    models = {"cnn": Before(nn.Identity()), "vit": Bad(nn.Identity())}
    differences = found(study_of(tiny, tmp_path, models))
    refuse(differences.values())
    assert set(differences["preprocessing.train"].values) == {"cnn"}
    assert set(differences["preprocessing.test"].values) == {"cnn", "vit"}


def test_models_that_get_other_images_are_refused(tiny, tmp_path):
    models = {
        "cnn": Before(nn.Identity()),
        "vit": Before(normalise),
        "small": Before(lambda x: F.interpolate(x, 16), nn.GroupNorm(1, 8)),
    }
    differences = study_of(tiny, tmp_path, models)
    errors = [d for d in differences if d.severity == "error"]
    expected = ["train", "test", "probes.combined", "probes.background"]
    assert [d.property for d in errors] == [f"preprocessing.{part}" for part in expected]
    assert errors[2].values["cnn"] == "64 → 32 px, as given"
    assert errors[2].values["small"] == "64 → 32 px, resized 32 → 16 px by the model"
    with pytest.raises(InputError) as caught:
        refuse(differences)
    message = str(caught.value)
    assert all(name in message for name in ("cnn", "vit", "small", "preprocessing", "rescaled"))


def test_a_declared_difference_is_a_note(tiny, tmp_path):
    models = {"cnn": Before(nn.Identity()), "vit": Before(normalise)}
    text = f"{tiny}\ndeclared: {{preprocessing: Its authors do so., norm_layers: No matter.}}"
    differences = found(study_of(text, tmp_path, models))
    refuse(differences.values())
    difference = differences["preprocessing.test"]
    assert (difference.severity, difference.declared) == ("note", "Its authors do so.")
    assert differences["norm_layers"].severity == "same"


def test_declarations_name_properties(tiny, tmp_path):
    with pytest.raises(InputError, match="unknown property") as caught:
        parse_study(f"{tiny}\ndeclared: {{norm_layer: reason}}", base=tmp_path)
    assert caught.value.where == "declared.norm_layer"
    assert caught.value.hint == "did you mean norm_layers?"


def test_models_of_a_study_are_compared_and_left_as_they_were(tiny, tmp_path):
    study = parse_study(tiny, base=tmp_path)
    shape = {"num_classes": 10, "image_px": 32, "seed": 0, "base": tmp_path, "where": "models"}
    models = {name: build_model(c, **shape) for name, c in study.models.items()}
    before = {name: copy.deepcopy(model.state_dict()) for name, model in models.items()}
    differences = study_of(tiny, tmp_path, MappingProxyType(models))
    for name, model in models.items():
        after = model.state_dict()
        assert all(torch.equal(after[key], value) for key, value in before[name].items())
        assert all(parameter.requires_grad for parameter in model.parameters())
    refuse(differences)
    by_name = found(differences)
    stem = by_name["stem_px"]
    assert (stem.values, stem.severity) == ({"cnn": 3, "vit": 4}, "note")
    assert stem.ratio == pytest.approx(4 / 3)
    assert by_name["norm_layers"].values == {"cnn": "BatchNorm2d", "vit": "LayerNorm"}
    assert by_name["preprocessing.probes.background"].values["vit"] == "64 → 32 px, as given"
    same = {name for name, d in by_name.items() if d.severity == "same"}
    assert {"recipe", "data.train", "preprocessing", "preprocessing.train", "dropout"} <= same
    assert as_plain(differences)[0]["property"] == "num_parameters"

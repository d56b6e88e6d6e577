"""What the headers of packaged studies promise."""

import pytest
import torch
from torch import nn

from priorscope.report.sections.dials import Dial, find_dials
from priorscope.runs.prepare_models import build_model, measure_model
from priorscope.study.load import load_study


def sizes_of(study, names, image_px=32):
    shape = {"num_classes": 10, "image_px": image_px}
    sizes = {}
    for name in names:
        component = study.models[name]
        model = build_model(component, **shape, seed=0, base=study.base, where=name)
        sizes[name] = measure_model(model, **shape, where=name)
    return sizes


@pytest.mark.parametrize("size", ["5m", "22m"])
def test_the_arms_of_cifar10_are_matched(size):
    sizes = sizes_of(
        load_study("cifar10"), [f"{arm}_{size}" for arm in ("cnn", "vit", "local_vit")]
    )
    vit = sizes[f"vit_{size}"]
    for each in sizes.values():
        assert each.num_parameters == pytest.approx(vit.num_parameters, rel=0.05)
        assert each.macs == pytest.approx(vit.macs, rel=0.20)


def test_the_channels_of_cifar10_are_multiples_of_8():
    study = load_study("cifar10")
    for name, component in study.models.items():
        with torch.device("meta"):
            shape = {"num_classes": 10, "image_px": 32, "seed": 0, "base": study.base}
            model = build_model(component, **shape, where=name)
        weights = [m.weight for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        first, last = weights[0], weights[-1]  # from three colours, to ten classes
        counts = {first.shape[0], last.shape[1]}
        counts |= {count for weight in weights[1:-1] for count in weight.shape[:2]}
        assert len(weights) > 10 and all(count % 8 == 0 for count in counts), name


def test_the_arms_of_cifar10_nano_are_matched_in_parameters():
    study = load_study("cifar10_nano")
    counts = [size.num_parameters for size in sizes_of(study, study.models).values()]
    assert max(counts) / min(counts) < 1.1


def test_the_arms_of_han_axes_are_matched_in_parameters():
    study = load_study("han_axes")
    arms = [name for name in study.models if name != "linear"]
    counts = [size.num_parameters for size in sizes_of(study, arms).values()]
    assert max(counts) / min(counts) < 1.02


def test_no_arm_of_han_axes_pays_for_its_mixer_with_its_mlps():
    study = load_study("han_axes")
    widths = []
    for name, component in study.models.items():
        if name != "linear":
            shape = {"num_classes": 10, "image_px": 32, "seed": 0, "base": study.base}
            state = build_model(component, **shape, where=name).state_dict()
            widths.append(len(state["blocks.0.mlp.0.bias"]))
    assert len(widths) == 7
    assert max(widths) / min(widths) <= 1.5


@pytest.mark.parametrize("name", ["locality_dial", "locality_dial_cifar10"])
def test_the_dials_differ_in_their_window_alone(name):
    (dial,) = find_dials({name: each.as_dict() for name, each in load_study(name).models.items()})
    assert dial == Dial("window_size", {"window_3": 3, "window_5": 5, "window_7": 7, "global": 9})

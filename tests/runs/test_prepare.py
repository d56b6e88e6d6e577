"""Data, probes and models are made and checked before anything is trained."""

import numpy as np
import pytest
import torch
from torch import nn

from priorscope.errors import InputError
from priorscope.runs.prepare import build_probes, load_data
from priorscope.runs.prepare_models import build_model, measure_model
from priorscope.study.load import parse_study
from priorscope.study.spec import Component


def prepared(text, tmp_path):
    study = parse_study(text, base=tmp_path)
    return study, load_data(study, tmp_path)


def size_of(name, tmp_path, **parameters):
    shape = {"num_classes": 10, "image_px": 32}
    component = Component(name, parameters)
    model = build_model(component, **shape, seed=0, base=tmp_path, where="models.m")
    return measure_model(model, **shape, where="models.m")


def test_macs_of_a_transformer_are_those_of_the_closed_form(tmp_path):
    tokens, width, depth, hidden = 64, 80, 4, 240
    block = 4 * tokens * width**2 + 2 * tokens**2 * width + 2 * tokens * width * hidden
    expected = tokens * 48 * width + depth * block + width * 10
    assert size_of("vit_nano", tmp_path).macs == expected
    assert size_of("local_vit_nano", tmp_path).macs == expected, "masked, but still computed"


def test_macs_of_a_residual_network_are_those_of_the_closed_form(tmp_path):
    stage_1 = 32**2 * (3 * 16 * 9 + 6 * 16 * 16 * 9)
    stage_2 = 16**2 * (16 * 32 * (9 + 1) + 5 * 32 * 32 * 9)
    stage_3 = 8**2 * (32 * 64 * (9 + 1) + 5 * 64 * 64 * 9)
    assert size_of("resnet_nano", tmp_path).macs == stage_1 + stage_2 + stage_3 + 64 * 10


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (nn.Flatten(), r"must return logits"),
        (nn.Linear(5, 10), "fails on images of 32 px"),
        ("no module", "must be a torch.nn.Module"),
    ],
)
def test_what_is_no_classifier_is_refused(model, words):
    with pytest.raises(InputError, match=words):
        measure_model(model, num_classes=10, image_px=32, where="models.m")


def test_held_out_images_are_part_of_train_and_never_trained_on(tiny, tmp_path):
    whole = prepared(tiny, tmp_path)[1]
    text = tiny.replace("num_test: 100}", "num_test: 100, held_out_fraction: 0.25}")
    _, data = prepared(text, tmp_path)

    def pixels(part):
        return {image.tobytes() for image in part.images}

    assert data.held_out is not None
    assert (len(data.train), len(data.held_out)) == (150, 50)
    assert not pixels(data.train) & pixels(data.held_out)
    assert pixels(data.train) | pixels(data.held_out) == pixels(whole.train)
    assert data.test.fingerprint == whole.test.fingerprint
    assert (np.bincount(data.held_out.labels) == 5).all()


def test_train_fraction_is_stratified_and_the_same_for_every_run(tiny, tmp_path):
    text = tiny.replace("num_test: 100}", "num_test: 100, train_fraction: 0.5}")
    first, again = (prepared(text, tmp_path)[1] for _ in range(2))
    assert (np.bincount(first.train.labels) == 10).all()
    assert first.train.fingerprint == again.train.fingerprint
    other = prepared(text.replace("0.5}", "0.5, split_seed: 1}"), tmp_path)[1]
    assert first.train.fingerprint != other.train.fingerprint


def test_the_test_images_are_a_probe_and_come_first(tiny, tmp_path):
    study, data = prepared(tiny, tmp_path)
    probes = build_probes(study, data.dataset)
    assert list(probes) == ["test", "combined", "background"]
    np.testing.assert_array_equal(probes["test"].images, data.test.images)
    np.testing.assert_array_equal(probes["test"].targets, data.test.labels)


def test_building_a_model_leaves_the_global_generator_alone(tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    size_of("vit_nano", tmp_path)
    assert torch.equal(torch.rand(3), expected)

"""With which batch models are timed, and what of it counts."""

import io

import numpy as np
import pytest
import torch
from rich.console import Console

from priorscope.cli._summary import print_models
from priorscope.preflight import cost
from priorscope.preflight.check_cells import check_cells
from priorscope.preflight.cost import timed_steps
from priorscope.runs.load_cells import cell_loader
from priorscope.study.load import parse_study
from priorscope.training.loop import Epoch

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def test_an_accelerator_times_the_recipes_batch_whatever_the_model():
    for macs in (10**6, 10**9, 10**11):
        batch, num_steps = timed_steps(macs, 64, 50_000, CUDA)
        assert batch == 64
        assert 1 <= num_steps <= 20
    assert timed_steps(10**9, 64, 40, CUDA) == (40, 1)


def test_a_cpu_times_the_recipes_batch_where_it_can_be_waited_for_and_else_no_few_images():
    assert timed_steps(40_000_000, 64, 1500, CPU)[0] == 64  # resnet_nano
    batches = [timed_steps(macs, 64, 1500, CPU)[0] for macs in (10**8, 10**9, 10**10, 10**12)]
    assert batches == sorted(batches, reverse=True)
    assert batches[0] == 64
    assert batches[1] in range(9, 64)  # 3 GMACs an image
    assert batches[2:] == [8, 8]
    assert timed_steps(10**12, 4, 1500, CPU) == (4, 1)
    assert timed_steps(10**12, 64, 3, CPU) == (3, 1)


@pytest.mark.parametrize("num_images", [64, 200, 10_000])
def test_no_more_images_are_timed_than_there_are(num_images):
    batch, num_steps = timed_steps(1000, 64, num_images, CPU)
    assert batch * num_steps <= num_images
    assert num_steps == min(20, num_images // 64)


def test_the_epoch_that_warms_up_does_not_count_and_a_smaller_batch_is_shown(
    tiny, tmp_path, monkeypatch
):
    study = parse_study(tiny, base=tmp_path)  # batches of 50
    load = cell_loader(study, tmp_path)
    checked = check_cells(study, load)
    seen = []

    def fake_train(model, recipe, images, labels, *, on_epoch, **_):
        seen.append((recipe.batch_size, len(images), len(labels)))
        assert recipe.epochs == 2
        for number, seconds in ((1, 1000.0), (2, 8.0)):
            on_epoch(Epoch(number, number, 0, 0, 0, 0, seconds, 1))

    def fake_predict(model, images, **_):
        return np.zeros((len(images), 10), dtype=np.float32)

    monkeypatch.setattr(cost, "train", fake_train)
    monkeypatch.setattr(cost, "predict", fake_predict)
    monkeypatch.setattr(cost, "timed_steps", lambda *_: (16, 2))
    timed = cost.time_models(study, load(()).data, checked.sizes[()], CPU)
    assert seen == [(16, 32, 32)] * 2
    for of_model in timed.values():
        assert of_model.train == 8.0 / 32
        assert of_model.batch == 16
        assert of_model.predict < 0.1
    assert (
        shown(checked, {"train": 0.25, "predict": 0.1, "batch": 16}).count("batches of 16 of 50")
        == 1
    )
    # 2 epochs of 200 images at 0.25 s and 100 curve images at 0.1 s, for each of two models
    assert "about 4 min" in shown(checked, {"train": 0.25, "predict": 0.1, "batch": 50})
    assert "in batches" not in shown(checked, {"train": 0.25, "predict": 0.1, "batch": 50})


def shown(checked, of_model):
    text = io.StringIO()
    timed = dict.fromkeys(checked.study.models, of_model)
    print_models(Console(file=text, width=120), checked, timed, "today")
    return text.getvalue()

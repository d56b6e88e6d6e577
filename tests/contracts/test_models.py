"""What every packaged model must do."""

import pytest
import torch

from priorscope.components import bind, listing, resolve
from priorscope.runs.prepare_models import build_model, measure_model
from priorscope.study.spec import Component

MODELS = sorted(listing("models"))


def build(name, tmp_path, *, seed=0, num_classes=7, image_px=32):
    return build_model(
        Component(name), num_classes=num_classes, image_px=image_px, seed=seed, base=tmp_path,
        where="models.m",
    )  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("image_px", [32, 64])
def test_maps_images_to_finite_logits(name, image_px, tmp_path):
    model = build(name, tmp_path, image_px=image_px).eval()
    logits = model(torch.randn(3, 3, image_px, image_px))
    assert logits.shape == (3, 7)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_gets_a_gradient(name, tmp_path):
    model = build(name, tmp_path)
    loss = torch.nn.functional.cross_entropy(
        model(torch.randn(4, 3, 32, 32)), torch.tensor([0, 1, 2, 3])
    )
    loss.backward()
    without = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert not without


@pytest.mark.parametrize("name", MODELS)
def test_the_seed_decides_the_weights_and_touches_nothing_else(name, tmp_path):
    before = torch.random.get_rng_state()
    states = [build(name, tmp_path, seed=seed).state_dict() for seed in (1, 1, 2)]
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert any(not torch.equal(states[0][key], states[2][key]) for key in states[0])


@pytest.mark.parametrize("name", MODELS)
def test_answers_for_an_image_do_not_depend_on_the_others(name, tmp_path):
    model = build(name, tmp_path).eval()
    images = torch.randn(4, 3, 32, 32)
    torch.testing.assert_close(model(images)[:1], model(images[:1]), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_has_a_size_and_defaults_for_all_but_the_shape(name, tmp_path):
    function = resolve("models", name, base=tmp_path)
    assert bind(function, {}, where="m", reserved=("num_classes", "image_px")) == {}
    size = measure_model(build(name, tmp_path), num_classes=7, image_px=32, where="models.m")
    assert size.num_parameters == sum(p.numel() for p in build(name, tmp_path).parameters())
    assert size.macs > size.num_parameters / 10

"""The Hessian: a quadratic loss's spectrum, and every second derivative of a tiny network."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from priorscope.errors import InputError
from priorscope.measures.hessian import hessian
from priorscope.models.resnet_nano import resnet_nano
from priorscope.models.vit_nano import vit_nano


def ask(network, images, targets, **options):
    found = hessian(network.eval(), images, targets, rng=np.random.default_rng(0), **options)
    return {arm: found.values[found.conditions["arm"] == arm] for arm in found.arms}


def data(n=40, px=4, classes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(n, 3, px, px, generator=generator, dtype=torch.float64)
    return images, torch.randint(classes, (n,), generator=generator)


def test_of_a_quadratic_loss_it_is_the_spectrum():
    """A linear model with squared loss has the second moments of the inputs, once a class."""
    images, targets = data()
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 3, bias=False)).double()
    inputs = images.flatten(1).numpy()
    values = np.linalg.eigvalsh(inputs.T @ inputs / len(inputs))
    found = ask(network, images, targets, loss="squared", num_directions=100)
    assert found["largest"].mean() == pytest.approx(values[-1], rel=2e-3)
    assert found["trace"].mean() == pytest.approx(3 * values.sum(), rel=0.05)


def whole(network, images, targets):
    """Every second derivative of the mean loss, by another way of differentiating."""
    names, weights = zip(*network.named_parameters(), strict=True)
    ends = np.cumsum([0, *(p.numel() for p in weights)])

    def of(flat):
        parts = {
            name: flat[a:b].view_as(p)
            for name, p, a, b in zip(names, weights, ends, ends[1:], strict=False)
        }
        return F.cross_entropy(torch.func.functional_call(network, parts, images), targets)

    flat = torch.cat([p.detach().ravel() for p in weights])
    return torch.func.hessian(of)(flat).numpy()


def tiny():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 2, 3), nn.Tanh(), nn.Flatten(), nn.Linear(8, 3)
    ).double().eval()  # fmt: skip


def test_of_a_tiny_network_it_is_that_of_the_full_matrix():
    images, targets = data()
    network = tiny()
    matrix = whole(network, images, targets)
    found = ask(network, images, targets, num_directions=50)
    assert found["largest"].mean() == pytest.approx(np.linalg.eigvalsh(matrix)[-1], rel=1e-3)
    beside = matrix - np.diag(np.diag(matrix))  # which random signs scatter by
    scatter = np.sqrt(2 * np.square(beside).sum() / 50)
    assert found["trace"].mean() == pytest.approx(np.trace(matrix), abs=4 * scatter)
    assert scatter < 0.2 * np.trace(matrix)


def test_a_value_is_the_eigenvalue_and_the_influence_of_its_image():
    images, targets = data()
    network = tiny()
    values = ask(network, images, targets, num_directions=1)["largest"]
    kept = [np.arange(40) != i for i in range(40)]
    left = [np.linalg.eigvalsh(whole(network, images[k], targets[k]))[-1] for k in kept]
    influence = 39 * (np.mean(left) - np.array(left))
    assert np.corrcoef(values - values.mean(), influence)[0, 1] > 0.99


@pytest.mark.parametrize("make", [resnet_nano, vit_nano])
def test_packaged_networks_are_measured_and_left_as_they_were(make):
    small = {"width": 4, "num_blocks": (1,)} if make is resnet_nano else {"depth": 1}
    network = make(num_classes=3, image_px=16, **small).eval()
    before = [p.clone() for p in network.parameters()]
    images, targets = data(8, 16)
    found = ask(network, images.float(), targets, num_directions=2)
    assert all(np.isfinite(values).all() for values in found.values())
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
    assert all(p.grad is None for p in network.parameters())


def test_targets_of_several_classes_are_refused():
    with pytest.raises(InputError, match="one class an image"):
        ask(tiny(), data()[0], torch.zeros(40, 3, dtype=torch.bool))

"""CKA: values that are known, a second implementation, its interval, and which layers are taken."""

from itertools import permutations

import numpy as np
import pytest
import torch
from torch import nn

from priorscope.errors import InputError
from priorscope.measures import DoesNotApply
from priorscope.measures._layers import layers_of
from priorscope.measures.cka import cka, features
from priorscope.models.linear import linear
from priorscope.models.resnet_nano import resnet_nano
from priorscope.models.skeleton import skeleton
from priorscope.models.vit_nano import vit_nano


def gram(rows):
    centred = rows - rows.mean(0)
    return {"last": centred @ centred.T}


def alike(x, y):
    return cka(gram(x), gram(y)).values.mean()


def normal(n, width, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width))


def test_rotation_and_scaling_leave_one():
    x = normal(60, 20)
    rotation = np.linalg.qr(normal(20, 20, 1))[0]
    assert alike(x, x) == pytest.approx(1, abs=1e-12)
    assert alike(x, -3.5 * x @ rotation + 7) == pytest.approx(1, abs=1e-12)
    assert alike(x, x * np.linspace(0.1, 3, 20)) < 0.95, "no axis may be stretched alone"


@pytest.mark.parametrize("n", [50, 200])
def test_independent_features_scatter_about_zero(n):
    """The scatter is of the order sqrt(2) / n for features of many even dimensions."""
    found = [alike(normal(n, 500, 2 * i), normal(n, 300, 2 * i + 1)) for i in range(60)]
    assert max(map(abs, found)) < 4 * np.sqrt(2) / n
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(60)


def hsic_by_counting(k, l):  # noqa: E741
    """Average the kernel of the U-statistic over all ordered quadruples (Song et al. 2012)."""
    n, total, count = len(k), 0.0, 0
    for i, j, q, r in permutations(range(n), 4):
        total += k[i, j] * (l[i, j] + l[q, r] - 2 * l[i, q])
        count += 1
    return total / count


def test_it_is_the_u_statistic_counted_one_quadruple_at_a_time():
    x, y = normal(9, 4), normal(9, 4) ** 2 + normal(9, 4, 5)
    k, l = (rows @ rows.T for rows in (x, y))  # noqa: E741
    own = hsic_by_counting(k, k) * hsic_by_counting(l, l)
    assert alike(x, y) == pytest.approx(hsic_by_counting(k, l) / np.sqrt(own), abs=1e-6)


def test_a_value_is_cka_and_the_jackknife_influence_of_its_image():
    x = normal(30, 12)
    y = x[:, :5] @ normal(5, 9, 1) + normal(30, 9, 2)
    values = cka(gram(x), gram(y)).values
    without = np.array([alike(np.delete(x, i, 0), np.delete(y, i, 0)) for i in range(30)])
    assert values.mean() == pytest.approx(alike(x, y))
    assert values - values.mean() == pytest.approx(29 * (without.mean() - without), abs=1e-9)


def test_its_interval_over_images_holds_the_truth():
    """Both sides see a shared signal; CKA of the population is known from 4,000 images."""
    rng = np.random.default_rng(0)
    mixed, own = rng.normal(size=(6, 15)), rng.normal(size=(6, 10))

    def pair(n):
        shared = rng.normal(size=(n, 6))
        return shared @ mixed + rng.normal(size=(n, 15)), shared @ own + rng.normal(size=(n, 10))

    truth, held, n = alike(*pair(4000)), 0, 100
    for _ in range(300):
        values = cka(*map(gram, pair(n))).values
        held += abs(values.mean() - truth) < 1.98 * values.std(ddof=1) / np.sqrt(n)
    assert 0.90 < held / 300 < 0.99


def images(n=12, px=32):
    return torch.randn(n, 3, px, px, generator=torch.Generator().manual_seed(0))


def take(network, **options):
    return features(network.eval(), images(), rng=np.random.default_rng(0), **options)


def test_features_are_those_that_a_plain_pass_gives():
    network = vit_nano(num_classes=4, image_px=32, embed_dim=16, depth=2, num_heads=2)
    found = take(network)
    assert list(found) == ["blocks.0", "blocks.1"]
    with torch.no_grad():
        tokens = network.patch_embed(images()).flatten(2).transpose(1, 2) + network.pos_embed
        first = network.blocks[0](tokens)
    for rows, pooled in ((first.flatten(1), False), (first.mean(1), True)):
        centred = (rows - rows.mean(0)).double().numpy()
        got = take(network, pooled=pooled)["blocks.0"]
        np.testing.assert_allclose(got, centred @ centred.T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "number", "first"),
    [
        (lambda: resnet_nano(num_classes=4, image_px=32), 9, "blocks.0"),
        (lambda: vit_nano(num_classes=4, image_px=32), 4, "blocks.0"),
        (lambda: skeleton(num_classes=4, image_px=32, form="pyramid"), 4, "blocks.0"),
        (lambda: linear(num_classes=4, image_px=32), 1, None),
        ("resnet18", 8, "layer1.0"),
        ("resnet50", 16, "layer1.0"),
        ("convnext_atto", 12, "stages.0.blocks.0"),
        ("swin_tiny_patch4_window7_224", 12, "layers.0.blocks.0"),
        ("vit_tiny_patch16_224", 12, "blocks.0"),
    ],
)
def test_blocks_are_found(make, number, first):
    if isinstance(make, str):
        import timm

        network = timm.create_model(make, pretrained=False)
    else:
        network = make()
    found = list(layers_of(network))
    assert len(found) == number and first in (None, found[0])


def test_every_pair_of_depths_is_given_and_the_last_two_are_the_measure():
    a = take(vit_nano(num_classes=4, image_px=32, depth=2))
    b = take(resnet_nano(num_classes=4, image_px=32, width=4, num_blocks=(1, 1, 1)))
    found = cka(a, b)
    assert found.arms == ("all", *(f"block {i}, block {j}" for i in (1, 2) for j in (1, 2, 3)))
    last = found.values[found.conditions["arm"] == "block 2, block 3"].item()
    assert last == pytest.approx(found.values[found.conditions["arm"] == "all"].mean())
    turned = cka(b, a)
    for i, j in ((1, 3), (2, 1)):
        one = found.values[found.conditions["arm"] == f"block {i}, block {j}"]
        other = turned.values[turned.conditions["arm"] == f"block {j}, block {i}"]
        assert one == pytest.approx(other)


class Dead(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Conv2d(3, 2, 3), nn.Linear(2, 4)
        nn.init.zeros_(self.head.weight)

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))


def test_what_has_no_value_is_said_in_words():
    with pytest.raises(DoesNotApply, match="head gives the same for all images"):
        cka(take(Dead()), take(Dead()))
    with pytest.raises(InputError, match="unknown module: bdy") as caught:
        take(Dead(), module="bdy")
    assert "body" in str(caught.value)
    with pytest.raises(InputError, match="at least 5"):
        cka(gram(normal(4, 3)), gram(normal(4, 3)))
    broken = Dead()
    with torch.no_grad():
        broken.head.bias[:] = float("nan")
    with pytest.raises(InputError, match="not finite"):
        take(broken)

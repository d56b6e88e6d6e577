"""Attention locality against closed forms."""

import math

import pytest
import torch

from priorscope.models._attention_locality import (
    attention_locality,
    effective_rank,
    measure_weights,
)
from priorscope.models.resnet_nano import resnet_nano
from priorscope.models.skeleton import skeleton

SIDE = 4
TOKENS = SIDE**2


def measured(weights, radius=1):
    """Measure one matrix: distance, entropy, rank, mass."""
    return measure_weights(weights.expand(1, 1, -1, -1), radius=radius).flatten().tolist()


def mean_distance_of_a_grid(side):
    offsets = [(d, side - d if d == 0 else 2 * (side - d)) for d in range(side)]
    total = sum(math.hypot(r, c) * n * m for r, n in offsets for c, m in offsets)
    return total / side**4


def test_uniform_attention():
    distance, entropy, rank, mass = measured(torch.full((TOKENS, TOKENS), 1 / TOKENS))
    assert distance == pytest.approx(mean_distance_of_a_grid(SIDE))
    assert entropy == pytest.approx(math.log(TOKENS))
    assert rank == pytest.approx(1)
    pairs_on_axis = SIDE + 2 * (SIDE - 1)  # the same place, or neighbours
    assert mass == pytest.approx((pairs_on_axis / SIDE**2) ** 2)


def test_attention_to_itself():
    assert measured(torch.eye(TOKENS), radius=0) == pytest.approx([0, 0, TOKENS, 1])


def test_uniform_attention_within_tiles():
    axis = torch.arange(SIDE) // 2
    same = torch.kron(axis[:, None] == axis, axis[:, None] == axis)
    distance, entropy, rank, mass = measured(same / 4)
    assert distance == pytest.approx(mean_distance_of_a_grid(2))
    assert entropy == pytest.approx(math.log(4))
    assert rank == pytest.approx(4)
    assert mass == pytest.approx(1)


def test_attention_one_column_and_two_rows_away():
    weights = torch.zeros(TOKENS, TOKENS)
    for row in range(SIDE):
        for column in range(SIDE):
            key = (row + 2) % SIDE * SIDE + (column ^ 1)
            weights[row * SIDE + column, key] = 1
    assert measured(weights) == pytest.approx([math.sqrt(5), 0, TOKENS, 0])
    assert measured(weights, radius=2)[3] == pytest.approx(1)


def test_queries_that_attend_to_nothing_do_not_count():
    weights = torch.eye(TOKENS)
    weights[3:] = 0
    assert measured(weights)[1::2] == [0, 1]
    assert measured(weights)[2] == pytest.approx(3)


def test_effective_rank_of_known_singular_values():
    rotation = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64)).Q
    values = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    matrix = rotation @ torch.diag(8 * values) @ rotation.T
    assert effective_rank(matrix).item() == pytest.approx(2**1.5)


def build(mixer, **parameters):
    torch.manual_seed(0)
    return skeleton(
        num_classes=3, image_px=32, mixer=mixer, embed_dim=16, mlp_ratio=1.0, **parameters
    )


def images(number):
    return torch.randn(number, 3, 32, 32, generator=torch.Generator().manual_seed(2))


def test_layers_of_a_local_model_stay_in_their_window():
    model = build("neighbourhood_attention", window_size=3, depth=2)
    layers = attention_locality(model, images(3), radius=2)
    assert [layer.layer for layer in layers] == [0, 1]
    for layer in layers:
        assert layer.mass_within.shape == (4,)
        assert layer.mass_within.tolist() == pytest.approx([1] * 4)  # at a corner, two away
        assert layer.mean_distance.max() < 2
        assert layer.entropy.max() <= math.log(9) + 1e-6
    assert model.training


def test_a_global_model_without_content_is_uniform_and_batches_do_not_matter():
    model = build("global_attention", depth=1, pool="cls")
    mixer = model.blocks[0].mixer
    with torch.no_grad():
        mixer.qkv.weight[:32] = 0
        mixer.qkv.bias[:32] = 0
    (layer,) = attention_locality(model, images(17))
    assert layer.entropy.tolist() == pytest.approx([math.log(64)] * 4, abs=1e-5)
    assert layer.mean_distance.tolist() == pytest.approx([mean_distance_of_a_grid(8)] * 4, abs=1e-5)


def test_each_stage_of_a_pyramid_is_measured_on_its_own_grid():
    model = build("window_attention", form="pyramid", depths=(1, 1), window_size=2)
    first, second = attention_locality(model, images(2))
    assert (len(first.entropy), len(second.entropy)) == (4, 8)
    assert max(first.mean_distance.max(), second.mean_distance.max()) < math.sqrt(2)


def test_models_without_attention_have_no_layers():
    assert attention_locality(build("depthwise_conv"), images(2)) == []
    assert attention_locality(resnet_nano(num_classes=3, image_px=32), images(2)) == []

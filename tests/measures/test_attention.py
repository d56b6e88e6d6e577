"""Measures of attention against closed forms."""

import math

import numpy as np
import pytest
import timm
import torch
from torch import nn

from priorscope.measures import DoesNotApply
from priorscope.measures.attention_distance import attention_distance
from priorscope.measures.attention_entropy import attention_entropy
from priorscope.measures.attention_mass import attention_mass
from priorscope.measures.attention_rank import attention_rank, effective_rank
from priorscope.models.resnet_nano import resnet_nano
from priorscope.models.skeleton import skeleton

SIDE = 4
TOKENS = SIDE**2


RNG = np.random.default_rng(0)


class Fixed(nn.Module):
    """Attention that has the same weights whatever it is given."""

    qkv = None

    def __init__(self, weights):
        super().__init__()
        self.matrix = weights

    def weights(self, tokens):
        return self.matrix.expand(len(tokens), 1, -1, -1)

    def forward(self, tokens):
        return tokens


def measured(weights, radius=1):
    """Measure one matrix: distance, entropy, rank, mass."""
    given = (Fixed(weights), torch.zeros(2, 3, 4, 4))
    found = [each(*given, rng=RNG) for each in (attention_distance, attention_entropy)]
    found += [attention_rank(*given, rng=RNG), attention_mass(*given, rng=RNG, radius=radius)]
    for each in found:
        assert each.arms == ("all", "layer 1", "layer 1, head 1")
        assert np.ptp(each.values) == 0, "one layer, one head, and images all alike"
    return [each.values[0] for each in found]


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


def of(found, arm):
    return found.take(found.conditions["arm"] == arm)


def test_layers_of_a_local_model_stay_in_their_window():
    model = build("neighbourhood_attention", window_size=3, depth=2)
    mass = attention_mass(model, images(3), rng=RNG, radius=2)  # at a corner, two away
    assert mass.values == pytest.approx(1)
    assert len(mass.arms) == 1 + 2 + 2 * 4
    distance, entropy = (
        each(model, images(3), rng=RNG) for each in (attention_distance, attention_entropy)
    )
    assert distance.values.max() < 2 and entropy.values.max() <= math.log(9) + 1e-6
    layers = [of(distance, f"layer {n}").values for n in (1, 2)]
    assert of(distance, "all").values == pytest.approx(np.mean(layers, axis=0))
    assert set(of(distance, "layer 2, head 3").conditions["head"]) == {3}


def test_a_global_model_without_content_is_uniform_and_batches_do_not_matter():
    model = build("global_attention", depth=1, pool="cls")
    mixer = model.blocks[0].mixer
    with torch.no_grad():
        mixer.qkv.weight[:32] = 0
        mixer.qkv.bias[:32] = 0
    entropy = attention_entropy(model, images(17), rng=RNG)
    assert entropy.values == pytest.approx(math.log(64), abs=1e-5)
    assert of(entropy, "all").ids.tolist() == list(range(17))
    distance = attention_distance(model, images(17), rng=RNG)
    assert distance.values == pytest.approx(mean_distance_of_a_grid(8), abs=1e-5)


def test_each_stage_of_a_pyramid_is_measured_on_its_own_grid():
    model = build("window_attention", form="pyramid", depths=(1, 1), window_size=2)
    found = attention_distance(model, images(2), rng=RNG)
    heads = [sum(f"layer {n}, head" in arm for arm in found.arms) for n in (1, 2)]
    assert heads == [4, 8]
    assert found.values.max() < math.sqrt(2)


def test_attention_of_timm_is_what_its_scores_say():
    """Computed again from timm's own projections, without its class token."""
    torch.manual_seed(0)
    model = timm.create_model(
        "vit_tiny_patch16_224", img_size=64, depth=1, num_classes=3, embed_dim=24, num_heads=2
    ).eval()
    block, seen = model.blocks[0], []
    hook = block.attn.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        model(given := torch.randn(2, 3, 64, 64))
        q, k, _ = block.attn.qkv(seen[0]).reshape(2, 17, 3, 2, 12).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-1, -2) / 12**0.5).softmax(-1)[..., 1:, 1:].double()
    hook.remove()
    weights = weights / weights.sum(-1, keepdim=True)
    places = torch.cartesian_prod(torch.arange(4.0), torch.arange(4.0)).double()
    expected = (weights * torch.cdist(places, places)).sum(-1).mean((1, 2))
    found = of(attention_distance(model, given, rng=RNG), "all")
    assert found.values == pytest.approx(expected.numpy(), rel=1e-5)
    assert block.attn.fused_attn, "left as it was"


def test_a_model_without_attention_has_nothing_to_measure():
    for model in (build("depthwise_conv"), resnet_nano(num_classes=3, image_px=32)):
        with pytest.raises(DoesNotApply, match="no attention"):
            attention_distance(model, images(2), rng=RNG)

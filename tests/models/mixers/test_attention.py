"""Attention mixers against attention written out: outputs and gradients."""

import pytest
import torch

from priorscope.models.mixers.global_attention import global_attention
from priorscope.models.mixers.neighbourhood_attention import (
    BlockedAttend,
    choose_block,
    neighbourhood_attention,
)
from priorscope.models.mixers.routed_attention import routed_attention
from priorscope.models.mixers.shifted_window_attention import shifted_window_attention
from priorscope.models.mixers.top_k_attention import kth_largest, top_k_attention
from priorscope.models.mixers.window_attention import window_attention

DIM = 12


def random_tokens(grid_size, device, batch=2):
    return torch.randn(batch, grid_size**2, DIM, dtype=torch.float64).to(device)


def build(function, grid_size, device, **parameters):
    mixer = function(embed_dim=DIM, grid_size=grid_size, num_heads=3, **parameters)
    return mixer.double().to(device)


def window_of(place, grid_size, window_size):
    start = min(max(place - window_size // 2, 0), grid_size - window_size)
    return range(start, start + window_size)


def allowed_by_loops(grid_size, window_size):
    allowed = torch.zeros((grid_size,) * 4, dtype=torch.bool)
    for row in range(grid_size):
        for column in range(grid_size):
            for r in window_of(row, grid_size, window_size):
                for c in window_of(column, grid_size, window_size):
                    allowed[row, column, r, c] = True
    return allowed.view(grid_size**2, grid_size**2)


def bias_by_loops(relative, grid_size):
    """Return [heads, tokens, tokens]; offsets outside the table get nan."""
    span, table = relative.span, relative.table.cpu()
    bias = torch.full((3, *(grid_size,) * 4), torch.nan, dtype=torch.float64)
    for r in range(grid_size):
        for c in range(grid_size):
            for i in range(grid_size):
                for j in range(grid_size):
                    if max(abs(r - i), abs(c - j)) < span:
                        row = (r - i + span - 1) * (2 * span - 1) + c - j + span - 1
                        bias[:, r, c, i, j] = table[row]
    return bias.view(3, grid_size**2, grid_size**2)


GLOBAL = {
    "global": (global_attention, {}),
    "neighbourhood": (neighbourhood_attention, {"window_size": 7}),
    "wider neighbourhood": (neighbourhood_attention, {"window_size": 11}),
    "window": (window_attention, {"window_size": 6}),
    "wider window": (window_attention, {"window_size": 8}),
    "shifted window": (shifted_window_attention, {"window_size": 6, "layer": 1}),
    "top k": (top_k_attention, {"k": 36}),
    "wider top k": (top_k_attention, {"k": 40}),
    "routed": (routed_attention, {"num_clusters": 1}),
}


@pytest.mark.parametrize("name", GLOBAL)
def test_what_covers_the_grid_is_global_attention(name, device, assert_same, dense_attention):
    function, parameters = GLOBAL[name]
    mixer = build(function, 6, device, **parameters)
    assert_same(
        mixer, lambda t: dense_attention(mixer, t), random_tokens(6, device), [*mixer.parameters()]
    )
    assert name == "global" or "global attention" in mixer.note


@pytest.mark.parametrize("block_size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("window_size", [1, 3, 5])
def test_blocks_of_any_size_give_neighbourhood_attention(
    block_size, window_size, device, assert_same, dense_attention
):
    mixer = build(neighbourhood_attention, 7, device, window_size=window_size)
    mixer.attend = BlockedAttend(7, window_size, 3, block_size, bias=False).to(device)
    allowed = allowed_by_loops(7, window_size)
    parameters = [*mixer.parameters()]
    if window_size == 1:  # scores of one key have no gradient
        parameters = [mixer.proj.weight]
    assert_same(
        mixer, lambda t: dense_attention(mixer, t, allowed), random_tokens(7, device), parameters
    )
    assert torch.equal(mixer.reach(), allowed)


@pytest.mark.parametrize(("grid_size", "window_size"), [(8, 3), (16, 3), (17, 3)])
@pytest.mark.parametrize("relative_bias", [False, True])
def test_neighbourhood_attention_is_masked_dense_attention(
    grid_size, window_size, relative_bias, device, assert_same, dense_attention
):
    mixer = build(
        neighbourhood_attention,
        grid_size,
        device,
        window_size=window_size,
        relative_bias=relative_bias,
    )
    assert isinstance(mixer.attend, BlockedAttend) == (grid_size > 8)
    allowed = allowed_by_loops(grid_size, window_size)

    def reference(tokens):
        bias = None
        if relative_bias:
            bias = bias_by_loops(mixer.attend.relative, grid_size).nan_to_num(0)
        return dense_attention(mixer, tokens, allowed, bias)

    assert_same(mixer, reference, random_tokens(grid_size, device, 1), [*mixer.parameters()])


def test_the_block_is_small_for_small_windows_and_all_of_a_small_grid():
    assert choose_block(8, 3) == 8
    assert choose_block(64, 63) == 64
    assert choose_block(64, 3) < choose_block(64, 7) < 16


def test_global_attention_with_relative_bias(device, assert_same, dense_attention):
    mixer = build(global_attention, 4, device, relative_bias=True)

    def reference(tokens):
        return dense_attention(mixer, tokens, bias=bias_by_loops(mixer.attend.relative, 4))

    assert_same(mixer, reference, random_tokens(4, device), [*mixer.parameters()])


def test_a_class_token_is_seen_and_sees_all(device, assert_same, dense_attention):
    mixer = build(global_attention, 3, device, relative_bias=True, class_token=True)
    tokens = torch.randn(2, 10, DIM, dtype=torch.float64).to(device)

    def reference(tokens):
        bias = torch.zeros(3, 10, 10, dtype=torch.float64)
        bias[:, 1:, 1:] = bias_by_loops(mixer.attend.relative, 3)
        return dense_attention(mixer, tokens, bias=bias)

    assert_same(mixer, reference, tokens, [*mixer.parameters()])
    assert mixer.reach().shape == (10, 10)


def test_top_k_attention_keeps_the_largest_scores_of_each_row(device, assert_same, dense_attention):
    mixer = build(top_k_attention, 5, device, k=4)
    tokens = random_tokens(5, device)
    query, key = mixer.qkv(tokens).unflatten(2, (3, 3, -1)).unbind(2)[:2]
    scores = torch.einsum("bqhd,bkhd->bhqk", query, key)
    ranks = scores.argsort(-1, descending=True).argsort(-1)
    assert_same(
        mixer, lambda t: dense_attention(mixer, t, ranks < 4), tokens, [*mixer.parameters()]
    )
    assert ((mixer.weights(tokens) > 0).sum(-1) == 4).all()


def test_top_k_attention_keeps_all_that_tie_with_the_last(device):
    mixer = build(top_k_attention, 5, device, k=4)
    with torch.no_grad():  # keys of zero: all scores are zero, to the bit
        mixer.qkv.weight[DIM : 2 * DIM] = 0
        mixer.qkv.bias[DIM : 2 * DIM] = 0
    tokens = random_tokens(5, device)
    torch.testing.assert_close(mixer.weights(tokens), tokens.new_full((2, 3, 25, 25), 1 / 25))
    mean = mixer.qkv(tokens)[..., 2 * DIM :].mean(1, keepdim=True)
    torch.testing.assert_close(mixer(tokens), mixer.proj(mean).expand_as(tokens))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("k", [1, 5, 64])
def test_kth_largest_is_that_of_sorted_rows(k, dtype, device):
    scores = torch.randn(3, 7, 64).to(device, dtype)
    expected = scores.sort(dim=-1, descending=True).values[..., k - 1 : k]
    assert torch.equal(kth_largest(scores, k), expected)


def test_routed_attention_against_loops_over_clusters(device, assert_same, dense_attention):
    mixer = build(routed_attention, 5, device, num_clusters=3).eval()  # 9 of 25 tokens in each
    tokens = random_tokens(5, device)
    query, key = mixer.qkv(tokens).unflatten(2, (3, 3, -1)).unbind(2)[:2]

    def members(vectors, centroid):
        centred = vectors - vectors.mean(-1, keepdim=True)
        likeness = centred / centred.std(-1, correction=0, keepdim=True) @ centroid
        return set(likeness.argsort(descending=True)[:9].tolist())

    chosen = {}
    for image in range(2):
        for head in range(3):
            for cluster, centroid in enumerate(mixer.attend.centroids[head]):
                chosen[image, head, cluster] = (
                    members(query[image, :, head], centroid),
                    members(key[image, :, head], centroid),
                )

    def reference(tokens):
        query, key, value = mixer.qkv(tokens).unflatten(2, (3, 3, -1)).unbind(2)
        images = []
        for image in range(2):
            rows = []
            for place in range(25):
                heads = []
                for head in range(3):
                    answers = []
                    for cluster in range(3):
                        queries, keys = chosen[image, head, cluster]
                        if place in queries:
                            seen = sorted(keys)
                            scores = key[image, seen, head] @ query[image, place, head] / 2
                            answers.append(scores.softmax(0) @ value[image, seen, head])
                    none = [value.new_zeros(4)]
                    heads.append(torch.stack(answers or none).mean(0))
                rows.append(torch.cat(heads))
            images.append(torch.stack(rows))
        return mixer.proj(torch.stack(images))

    assert_same(mixer, reference, tokens, [*mixer.parameters()])
    unrouted = mixer.weights(tokens).sum(-1) == 0
    assert unrouted.any() and not unrouted.all()


def test_centroids_move_to_their_tokens_in_training_only(device):
    mixer = build(routed_attention, 5, device, num_clusters=2, decay=0.5)
    before = mixer.attend.centroids.clone()
    mixer.eval()(random_tokens(5, device))
    assert torch.equal(mixer.attend.centroids, before)
    mixer.train()
    vectors = torch.randn(1, 25, 3, 4, dtype=torch.float64).to(device)
    normal = (vectors - vectors.mean(-1, keepdim=True)) / vectors.std(
        -1, correction=0, keepdim=True
    )
    _, nearest = mixer.attend.route(normal)
    assert (nearest.sum(-1) == 1).all()
    mixer.attend.follow(normal, nearest)
    for head in range(3):
        for cluster in range(2):
            mean = normal[0, nearest[0, :, head, cluster], head].mean(0)
            expected = (before[head, cluster] + mean) / 2
            torch.testing.assert_close(mixer.attend.centroids[head, cluster], expected)
    after = mixer.attend.centroids.clone()
    mixer(random_tokens(5, device))
    assert not torch.equal(mixer.attend.centroids, after)


WITH_WEIGHTS = {
    **{name: GLOBAL[name] for name in ("global", "top k", "routed")},
    "neighbourhood": (neighbourhood_attention, {"window_size": 3}),
    "neighbourhood with bias": (
        neighbourhood_attention,
        {"window_size": 3, "relative_bias": True},
    ),
    "window": (window_attention, {"window_size": 3, "relative_bias": True}),
    "shifted window": (
        shifted_window_attention,
        {"window_size": 3, "layer": 1, "relative_bias": True},
    ),
    "sparse top k": (top_k_attention, {"k": 5}),
    "clusters": (routed_attention, {"num_clusters": 4}),
}


@pytest.mark.parametrize("name", WITH_WEIGHTS)
@pytest.mark.parametrize("grid_size", [6, 18])
def test_the_weights_are_those_that_values_are_averaged_with(name, grid_size, device):
    function, parameters = WITH_WEIGHTS[name]
    mixer = build(function, grid_size, device, **parameters).eval()
    tokens = random_tokens(grid_size, device)
    weights, value = mixer.weights(tokens), mixer.qkv(tokens).unflatten(2, (3, 3, -1))[:, :, 2]
    mixed = mixer.proj(torch.einsum("bhqk,bkhd->bqhd", weights, value).flatten(2))
    torch.testing.assert_close(mixer(tokens), mixed)
    routed = weights.sum(-1) > 0
    torch.testing.assert_close(weights.sum(-1)[routed], torch.ones_like(weights.sum(-1)[routed]))
    assert routed.all() or name == "clusters"

"""The three nano models: equal where they must be, different where they must be."""

import pytest
import torch
import torch.nn.functional as F

from priorscope.errors import InputError
from priorscope.models.local_vit_nano import local_vit_nano
from priorscope.models.mixers._reach import inner_window
from priorscope.models.resnet_nano import BasicBlock, resnet_nano
from priorscope.models.vit_nano import vit_nano

SHAPE = {"num_classes": 10, "image_px": 32}


def build(function, **parameters):
    torch.manual_seed(0)
    return function(**SHAPE, **parameters)


def num_parameters(model):
    return sum(p.numel() for p in model.parameters())


def test_parameter_counts_are_within_a_tenth_of_each_other():
    counts = [num_parameters(build(f)) for f in (resnet_nano, vit_nano, local_vit_nano)]
    assert counts == [272_474, 269_850, 269_850]
    assert max(counts) / min(counts) < 1.1


def test_a_shortcut_that_halves_the_resolution_is_a_strided_convolution():
    block = BasicBlock(16, 32, stride=2).eval()
    maps = torch.randn(3, 16, 8, 8)
    inner = block.bn2(block.conv2(F.relu(block.bn1(block.conv1(maps)))))
    convolution, norm = block.shortcut
    strided = norm(F.conv2d(maps, convolution.weight, stride=2))
    torch.testing.assert_close(block(maps), F.relu(inner + strided))


@pytest.mark.parametrize("window_size", [9, 15, 17])
def test_a_window_that_covers_the_grid_is_global_attention(window_size):
    everywhere, local = build(vit_nano), build(local_vit_nano, window_size=window_size)
    images = torch.randn(4, 3, 32, 32)
    outputs = [model(images) for model in (everywhere, local)]
    torch.testing.assert_close(*outputs)
    for output in outputs:
        output.square().sum().backward()
    for a, b in zip(everywhere.parameters(), local.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_the_same_seed_gives_both_transformers_the_same_weights():
    states = [build(f).state_dict() for f in (vit_nano, local_vit_nano)]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("window_size", [1, 3, 5, 7])
def test_mask_against_the_definition_written_as_loops(window_size):
    side = 8
    mask = inner_window(side, window_size)

    def window(centre):
        start = min(max(centre - window_size // 2, 0), side - window_size)
        return range(start, start + window_size)

    for row in range(side):
        for column in range(side):
            attended = mask[row * side + column].view(side, side).nonzero().tolist()
            assert attended == [[r, c] for r in window(row) for c in window(column)]


@pytest.mark.parametrize(("depth", "reach"), [(1, 1), (2, 2), (3, 3)])
def test_gradients_reach_exactly_as_far_as_the_windows_allow(depth, reach):
    model = build(local_vit_nano, window_size=3, depth=depth).double()
    images = torch.randn(1, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    tokens = model.patch_embed(images).flatten(2).transpose(1, 2) + model.pos_embed
    model.blocks(tokens)[0, 3 * 8 + 4].sum().backward()  # the token in row 3, column 4
    touched = images.grad[0].abs().sum(0).view(8, 4, 8, 4).sum((1, 3)) > 0
    expected = torch.zeros(8, 8, dtype=torch.bool)
    expected[max(0, 3 - reach) : 3 + reach + 1, 4 - reach : 4 + reach + 1] = True
    assert torch.equal(touched, expected)


def test_masked_attention_against_softmax_written_out():
    model = build(local_vit_nano, window_size=3).double()
    attention = model.blocks[0].mixer
    tokens = torch.randn(2, 64, 80, dtype=torch.float64)
    query, key, value = attention.qkv(tokens).view(2, 64, 3, 4, 20).unbind(2)
    scores = torch.einsum("bqhd,bkhd->bhqk", query, key) / 20**0.5
    weights = scores.masked_fill(~inner_window(8, 3), -torch.inf).softmax(-1)
    expected = attention.proj(torch.einsum("bhqk,bkhd->bqhd", weights, value).reshape(2, 64, 80))
    torch.testing.assert_close(attention(tokens), expected)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"window_size": 4}, "odd"),
        ({"num_heads": 3}, "heads must divide"),
        ({"patch_size": 5}, "patch must divide"),
    ],
)
def test_impossible_shapes_are_refused(parameters, words):
    with pytest.raises(InputError, match=words):
        build(local_vit_nano, **parameters)

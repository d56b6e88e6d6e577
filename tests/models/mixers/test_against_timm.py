"""The mixers that timm has too, with the same weights: outputs and gradients."""

import pytest
import torch
from timm.layers.attention import Attention
from timm.models.convit import GPSA
from timm.models.swin_transformer import SwinTransformerBlock, WindowAttention
from torch.func import functional_call

from priorscope.models.mixers.gated_positional_attention import gated_positional_attention
from priorscope.models.mixers.global_attention import global_attention
from priorscope.models.mixers.shifted_window_attention import shifted_window_attention
from priorscope.models.mixers.window_attention import window_attention

SHAPE = {"embed_dim": 24, "grid_size": 8}


def random_tokens(device):
    return torch.randn(2, 64, 24, dtype=torch.float64).to(device)


def copy(theirs, ours):
    """Return timm's module our weights; return both lists of parameters in one order."""
    pairs = [(ours.qkv.weight, theirs.qkv.weight), (ours.qkv.bias, theirs.qkv.bias)]
    pairs += [(ours.proj.weight, theirs.proj.weight), (ours.proj.bias, theirs.proj.bias)]
    if hasattr(theirs, "relative_position_bias_table"):
        with torch.no_grad():
            ours.relative.table.normal_()
        pairs.append((ours.relative.table, theirs.relative_position_bias_table))
    for own, other in pairs:
        other.data.copy_(own.data)
    return [own for own, _ in pairs], [other for _, other in pairs]


def test_global_attention(device, assert_same):
    ours = global_attention(**SHAPE, num_heads=4).double().to(device)
    theirs = Attention(24, num_heads=4, qkv_bias=True).double().to(device)
    assert_same(ours, theirs, random_tokens(device), *copy(theirs, ours))


def test_window_attention_in_each_window(device, assert_same):
    ours = (
        window_attention(**SHAPE, window_size=4, num_heads=4, relative_bias=True)
        .double()
        .to(device)
    )
    theirs = WindowAttention(24, num_heads=4, window_size=4).double().to(device)
    own, other = copy(theirs, ours)

    def reference(tokens):
        mixed = torch.zeros_like(tokens).view(2, 8, 8, 24)
        maps = tokens.view(2, 8, 8, 24)
        for row in (0, 4):
            for column in (0, 4):
                window = maps[:, row : row + 4, column : column + 4].reshape(2, 16, 24)
                answer = theirs(window).view(2, 4, 4, 24)
                mixed[:, row : row + 4, column : column + 4] = answer
        return mixed.view(2, 64, 24)

    assert_same(ours, reference, random_tokens(device), own, other)


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("window_size", [4, 8])
def test_shifted_window_attention_is_that_of_swins_block(layer, window_size, device, assert_same):
    ours = (
        shifted_window_attention(
            **SHAPE, window_size=window_size, num_heads=4, relative_bias=True, layer=layer
        )
        .double()
        .to(device)
    )
    block = (
        SwinTransformerBlock(
            24, (8, 8), num_heads=4, window_size=window_size, shift_size=layer * window_size // 2
        )
        .double()
        .to(device)
    )
    own, other = copy(block.attn, ours)

    def reference(tokens):
        return block._attn(tokens.view(2, 8, 8, 24)).reshape(2, 64, 24)

    assert_same(ours, reference, random_tokens(device), own, other)


@pytest.mark.parametrize(("num_heads", "kernel_size"), [(4, 2), (1, 1), (9, 3)])
def test_gated_positional_attention_and_its_initial_weights(
    num_heads, kernel_size, device, assert_same
):
    shape = {"embed_dim": 36, "grid_size": 6, "num_heads": num_heads}
    ours = gated_positional_attention(**shape, kernel_size=kernel_size, locality_strength=0.7)
    ours = ours.double().to(device)
    theirs = GPSA(36, num_heads=num_heads, qkv_bias=True, locality_strength=0.7)
    theirs = theirs.double().to(device)
    theirs.local_init()
    torch.testing.assert_close(ours.position.weight, theirs.pos_proj.weight)
    torch.testing.assert_close(ours.qkv.weight[72:], theirs.v.weight)
    torch.testing.assert_close(ours.gating, theirs.gating_param)
    with torch.no_grad():
        ours.position.weight.add_(0.3 * torch.randn_like(ours.position.weight))
        ours.gating.normal_()
    tokens = torch.randn(2, 36, 36, dtype=torch.float64).to(device)

    def reference(tokens):
        """Call theirs with parts of our parameters, which then get its gradients."""
        borrowed = {"pos_proj.weight": ours.position.weight, "gating_param": ours.gating}
        for kind in ("weight", "bias"):
            qkv = getattr(ours.qkv, kind)
            borrowed |= {f"qk.{kind}": qkv[:72], f"v.{kind}": qkv[72:]}
            borrowed[f"proj.{kind}"] = getattr(ours.proj, kind)
        return functional_call(theirs, borrowed, tokens)

    assert_same(ours, reference, tokens, [*ours.parameters()])
    theirs.load_state_dict(
        {
            **theirs.state_dict(),
            "qk.weight": ours.qkv.weight[:72],
            "qk.bias": ours.qkv.bias[:72],
            "pos_proj.weight": ours.position.weight,
            "gating_param": ours.gating,
        }
    )
    torch.testing.assert_close(ours.weights(tokens), theirs.get_attention(tokens))

"""Mixers without attention, and attention that is a convolution, against convolutions."""

import pytest
import torch
import torch.nn.functional as F

from priorscope.models.mixers.average_pooling import average_pooling
from priorscope.models.mixers.depthwise_conv import depthwise_conv
from priorscope.models.mixers.dynamic_conv_homogeneous import dynamic_conv_homogeneous
from priorscope.models.mixers.dynamic_conv_inhomogeneous import dynamic_conv_inhomogeneous
from priorscope.models.mixers.gated_positional_attention import gated_positional_attention
from priorscope.models.mixers.global_static import global_static
from priorscope.models.mixers.identity import identity
from priorscope.models.mixers.locally_connected import locally_connected
from priorscope.models.mixers.neighbourhood_attention import neighbourhood_attention

DIM, GRID = 8, 6
SHAPE = {"embed_dim": DIM, "grid_size": GRID}


def random_tokens():
    return torch.randn(2, GRID**2, DIM, dtype=torch.float64)


def between(mixer, mix):
    """Give the mixer's linear layers around `mix`, a function of maps."""

    def reference(tokens):
        maps = torch.einsum("bnc,dc->bdn", tokens, mixer.value.weight) + mixer.value.bias[:, None]
        mixed = mix(maps.reshape(len(tokens), DIM, GRID, GRID)).flatten(2)
        return torch.einsum("bcn,dc->bnd", mixed, mixer.proj.weight) + mixer.proj.bias

    return reference


@pytest.mark.parametrize("window_size", [1, 3, 5])
def test_depthwise_conv_is_conv2d(window_size, assert_same):
    mixer = depthwise_conv(**SHAPE, window_size=window_size).double()
    weight, bias = mixer.mixing.weight, mixer.mixing.bias
    reference = between(mixer, lambda m: F.conv2d(m, weight, bias, padding="same", groups=DIM))
    assert_same(mixer, reference, random_tokens(), [*mixer.parameters()])


@pytest.mark.parametrize("group_channels", [1, 4])
def test_locally_connected_with_equal_kernels_is_a_convolution(group_channels, assert_same):
    mixer = locally_connected(**SHAPE, window_size=3, group_channels=group_channels).double()
    kernel = torch.randn(DIM // group_channels, 3, 3, dtype=torch.float64)
    with torch.no_grad():
        mixer.mixing.weight.copy_(kernel.flatten(1)[..., None].expand_as(mixer.mixing.weight))
    weight = kernel.repeat_interleave(group_channels, 0)[:, None]
    reference = between(
        mixer, lambda m: F.conv2d(m, weight, mixer.mixing.bias, padding=1, groups=DIM)
    )
    assert_same(mixer, reference, random_tokens(), [mixer.value.weight, mixer.mixing.bias])


def test_locally_connected_has_a_kernel_for_each_place():
    mixer = locally_connected(**SHAPE, window_size=3).double()
    maps = torch.randn(1, DIM, GRID, GRID, dtype=torch.float64)
    padded, mixed = F.pad(maps, (1, 1, 1, 1)), mixer.mixing(maps)
    for row in range(GRID):
        for column in range(GRID):
            window = padded[0, :, row : row + 3, column : column + 3]
            kernel = mixer.mixing.weight[..., row * GRID + column].view(DIM, 3, 3)
            expected = (window * kernel).sum((1, 2)) + mixer.mixing.bias
            torch.testing.assert_close(mixed[0, :, row, column], expected)


def test_average_pooling_is_the_mean_over_what_lies_in_the_grid(assert_same):
    mixer = average_pooling(**SHAPE, window_size=3).double()

    def mean(maps):
        rows = []
        for row in range(GRID):
            above = slice(max(0, row - 1), row + 2)
            columns = [slice(max(0, column - 1), column + 2) for column in range(GRID)]
            rows.append(torch.stack([maps[:, :, above, c].mean((2, 3)) for c in columns], -1))
        return torch.stack(rows, 2)

    assert_same(mixer, between(mixer, mean), random_tokens(), [*mixer.parameters()])


def test_global_static_is_an_mlp_over_places(assert_same):
    mixer = global_static(**SHAPE, token_mlp_ratio=2.0).double()
    fc1, fc2 = mixer.mixing.fc1, mixer.mixing.fc2
    assert fc1.weight.shape == (2 * DIM, GRID**2)

    def mix(maps):
        hidden = torch.einsum("bcn,hn->bch", maps.flatten(2), fc1.weight) + fc1.bias
        hidden = hidden * (1 + torch.erf(hidden / 2**0.5)) / 2
        mixed = torch.einsum("bch,nh->bcn", hidden, fc2.weight) + fc2.bias
        return mixed.view_as(maps)

    assert_same(mixer, between(mixer, mix), random_tokens(), [*mixer.parameters()])


def test_identity_is_neighbourhood_attention_to_the_token_itself(assert_same):
    mixer = identity(**SHAPE).double()
    attention = neighbourhood_attention(**SHAPE, window_size=1, num_heads=2).double()
    with torch.no_grad():
        attention.qkv.weight[2 * DIM :] = mixer.value.weight
        attention.qkv.bias[2 * DIM :] = mixer.value.bias
        attention.proj.load_state_dict(mixer.proj.state_dict())
    own, other = [*mixer.proj.parameters()], [*attention.proj.parameters()]
    assert_same(mixer, attention, random_tokens(), own, other)


def test_dynamic_kernels_mix_the_window(assert_same):
    tokens = random_tokens()
    shared = dynamic_conv_homogeneous(**SHAPE, window_size=3).double().eval()

    def by_image(maps):
        kernels = shared.mixing.kernels(maps)
        images = [
            F.conv2d(image[None], kernel[:, None], shared.mixing.bias, padding=1, groups=DIM)
            for image, kernel in zip(maps, kernels, strict=True)
        ]
        return torch.cat(images)

    assert_same(shared, between(shared, by_image), tokens, [*shared.parameters()])
    own = dynamic_conv_inhomogeneous(**SHAPE, window_size=3, group_channels=4).double().eval()

    def by_place(maps):
        kernels = own.mixing.kernels(maps).flatten(2, 3).flatten(3)  # [batch, groups, 9, places]
        windows = F.unfold(maps, 3, padding=1).view(2, 2, 4, 9, -1)
        mixed = torch.einsum("bgwn,bgcwn->bgcn", kernels, windows)
        return mixed.reshape(maps.shape) + own.mixing.bias[:, None, None]

    assert_same(own, between(own, by_place), tokens, [*own.parameters()])


def test_gated_positional_attention_starts_as_the_convolution_that_its_heads_encode():
    mixer = gated_positional_attention(
        embed_dim=18, grid_size=GRID, num_heads=9, kernel_size=3, locality_strength=50.0
    ).double()
    with torch.no_grad():
        mixer.gating.fill_(50)
    tokens = torch.randn(2, GRID**2, 18, dtype=torch.float64)
    # Head i sees the place at column i // 3 - 1, row i % 3 - 1 from the query; two channels each.
    weight = torch.zeros(18, 18, 3, 3, dtype=torch.float64)
    for head in range(9):
        channels = slice(2 * head, 2 * head + 2)
        weight[:, channels, head % 3, head // 3] = mixer.proj.weight[:, channels].detach()
    maps = tokens.transpose(1, 2).view(2, 18, GRID, GRID)
    # At the border a head sees the nearest token that is there.
    padded = F.pad(maps, (1, 1, 1, 1), mode="replicate")
    expected = F.conv2d(padded, weight, mixer.proj.bias).flatten(2).transpose(1, 2)
    torch.testing.assert_close(mixer(tokens), expected)


def test_the_locality_strength_sharpens_the_start():
    def mass_at_centre(strength):
        mixer = gated_positional_attention(
            **SHAPE, num_heads=1, kernel_size=1, locality_strength=strength
        )
        return mixer.positional()[0].diagonal().mean().item()

    masses = [mass_at_centre(strength) for strength in (0.01, 0.3, 1.0, 10.0)]
    assert masses == sorted(masses)
    assert masses[0] < 1.2 / GRID**2 and masses[-1] > 0.99

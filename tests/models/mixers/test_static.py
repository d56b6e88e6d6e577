"""Mixers without attention, and attention that is a convolution, against convolutions."""

import pytest
import torch
import torch.nn.functional as F
from torch.func import functional_call

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


def random_tokens(device, batch=2):
    return torch.randn(batch, GRID**2, DIM, dtype=torch.float64).to(device)


def between(mixer, mix):
    """Return the mixer's linear layers around `mix`, a function of maps."""

    def reference(tokens):
        maps = torch.einsum("bnc,dc->bdn", tokens, mixer.value.weight) + mixer.value.bias[:, None]
        mixed = mix(maps.reshape(len(tokens), DIM, GRID, GRID)).flatten(2)
        return torch.einsum("bcn,dc->bnd", mixed, mixer.proj.weight) + mixer.proj.bias

    return reference


@pytest.mark.parametrize("window_size", [1, 3, 5])
def test_depthwise_conv_is_conv2d(window_size, device, assert_same):
    mixer = depthwise_conv(**SHAPE, window_size=window_size).double().to(device)
    weight, bias = mixer.mixing.weight, mixer.mixing.bias
    reference = between(mixer, lambda m: F.conv2d(m, weight, bias, padding="same", groups=DIM))
    assert_same(mixer, reference, random_tokens(device), [*mixer.parameters()])


@pytest.mark.parametrize("group_channels", [1, 4])
def test_locally_connected_with_equal_kernels_is_a_convolution(group_channels, device, assert_same):
    mixer = (
        locally_connected(**SHAPE, window_size=3, group_channels=group_channels).double().to(device)
    )
    kernel = torch.randn(DIM // group_channels, 3, 3, dtype=torch.float64).to(device)
    with torch.no_grad():
        mixer.mixing.weight.copy_(kernel.flatten(1)[..., None].expand_as(mixer.mixing.weight))
    weight = kernel.repeat_interleave(group_channels, 0)[:, None]
    reference = between(
        mixer, lambda m: F.conv2d(m, weight, mixer.mixing.bias, padding=1, groups=DIM)
    )
    assert_same(mixer, reference, random_tokens(device), [mixer.value.weight, mixer.mixing.bias])


@pytest.mark.parametrize("group_channels", [1, 4])
@pytest.mark.parametrize("window_size", [3, 5])
def test_locally_connected_has_a_kernel_for_each_place(
    group_channels, window_size, device, assert_same
):
    mixer = locally_connected(**SHAPE, window_size=window_size, group_channels=group_channels)
    mixer = mixer.double().to(device)
    weight, bias = mixer.mixing.weight, mixer.mixing.bias  # [groups, window, places], [channels]

    def by_place(maps):
        windows = F.unfold(maps, window_size, padding=window_size // 2)
        windows = windows.unflatten(1, (len(weight), group_channels, window_size**2))
        mixed = torch.einsum("gwn,bgcwn->bgcn", weight, windows)
        return mixed.reshape(maps.shape) + bias[:, None, None]

    reference = between(mixer, by_place)
    assert_same(mixer, reference, random_tokens(device), [*mixer.parameters()])


def test_average_pooling_is_the_mean_over_what_lies_in_the_grid(device, assert_same):
    mixer = average_pooling(**SHAPE, window_size=3).double().to(device)

    def mean(maps):
        rows = []
        for row in range(GRID):
            above = slice(max(0, row - 1), row + 2)
            columns = [slice(max(0, column - 1), column + 2) for column in range(GRID)]
            rows.append(torch.stack([maps[:, :, above, c].mean((2, 3)) for c in columns], -1))
        return torch.stack(rows, 2)

    assert_same(mixer, between(mixer, mean), random_tokens(device), [*mixer.parameters()])


def test_global_static_is_an_mlp_over_places(device, assert_same):
    mixer = global_static(**SHAPE, token_mlp_ratio=2.0).double().to(device)
    fc1, fc2 = mixer.mixing.fc1, mixer.mixing.fc2
    assert fc1.weight.shape == (2 * DIM, GRID**2)

    def mix(maps):
        hidden = torch.einsum("bcn,hn->bch", maps.flatten(2), fc1.weight) + fc1.bias
        hidden = hidden * (1 + torch.erf(hidden / 2**0.5)) / 2
        mixed = torch.einsum("bch,nh->bcn", hidden, fc2.weight) + fc2.bias
        return mixed.view_as(maps)

    assert_same(mixer, between(mixer, mix), random_tokens(device), [*mixer.parameters()])


def test_identity_is_two_linear_layers_on_each_token(device, assert_same):
    mixer = identity(**SHAPE).double().to(device)
    reference = between(mixer, lambda maps: maps)
    assert_same(mixer, reference, random_tokens(device), [*mixer.parameters()])


def test_identity_is_neighbourhood_attention_to_the_token_itself(device, assert_same):
    mixer = identity(**SHAPE).double().to(device)
    attention = neighbourhood_attention(**SHAPE, window_size=1, num_heads=2).double().to(device)

    def reference(tokens):
        """Call attention with our linear layers, which then get its gradients."""
        qkv, proj = attention.qkv, mixer.proj
        borrowed = {"proj.weight": proj.weight, "proj.bias": proj.bias}
        borrowed["qkv.weight"] = torch.cat([qkv.weight[: 2 * DIM], mixer.value.weight])
        borrowed["qkv.bias"] = torch.cat([qkv.bias[: 2 * DIM], mixer.value.bias])
        return functional_call(attention, borrowed, tokens)

    assert_same(mixer, reference, random_tokens(device), [*mixer.parameters()])


def in_use(mixer, training, device):
    """Return a mixer whose batch norm is not the identity."""
    norm = mixer.mixing.predictor[1]
    for tensor in (norm.weight.data, norm.bias.data, norm.running_mean):
        tensor.normal_()
    norm.running_var.uniform_(0.5, 2)
    return mixer.double().to(device).train(training)


def predicted(mixer, features):
    """Predict the weights of kernels from features [n, channels], layer by layer: [n, weights]."""
    narrow, norm, _, wide = mixer.mixing.predictor
    hidden = features @ narrow.weight[:, :, 0, 0].T
    mean, variance = norm.running_mean, norm.running_var
    if mixer.training:
        mean, variance = hidden.mean(0), hidden.var(0, correction=0)
    hidden = (hidden - mean) / (variance + norm.eps).sqrt() * norm.weight + norm.bias
    return hidden.clamp(min=0) @ wide.weight[:, :, 0, 0].T + wide.bias


@pytest.mark.parametrize("training", [False, True])
def test_the_mean_tokens_kernels_mix_the_window(training, device, assert_same):
    mixer = dynamic_conv_homogeneous(**SHAPE, window_size=3, reduction=2)
    mixer = in_use(mixer, training, device)

    def mix(maps):
        kernels = predicted(mixer, maps.mean((2, 3))).view(-1, DIM, 1, 3, 3)
        images = [
            F.conv2d(image[None], kernel, mixer.mixing.bias, padding=1, groups=DIM)
            for image, kernel in zip(maps, kernels, strict=True)
        ]
        return torch.cat(images)

    tokens = random_tokens(device, batch=5)
    assert_same(mixer, between(mixer, mix), tokens, [*mixer.parameters()])


@pytest.mark.parametrize("training", [False, True])
def test_each_tokens_kernels_mix_the_window(training, device, assert_same):
    mixer = dynamic_conv_inhomogeneous(**SHAPE, window_size=3, reduction=2, group_channels=4)
    mixer = in_use(mixer, training, device)

    def mix(maps):
        places = maps.flatten(2).transpose(1, 2)
        kernels = predicted(mixer, places.flatten(0, 1)).view(len(maps), GRID**2, 2, 9)
        windows = F.unfold(maps, 3, padding=1).view(len(maps), 2, 4, 9, GRID**2)
        mixed = torch.einsum("bngw,bgcwn->bgcn", kernels, windows)
        return mixed.reshape(maps.shape) + mixer.mixing.bias[:, None, None]

    assert_same(mixer, between(mixer, mix), random_tokens(device), [*mixer.parameters()])


def test_gated_positional_attention_starts_as_the_convolution_that_its_heads_encode(device):
    mixer = (
        gated_positional_attention(
            embed_dim=18, grid_size=GRID, num_heads=9, kernel_size=3, locality_strength=50.0
        )
        .double()
        .to(device)
    )
    with torch.no_grad():
        mixer.gating.fill_(50)
    tokens = torch.randn(2, GRID**2, 18, dtype=torch.float64).to(device)
    # Head i sees the place at column i // 3 - 1, row i % 3 - 1 from the query; two channels each.
    weight = tokens.new_zeros(18, 18, 3, 3)
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

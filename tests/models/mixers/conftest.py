"""Attention written out, outputs with all gradients, and the devices to compare them on."""

from collections.abc import Callable

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture(params=["cpu", *(["cuda"] if torch.cuda.is_available() else [])])
def device(request) -> torch.device:
    """Return each device of this machine: a mixer is built on the CPU, and moved there."""
    return torch.device(request.param)


def _with_gradients(function, tokens, parameters):
    tokens = tokens.detach().requires_grad_()
    output = function(tokens)
    mixture = torch.randn(
        output.shape, dtype=output.dtype, generator=torch.Generator().manual_seed(1)
    ).to(output.device)
    return output, *torch.autograd.grad((output * mixture).sum(), [tokens, *parameters])


@pytest.fixture
def assert_same() -> Callable:
    """Compare two functions of tokens: their outputs, and gradients to tokens and parameters."""

    def check(function, reference, tokens, parameters, other_parameters=None):
        found = _with_gradients(function, tokens, parameters)
        expected = _with_gradients(reference, tokens, other_parameters or parameters)
        assert expected[1].abs().max() > 1e-3
        torch.testing.assert_close(found, expected)

    return check


@pytest.fixture
def dense_attention() -> Callable:
    """Compute attention from a mixer's own projections, with scores masked and weighted in full.

    `allowed` and `bias` may be on any device.
    """

    def attend(mixer, tokens, allowed=None, bias=None):
        qkv = torch.nn.functional.linear(tokens, mixer.qkv.weight, mixer.qkv.bias)
        query, key, value = qkv.unflatten(2, (3, mixer.num_heads, -1)).unbind(2)
        scores = torch.einsum("bqhd,bkhd->bhqk", query, key) / query.shape[-1] ** 0.5
        if bias is not None:
            scores = scores + bias.to(scores.device)
        if allowed is not None:
            scores = scores.masked_fill(~allowed.to(scores.device), -torch.inf)
        mixed = torch.einsum("bhqk,bkhd->bqhd", scores.softmax(-1), value).flatten(2)
        return torch.nn.functional.linear(mixed, mixer.proj.weight, mixer.proj.bias)

    return attend

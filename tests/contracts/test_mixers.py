"""What every packaged token mixer must do."""

import inspect

import pytest
import torch

from priorscope.components import listing, resolve

MIXERS = sorted(listing("mixers"))
BY_CONTENT = {"routed_attention", "top_k_attention"}  # what they see depends on the image
GRID, DIM = 8, 16


def build(name, tmp_path, *, layer=0, grid_size=GRID, **parameters):
    torch.manual_seed(0)
    function = resolve("mixers", name, base=tmp_path)
    if "layer" in inspect.signature(function).parameters:
        parameters["layer"] = layer
    return function(embed_dim=DIM, grid_size=grid_size, **parameters).double()


def in_use(mixer):
    """Return a mixer whose batch norms, biases and gates are not the identity, in eval mode."""
    for name, tensor in mixer.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif name.endswith("predictor.1.bias"):
            tensor.fill_(10)  # no ReLU behind it at rest
        elif tensor.ndim == 1:
            tensor.normal_()
    return mixer.eval()


def touched(mixer):
    """Measure by gradients what each token's output depends on: bool [tokens, tokens]."""
    tokens = torch.randn(2, GRID**2, DIM, dtype=torch.float64, requires_grad=True)
    output = mixer(tokens)
    mixture = torch.randn(DIM, dtype=torch.float64)
    rows = [
        torch.autograd.grad(output[0, place] @ mixture, tokens, retain_graph=True)[0][0]
        for place in range(GRID**2)
    ]
    return torch.stack(rows).abs().sum(-1) > 0


@pytest.mark.parametrize("name", MIXERS)
@pytest.mark.parametrize("layer", [0, 1])
def test_tokens_depend_on_exactly_what_is_declared(name, layer, tmp_path):
    mixer = in_use(build(name, tmp_path, layer=layer))
    measured, declared = touched(mixer), mixer.reach()
    assert not (measured & ~declared).any()
    assert torch.equal(measured, declared) or name in BY_CONTENT
    assert measured.diagonal().all() or name in BY_CONTENT


@pytest.mark.parametrize("window_size", [1, 5, 7])
def test_any_odd_window_reaches_as_far_as_declared(window_size, tmp_path):
    reaching = []
    for name in MIXERS:
        accepted = inspect.signature(resolve("mixers", name, base=tmp_path)).parameters
        # Tiles must divide the grid.
        if "window_size" not in accepted or ("window_attention" in name and GRID % window_size):
            continue
        mixer = in_use(build(name, tmp_path, window_size=window_size))
        assert torch.equal(touched(mixer), mixer.reach()), name
        reaching.append(name)
    assert {"neighbourhood_attention", "depthwise_conv", "locally_connected"} <= {*reaching}


@pytest.mark.parametrize("name", MIXERS)
def test_keeps_shape_and_trains_every_parameter(name, tmp_path):
    mixer = build(name, tmp_path)
    tokens = torch.randn(3, GRID**2, DIM, dtype=torch.float64)
    output = mixer(tokens)
    assert output.shape == tokens.shape
    output.square().sum().backward()
    without = [n for n, p in mixer.named_parameters() if p.grad is None or not p.grad.any()]
    assert not without


@pytest.mark.parametrize("name", MIXERS)
def test_mixes_each_image_alone(name, tmp_path):
    mixer = in_use(build(name, tmp_path))
    tokens = torch.randn(3, GRID**2, DIM, dtype=torch.float64)
    torch.testing.assert_close(mixer(tokens)[:1], mixer(tokens[:1]))


@pytest.mark.parametrize("name", MIXERS)
@pytest.mark.parametrize("grid_size", [8, 16])
def test_trains_in_mixed_precision(name, grid_size, tmp_path):
    options = {"grid_size": grid_size}
    if "relative_bias" in inspect.signature(resolve("mixers", name, base=tmp_path)).parameters:
        options["relative_bias"] = grid_size == 16
    mixer = build(name, tmp_path, **options).float()
    tokens = torch.randn(2, grid_size**2, DIM)
    expected = mixer.eval()(tokens)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = mixer(tokens)
    error = (mixed - expected).norm() / expected.norm()
    assert error < 0.05 or name in BY_CONTENT  # these may choose other tokens
    mixed.float().square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in mixer.parameters())


@pytest.mark.parametrize("name", MIXERS)
def test_memory_format_does_not_change_the_answer(name, tmp_path):
    mixer = in_use(build(name, tmp_path))
    tokens = torch.randn(2, GRID**2, DIM, dtype=torch.float64)
    expected = mixer(tokens)
    torch.testing.assert_close(mixer.to(memory_format=torch.channels_last)(tokens), expected)


@pytest.mark.parametrize("name", MIXERS)
def test_says_what_it_is(name):
    assert listing("mixers")[name].summary.startswith("Build ")

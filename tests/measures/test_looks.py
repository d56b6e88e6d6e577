"""Receptive fields, shifts and frequencies: values that are known."""

import numpy as np
import pytest
import torch
from torch import nn

from priorscope.errors import InputError
from priorscope.measures import DoesNotApply
from priorscope.measures.effective_receptive_field import (
    _gradients,
    effective_receptive_field,
)
from priorscope.measures.fourier_sensitivity import fourier_sensitivity
from priorscope.measures.translation_error import translation_error
from priorscope.models.resnet_nano import resnet_nano
from priorscope.models.skeleton import skeleton
from priorscope.models.vit_nano import vit_nano


def noise(n=6, px=32, seed=0, dtype=torch.float32):
    return torch.randn(n, 3, px, px, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def rng(seed=0):
    return np.random.default_rng(seed)


def arm(found, name):
    return found.values[found.conditions["arm"] == name]


class Pooled(nn.Sequential):
    """A body, then the mean over places."""

    def __init__(self, *body):
        super().__init__(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten())


@pytest.mark.parametrize(("n", "k"), [(1, 3), (3, 3), (2, 5), (6, 3)])
def test_uniform_convolutions_spread_the_gradient_as_boxes_do(n, k):
    """n boxes of k pixels have the variance n (k^2 - 1) / 12 on each axis."""
    convs = [nn.Conv2d(3 if i == 0 else 1, 1, k, padding=k // 2, bias=False) for i in range(n)]
    for conv in convs:
        nn.init.constant_(conv.weight, 1.0)
    network = Pooled(*convs).double()
    found = _gradients(network, noise(2, dtype=torch.float64), rng(), None).reshape(2, 32, 32)
    for weights in found / found.sum(axis=(1, 2), keepdims=True):
        for axis in (0, 1):
            line, places = weights.sum(axis=1 - axis), np.arange(32)
            mean = line @ places
            assert mean == pytest.approx(16)
            assert line @ (places - mean) ** 2 == pytest.approx(n * (k**2 - 1) / 12)
    areas = effective_receptive_field(network, noise(2), rng=rng())
    side = n * (k - 1) + 1
    assert arm(areas, "support").tolist() == [side**2] * 2
    if n == 1:  # a box: half of its pixels hold half of it
        assert arm(areas, "half").tolist() == [np.ceil(k * k / 2)] * 2


def test_there_is_no_gradient_outside_a_windows_reach():
    torch.manual_seed(0)
    network = skeleton(
        num_classes=10, image_px=32, mixer="neighbourhood_attention", window_size=3,
        embed_dim=32, depth=2,
    ).eval()  # fmt: skip
    found = effective_receptive_field(network, noise(), rng=rng())
    assert (arm(found, "support") <= (5 * 4) ** 2).all()  # 5 x 5 patches of 4 px
    wide = skeleton(num_classes=10, image_px=32, mixer="global_attention", embed_dim=32, depth=2)
    far = effective_receptive_field(wide.eval(), noise(), rng=rng())
    assert (arm(far, "support") > arm(found, "support")).all()
    for each in (found, far):
        assert (arm(each, "half") < arm(each, "nine_tenths")).all()
        assert (arm(each, "nine_tenths") <= arm(each, "support")).all()


def test_half_of_a_known_gradient_is_counted():
    weights = np.array([4.0, 3.0, 2.0, 1.0])  # half of 10 is reached by two, nine tenths by three

    class Known(nn.Module):
        def forward(self, x):
            row = x[:, :1, 0, :4] * torch.as_tensor(weights, dtype=x.dtype)
            self.out(row.sum(-1)[:, :, None, None].expand(-1, -1, 2, 2))
            return row.sum((1, 2))[:, None]

        def __init__(self):
            super().__init__()
            self.out = nn.Identity()

    found = effective_receptive_field(Known(), noise(3, px=8), rng=rng(), module="out")
    assert arm(found, "half").tolist() == [2.0] * 3
    assert arm(found, "nine_tenths").tolist() == [3.0] * 3
    assert arm(found, "support").tolist() == [4.0] * 3


def test_channels_that_see_the_same_do_not_cancel():
    """The plain sum of a channel and its negative has no gradient at all."""
    conv = nn.Conv2d(3, 2, 3, padding=1, bias=False)
    with torch.no_grad():
        conv.weight[1] = -conv.weight[0]
    found = effective_receptive_field(Pooled(conv), noise(40), rng=rng())
    assert (arm(found, "support") == 9).all()


@pytest.mark.parametrize("name", ["swin_tiny_patch4_window7_224", "vit_tiny_patch16_224"])
def test_timms_maps_and_tokens_are_found(name):
    import timm

    network = timm.create_model(name, pretrained=False, num_classes=4, img_size=64).eval()
    found = effective_receptive_field(network, noise(2, px=64), rng=rng())
    assert (arm(found, "half") >= 16).all()


def test_the_network_is_left_as_it_was():
    network = vit_nano(num_classes=10, image_px=32).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    effective_receptive_field(network, noise(2), rng=rng())
    for name, tensor in network.state_dict().items():
        assert tensor.dtype == before[name].dtype
        assert torch.equal(tensor, before[name])


def test_a_module_that_is_not_there_is_named():
    network = resnet_nano(num_classes=10, image_px=32)
    with pytest.raises(InputError) as caught:
        effective_receptive_field(network, noise(2), rng=rng(), module="stemm")
    assert caught.value.where == "module"
    with pytest.raises(DoesNotApply):
        effective_receptive_field(
            nn.Sequential(nn.Flatten(), nn.Linear(3 * 32**2, 10)), noise(2), rng=rng()
        )


def test_a_linear_models_derivative_is_its_weights_on_the_images_derivative():
    torch.manual_seed(1)
    head = nn.Linear(3 * 16**2, 5, bias=False)
    images = noise(4, px=16)
    found = translation_error(nn.Sequential(nn.Flatten(), head), images, rng=rng())
    padded = nn.functional.pad(images.double(), (1, 1, 1, 1), mode="replicate")
    steps = [
        (padded[:, :, :-2, 1:-1] - padded[:, :, 2:, 1:-1]) / 2,
        (padded[:, :, 1:-1, :-2] - padded[:, :, 1:-1, 2:]) / 2,
    ]
    squares = [(dx.flatten(1) @ head.weight.double().T).square().sum(1) for dx in steps]
    wanted = (torch.stack(squares).mean(0)).sqrt().detach().numpy()
    np.testing.assert_allclose(arm(found, "all"), wanted, rtol=1e-4)


def test_a_networks_derivative_is_that_of_automatic_differentiation():
    torch.manual_seed(0)
    network = resnet_nano(num_classes=10, image_px=32).eval()
    images = noise(4)
    found = translation_error(network, images, rng=rng(), border="wrap")
    double = resnet_nano(num_classes=10, image_px=32).double().eval()
    double.load_state_dict(network.state_dict())
    x = images.double()
    squares = 0
    for axis in (2, 3):
        dx = (x.roll(1, axis) - x.roll(-1, axis)) / 2
        _, along = torch.autograd.functional.jvp(double, x, dx)
        squares = squares + along.square().sum(1) / 2
    np.testing.assert_allclose(arm(found, "all"), squares.sqrt().numpy(), rtol=0.05)


def test_circular_convolutions_have_no_error_at_whole_pixels():
    torch.manual_seed(0)
    network = Pooled(
        nn.Conv2d(3, 8, 3, padding=1, padding_mode="circular"),
        nn.ReLU(),
        nn.Conv2d(8, 10, 5, padding=2, padding_mode="circular"),
    )
    images = noise()
    for shift in (1, 3):
        found = translation_error(network, images, rng=rng(), shift_px=shift, border="wrap")
        assert (arm(found, "all") < 1e-6).all()
    network[0].stride = (2, 2)  # pixels between two strides count by turns
    aliased = translation_error(network, images, rng=rng(), shift_px=1, border="wrap")
    assert (arm(aliased, "all") > 1e-3).all()


def test_relative_errors_do_not_depend_on_the_size_of_logits():
    network = resnet_nano(num_classes=10, image_px=32).eval()
    louder = nn.Sequential(network, Times(7.0))
    small, large = (translation_error(each, noise(), rng=rng()) for each in (network, louder))
    np.testing.assert_allclose(arm(large, "all"), 7 * arm(small, "all"), rtol=1e-3)
    np.testing.assert_allclose(arm(large, "relative"), arm(small, "relative"), rtol=1e-3)


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor


class HearsAbove(nn.Module):
    """Answers 1 where an image has any power at or beyond a radius, else 0."""

    def __init__(self, radius, px):
        super().__init__()
        f = torch.fft.fftfreq(px, 1 / px)
        self.heard = (f[:, None] ** 2 + f[None] ** 2).sqrt() >= radius - 0.5

    def forward(self, x):
        power = torch.fft.fft2(x[:, 0].double()).abs()[:, self.heard].sum(1)
        return torch.stack([torch.ones_like(power), power], 1)


def test_only_waves_that_a_network_hears_change_its_answers():
    flat = torch.zeros(20, 3, 32, 32)
    found = fourier_sensitivity(HearsAbove(9, 32), flat, rng=rng())
    for ring in range(1, 17):
        assert set(arm(found, f"ring {ring}")) == {float(ring >= 9)}, ring
    steps = (np.arange(1, 17) >= 9).astype(float)
    wanted = np.polyfit(np.arange(1, 17) / 16, steps, 1)[0]
    np.testing.assert_allclose(arm(found, "slope"), wanted)


def test_waves_have_their_contrast_at_every_frequency():
    seen = []

    class Watch(nn.Module):
        def forward(self, x):
            seen.append(x.clone())
            return torch.zeros(len(x), 2)

    fourier_sensitivity(Watch(), torch.zeros(30, 3, 16, 16), rng=rng(), contrast=0.2)
    waves = torch.cat(seen[1:])
    np.testing.assert_allclose(waves.square().mean((1, 2, 3)).sqrt(), 0.2, rtol=1e-4)
    assert torch.equal(waves[:, 0], waves[:, 2])

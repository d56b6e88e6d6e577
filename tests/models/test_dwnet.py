"""`dwnet`: its counts, and its three ways to mix positions against loops written out."""

import pytest
import torch
import torch.nn.functional as F

from priorscope.errors import InputError
from priorscope.models._dwnet_blocks import (
    HomogeneousMixing,
    InhomogeneousMixing,
    PatchMerging,
    mix_by_image,
)
from priorscope.models.dwnet import dwnet
from priorscope.runs.prepare_models import measure_model

KINDS = ["static", "homogeneous", "inhomogeneous"]
SMALL = {"num_classes": 5, "image_px": 16, "embed_dim": 16, "depths": (1, 1), "patch_size": 2}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def num_parameters(**parameters):
    with torch.device("meta"):
        return sum(p.numel() for p in dwnet(image_px=224, **parameters).parameters())


def in_use(module):
    """Return a module in eval mode, in double; no batch norm or bias of it is the identity."""
    for name, tensor in module.double().state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif tensor.ndim == 1:
            tensor.normal_()
    return module.eval()


def random_maps(*shape):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize(
    ("size", "dynamic", "published"),
    [
        ("tiny", "static", 23_411_434),
        ("tiny", "homogeneous", 50_370_442),
        ("base", "homogeneous", 160_583_178),
    ],
)
def test_the_published_networks_have_the_published_parameter_counts(size, dynamic, published):
    assert num_parameters(num_classes=10, size=size, dynamic=dynamic) == published


@pytest.mark.parametrize(("window_size", "groups_of"), [(3, 16), (7, 32)])
def test_kinds_differ_in_count_by_what_makes_their_kernels(window_size, groups_of):
    embed_dim, depths = 64, (1, 2, 1)
    counts = {
        kind: num_parameters(
            num_classes=10, embed_dim=embed_dim, depths=depths, dynamic=kind,
            window_size=window_size, group_channels=groups_of,
        )
        for kind in KINDS
    }  # fmt: skip
    more = {"homogeneous": 0, "inhomogeneous": 0}
    for stage, depth in enumerate(depths):
        channels = embed_dim * 2**stage
        hidden, kernel = channels // 4, window_size**2
        for kind, num_kernels in (
            ("homogeneous", channels),
            ("inhomogeneous", channels // groups_of),
        ):
            predictor = channels * hidden + 2 * hidden + (hidden + 1) * kernel * num_kernels
            more[kind] += depth * (predictor - kernel * channels)
    assert {kind: counts[kind] - counts["static"] for kind in more} == more


def test_multiply_accumulates_of_the_tiny_network_against_the_sum_over_layers():
    model = dwnet(num_classes=10, image_px=224)
    expected = 56**2 * 96 * 4 * 4 * 3 + 768 * 10
    for stage, depth in enumerate((2, 2, 6, 2)):
        channels, positions = 96 * 2**stage, (56 // 2**stage) ** 2
        expected += depth * positions * (2 * channels**2 + 8 * channels**2 + 49 * channels)
        if stage < 3:
            expected += positions // 4 * 4 * channels * 2 * channels
    assert measure_model(model, num_classes=10, image_px=224, where="models.m").macs == expected


def test_static_mixing_is_a_grouped_convolution_written_as_a_loop_over_channels():
    model = in_use(dwnet(**SMALL, window_size=5))
    mixing = model.blocks[0].mixer[3]
    maps = random_maps(2, 16, 8, 8)
    weight, bias = mixing.weight, mixing.bias
    expected = F.conv2d(maps, weight, bias, padding=2, groups=16)
    torch.testing.assert_close(mixing(maps), expected)
    for channel in range(16):
        alone = F.conv2d(maps[:, [channel]], weight[[channel]], bias[[channel]], padding=2)
        torch.testing.assert_close(mixing(maps)[:, [channel]], alone)


def test_homogeneous_mixing_against_a_loop_over_images():
    mixing = in_use(HomogeneousMixing(16, window_size=5, reduction=4))
    linear1, norm, _, linear2 = mixing.predictor
    maps = random_maps(3, 16, 6, 9)
    for image, mixed in zip(maps, mixing(maps), strict=True):
        hidden = linear1.weight.flatten(1) @ image.mean(dim=(1, 2))
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        hidden = ((hidden - norm.running_mean) * scale + norm.bias).clamp(min=0)
        kernels = (linear2.weight.flatten(1) @ hidden + linear2.bias).view(16, 1, 5, 5)
        expected = F.conv2d(image[None], kernels, mixing.bias, padding=2, groups=16)[0]
        torch.testing.assert_close(mixed, expected)


def test_inhomogeneous_mixing_against_a_loop_over_positions():
    mixing = in_use(InhomogeneousMixing(12, window_size=3, reduction=4, group_channels=4))
    maps = random_maps(2, 12, 4, 5)
    padded, mixed = F.pad(maps, (1, 1, 1, 1)), mixing(maps)
    for row in range(4):
        for column in range(5):
            here = maps[:, :, row : row + 1, column : column + 1]
            kernels = mixing.predictor(here).view(2, 3, 3, 3)  # batch, group, window, window
            kernels = kernels.repeat_interleave(4, dim=1)  # neighbouring channels share
            window = padded[:, :, row : row + 3, column : column + 3]
            expected = (kernels * window).sum(dim=(2, 3)) + mixing.bias
            torch.testing.assert_close(mixed[:, :, row, column], expected)


def touched_from(output, maps):
    """Say which positions of the first image the output at row 4, column 5 depends on."""
    (gradient,) = torch.autograd.grad(output[0, :, 4, 5].sum(), maps)
    return gradient[0].abs().sum(0) > 0


@pytest.mark.parametrize("window_size", [1, 3, 7])
def test_gradients_reach_exactly_the_window(window_size):
    reach = window_size // 2
    expected = torch.zeros(9, 9, dtype=torch.bool)
    expected[max(0, 4 - reach) : 5 + reach, max(0, 5 - reach) : 6 + reach] = True
    maps = random_maps(2, 16, 9, 9)
    static = in_use(dwnet(**SMALL, window_size=window_size)).blocks[0].mixer[3]
    by_position = in_use(InhomogeneousMixing(16, window_size, 4, group_channels=8))
    by_image = in_use(HomogeneousMixing(16, window_size, 4))
    by_image.predictor[1].bias.data.fill_(10)  # no ReLU of the predictor at rest
    fixed = mix_by_image(maps, by_image.kernels(maps).detach())
    for output in (static(maps), by_position(maps), fixed):
        assert torch.equal(touched_from(output, maps), expected)
    assert touched_from(by_image(maps), maps).all()  # its kernels see the mean of the image


def test_the_network_reaches_as_far_as_its_windows_add_up_to():
    shape = {"image_px": 18, "patch_size": 2, "embed_dim": 16, "depths": (2,), "window_size": 3}
    model = in_use(dwnet(num_classes=3, **shape))
    images = random_maps(1, 3, 18, 18)
    touched = touched_from(model.blocks(model.patch_embed(images)), images)
    expected = torch.zeros(9, 9, dtype=torch.bool)
    expected[2:7, 3:8] = True  # two blocks of reach 1
    assert torch.equal(touched.view(9, 2, 9, 2).any(3).any(1), expected)


def test_patch_merging_joins_two_by_two_neighbours():
    merging = in_use(PatchMerging(6))
    maps = random_maps(2, 6, 10, 12)
    merged = merging(maps)
    assert merged.shape == (2, 12, 5, 6)
    assert touched_from(merged, maps).nonzero().tolist() == [[8, 10], [8, 11], [9, 10], [9, 11]]
    blocks = maps.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)  # [batch, channels, h/2, w/2, 4]
    joined = blocks.permute(0, 2, 3, 1, 4).flatten(3)
    normalised = (joined - joined.mean(3, keepdim=True)) / (
        joined.var(3, unbiased=False, keepdim=True) + merging.norm.eps
    ).sqrt()
    features = normalised * merging.norm.weight + merging.norm.bias
    expected = torch.einsum("bhwi,oi->bohw", features, merging.reduction.weight)
    torch.testing.assert_close(merged, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_train_and_answer_for_each_image_alone(kind):
    model = dwnet(**SMALL, dynamic=kind)
    images = torch.randn(4, 3, 16, 16)
    F.cross_entropy(model(images), torch.tensor([0, 1, 2, 3])).backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())
    model.eval()
    torch.testing.assert_close(model(images)[:1], model(images[:1]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_memory_format_does_not_change_the_answer(kind):
    model = in_use(dwnet(**SMALL, dynamic=kind))
    images = random_maps(2, 3, 16, 16)
    expected = model(images)
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    last = images.to(memory_format=torch.channels_last)
    torch.testing.assert_close(model(last), expected)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"window_size": 4}, "odd"),
        ({"patch_size": 5}, "patch must divide"),
        ({"patch_size": 8}, "halve the grid"),
        ({"image_px": 30, "patch_size": 2}, "fewer depths"),
        ({"dynamic": "homogeneous", "reduction": 5}, "reduction must divide"),
        ({"dynamic": "inhomogeneous", "group_channels": 5}, "group_channels must divide"),
    ],
)
def test_impossible_shapes_are_refused(parameters, words):
    with pytest.raises(InputError) as caught:
        dwnet(**{"num_classes": 10, "image_px": 32, **parameters})
    assert words in str(caught.value)

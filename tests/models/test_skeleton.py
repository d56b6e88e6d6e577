"""The skeleton: what mixers share, matched counts, and what is refused."""

import inspect

import pytest
import timm
import torch

from priorscope.components import bind, listing, resolve
from priorscope.errors import InputError
from priorscope.models._match import match_hidden
from priorscope.models.skeleton import skeleton
from priorscope.models.vit_nano import vit_nano
from priorscope.preflight.notes import notes

MIXERS = sorted(listing("mixers"))
SHAPE = {"num_classes": 10, "image_px": 32}


def build(**parameters):
    torch.manual_seed(0)
    return skeleton(**SHAPE, **parameters)


def num_parameters(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("form", ["isotropic", "pyramid"])
def test_mixers_differ_in_nothing_but_the_mixer(form):
    def rest(model):
        return {n: p.shape for n, p in model.named_parameters() if ".mixer." not in n}

    models = [build(mixer=mixer, form=form, embed_dim=16) for mixer in MIXERS]
    assert len({str(rest(model)) for model in models}) == 1
    images = torch.randn(4, 3, 32, 32)
    assert all(model(images).shape == (4, 10) for model in models)


@pytest.mark.parametrize("form", ["isotropic", "pyramid"])
@pytest.mark.parametrize("wanted", [160_000, 400_000])
def test_all_mixers_match_in_parameters(form, wanted):
    embed_dim = 48 if form == "isotropic" else 16
    for mixer in MIXERS:
        model = build(mixer=mixer, form=form, embed_dim=embed_dim, num_parameters=wanted)
        assert abs(num_parameters(model) / wanted - 1) <= 0.02, mixer


def test_matching_finds_the_nearest_width():
    for wanted in range(1000, 40_000, 997):
        hidden = match_hidden(lambda h: 500 + 7 * h, wanted)
        assert abs(500 + 7 * hidden - wanted) <= 3.5


@pytest.mark.parametrize(("wanted", "words"), [(550, "603 or more"), (750, "steps of 101")])
def test_matching_refuses_what_no_width_gives(wanted, words):
    with pytest.raises(InputError, match=words):
        match_hidden(lambda h: 502 + 101 * h, wanted)


def test_the_smallest_network_is_offered_when_the_mixer_alone_is_too_large():
    with pytest.raises(InputError) as caught:
        build(mixer="locally_connected", window_size=7, num_parameters=100_000)
    smallest = int(caught.value.allowed.removesuffix(" or more").replace(",", ""))
    model = build(mixer="locally_connected", window_size=7, num_parameters=smallest)
    assert num_parameters(model) == smallest


def test_a_class_token_makes_it_timms_vision_transformer():
    ours = build(embed_dim=24, depth=2, pool="cls", mlp_ratio=2.0).double()
    theirs = timm.create_model(
        "vit_tiny_patch16_224", num_classes=10, img_size=32, patch_size=4, embed_dim=24, depth=2,
        num_heads=4, mlp_ratio=2.0,
    ).double()  # fmt: skip
    with torch.no_grad():
        theirs.pos_embed.copy_(torch.cat([torch.zeros_like(ours.class_token), ours.pos_embed], 1))
    names = {
        "class_token": "cls_token", "mixer.": "attn.", "mlp.0": "mlp.fc1", "mlp.2": "mlp.fc2",
        "patch_embed": "patch_embed.proj",
    }  # fmt: skip
    state = theirs.state_dict()
    for name, tensor in ours.state_dict().items():
        if name == "pos_embed":
            continue
        for own, other in names.items():
            name = name.replace(own, other)
        assert state[name].shape == tensor.shape
        state[name] = tensor
    theirs.load_state_dict(state)
    for module in theirs.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = 1e-5
    images = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(ours(images), theirs(images))


def test_the_defaults_are_vit_nano():
    torch.manual_seed(0)
    images = torch.randn(2, 3, 32, 32)
    torch.manual_seed(0)
    model = vit_nano(**SHAPE)
    assert torch.equal(build()(images), model(images))


def test_without_positions_nothing_tells_the_patches_order():
    images = torch.randn(2, 3, 32, 32)
    order = torch.randperm(8)
    swapped = images.view(2, 3, 8, 4, 32)[:, :, order].reshape(2, 3, 32, 32)
    for positions, differs in (("none", False), ("absolute", True), ("relative", True)):
        model = build(positions=positions, embed_dim=16).eval()
        change = (model(images) - model(swapped)).abs().max()
        assert (change > 1e-4) == differs, positions


def test_a_pyramid_halves_the_grid_and_doubles_width_and_heads():
    model = build(form="pyramid", embed_dim=16, depths=(1, 1, 1), mlp_ratio=2.0)
    mixers = [model.blocks[index].mixer for index in (0, 2, 4)]
    assert [mixer.num_heads for mixer in mixers] == [4, 8, 16]
    assert [mixer.qkv.in_features for mixer in mixers] == [16, 32, 64]
    assert [len(mixer.reach()) for mixer in mixers] == [64, 16, 4]
    assert model.blocks[4].mlp[0].out_features == 128


def test_every_second_block_shifts_its_windows():
    model = build(mixer="shifted_window_attention", depth=4)
    assert [block.mixer.shift for block in model.blocks] == [0, 2, 0, 2]


def test_a_window_that_covers_the_grid_says_so():
    said = notes(build(mixer="neighbourhood_attention", window_size=9))
    assert said == ["window_size 9 covers the grid of 8 x 8: global attention"]
    assert notes(build(mixer="depthwise_conv", window_size=15)) == [
        "window_size 15 reaches across the grid of 8 x 8: global mixing"
    ]
    assert notes(build(mixer="depthwise_conv", window_size=13)) == []
    assert notes(build(mixer="neighbourhood_attention", window_size=7)) == []


@pytest.mark.parametrize(
    ("parameters", "where", "words"),
    [
        ({"mixer": "global_atention"}, "mixer", "did you mean global_attention?"),
        ({"mixer": "neighbourhood_attention", "window_size": 4}, "window_size", "odd"),
        ({"mixer": "locally_connected", "window_size": 2}, "window_size", "odd"),
        ({"mixer": "window_attention", "window_size": 3}, "window_size", "1, 2, 4, 8"),
        ({"num_heads": 3}, "num_heads", "1, 2, 4, 5, 8, 10"),
        ({"mixer": "window_attention", "num_heads": 3}, "num_heads", "heads must divide"),
        ({"patch_size": 5}, "patch_size", "1, 2, 4, 8, 16, 32"),
        ({"window_size": 3}, "window_size", "num_heads"),  # global attention has none
        ({"mixer": "depthwise_conv", "num_heads": 2}, "num_heads", "such a parameter"),
        ({"mixer": "neighbourhood_attention", "window_sise": 3}, "window_sise", "window_size?"),
        ({"mixer": "neighbourhood_attention", "window_size": 2.5}, "window_size", "integer"),
        ({"dept": 2}, "dept", "did you mean depth"),
        ({"layer": 1, "mixer": "shifted_window_attention"}, "layer", "such a parameter"),
        ({"mixer": "depthwise_conv", "positions": "relative"}, "positions", "none, absolute"),
        ({"mixer": "window_attention", "pool": "cls"}, "pool", "global_attention"),
        ({"form": "pyramid", "pool": "cls"}, "pool", "isotropic"),
        ({"form": "pyramid", "depth": 4}, "depth", "depths"),
        ({"depths": (1, 1)}, "depths", "depth"),
        ({"form": "pyramid", "patch_size": 32}, "patch_size", "halve the grid"),
        ({"mlp_ratio": 2.0, "num_parameters": 10**6}, "mlp_ratio", "one of the two"),
        ({"num_parameters": 10_000}, "num_parameters", "or more"),
        ({"mixer": "routed_attention", "num_clusters": 65}, "num_clusters", "1 to 64"),
        ({"mixer": "gated_positional_attention", "num_heads": 5}, "kernel_size", "found"),
        ({"mixer": "dynamic_conv_homogeneous", "reduction": 3}, "reduction", "must divide"),
        ({"mixer": "locally_connected", "group_channels": 3}, "group_channels", "must divide"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(parameters, where, words):
    with pytest.raises(InputError) as caught:
        build(**parameters)
    assert caught.value.where == where
    assert words in str(caught.value)


@pytest.mark.parametrize("name", MIXERS)
def test_mixers_have_types_and_defaults_for_what_a_study_sets(name, tmp_path):
    function = resolve("mixers", name, base=tmp_path)
    by_skeleton = {"embed_dim", "grid_size", "layer", "relative_bias", "class_token"}
    assert bind(function, {}, where="mixer", reserved=by_skeleton) == {}
    assert all(p.kind is p.KEYWORD_ONLY for p in inspect.signature(function).parameters.values())

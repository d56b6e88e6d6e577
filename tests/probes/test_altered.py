"""Probes of the same images in several states: what each arm keeps, and what it takes away."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from priorscope.components import resolve
from priorscope.data import LabeledImages, fingerprint
from priorscope.errors import InputError
from priorscope.models.bag_of_local_features import bag_of_local_features
from priorscope.models.pixel_set_mlp import pixel_set_mlp
from priorscope.probes.frequency import band
from priorscope.probes.suppression import smoothed

ALTERED = ("suppression", "frequency", "translation", "scale", "rotation", "occlusion")


def make(name, source, tmp_path, num_images=40, seed=0, **parameters):
    probe = resolve("probes", name, base=tmp_path)
    return probe(source, rng=np.random.default_rng(seed), num_images=num_images, **parameters)


def images_of(probe, arm):
    return probe.images[probe.conditions["arm"] == arm]


def answers(model, images):
    model.eval()
    with torch.no_grad():
        return model(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()).float() / 255 - 0.5)


@pytest.fixture(scope="module")
def pictures() -> LabeledImages:
    """Return smooth pictures of 32 px with edges in them, and four classes in uneven shares."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:32, :32] / 31
    centres = rng.uniform(0.3, 0.7, (120, 2, 1, 1))
    radii = rng.uniform(0.15, 0.3, (120, 1, 1))
    disc = np.hypot(y - centres[:, 0], x - centres[:, 1]) < radii
    images = 60 + 80 * y[None, ..., None] + np.zeros((120, 32, 32, 3))
    images[disc] += rng.uniform(20, 100, (120, 3)).repeat(disc.sum(axis=(1, 2)), axis=0)
    images += rng.normal(0, 6, images.shape)
    images = np.clip(images, 0, 255).astype(np.uint8)
    labels = np.repeat(np.arange(4), [60, 30, 20, 10])
    names = ("a", "b", "c", "d")
    return LabeledImages(images, labels, names, fingerprint(images, labels))


@pytest.mark.parametrize("name", ALTERED)
def test_every_arm_shows_the_same_images_of_each_class_by_its_share(name, pictures, tmp_path):
    probe = make(name, pictures, tmp_path, num_images=60)
    intact = images_of(probe, "intact")
    shown = {image.tobytes() for image in intact}
    assert len(shown) == 60 and shown <= {image.tobytes() for image in pictures.images}
    assert probe.arms[-1] == "intact"
    for arm in probe.arms:
        targets = probe.targets[probe.conditions["arm"] == arm]
        assert np.bincount(targets).tolist() == [30, 15, 10, 5]
        moved = np.sqrt(((images_of(probe, arm).astype(float) - intact) ** 2).mean((1, 2, 3)))
        np.testing.assert_allclose(
            probe.conditions["change"][probe.conditions["arm"] == arm], moved, rtol=1e-4
        )


@pytest.mark.parametrize("name", ALTERED)
def test_more_images_than_there_are_is_refused(name, pictures, tmp_path):
    assert len(make(name, pictures, tmp_path, num_images=120).arms) > 2
    with pytest.raises(InputError) as caught:
        make(name, pictures, tmp_path, num_images=121)
    assert caught.value.where == "num_images"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("suppression", {"patches": (3,)}),
        ("suppression", {"patches": (4, 4)}),
        ("suppression", {"patches": ()}),
        ("frequency", {"cycles": (16,)}),
        ("frequency", {"cycles": (2, 2)}),
        ("translation", {"shifts": (9,)}),
        ("translation", {"shifts": (1, 1)}),
        ("scale", {"scales": (1.0,)}),
        ("scale", {"scales": (0.99,)}),
        ("scale", {"scales": (0.01,)}),
        ("rotation", {"degrees": ()}),
        ("occlusion", {"grid": 5}),
        ("occlusion", {"shares": (0.001,)}),
        ("occlusion", {"shares": (0.5, 0.501)}),
    ],
)
def test_what_an_image_cannot_show_is_refused(name, parameters, pictures, tmp_path):
    with pytest.raises(InputError) as caught:
        make(name, pictures, tmp_path, **parameters)
    assert caught.value.where in parameters
    assert caught.value.allowed or len(parameters[caught.value.where]) != 1


def test_models_without_places_answer_shuffled_patches_as_the_image(source, tmp_path):
    n = source.image_px // 4
    probe = make("suppression", source, tmp_path, patches=(n, 2))
    intact = images_of(probe, "intact")
    sets = pixel_set_mlp(num_classes=10, image_px=source.image_px)
    for arm in (f"patch_shuffle_{n}", "patch_shuffle_2", f"patch_rotation_{n}"):
        assert not (images_of(probe, arm) == intact).all(axis=(1, 2, 3)).any()
        torch.testing.assert_close(answers(sets, images_of(probe, arm)), answers(sets, intact))
    patches = nn.Sequential(  # a bag of patches of 4 px that do not overlap
        nn.Conv2d(3, 16, 4, 4), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)
    )
    for arm, alike in ((f"patch_shuffle_{n}", True), (f"patch_rotation_{n}", False)):
        same = torch.allclose(
            answers(patches, images_of(probe, arm)), answers(patches, intact), atol=1e-5
        )
        assert same == alike, arm


def test_patches_keep_their_insides_and_rotation_their_places(source, tmp_path):
    n = 4
    side = source.image_px // n
    probe = make("suppression", source, tmp_path, patches=(n,))
    intact = images_of(probe, "intact")

    def pieces(images):
        rows = [np.split(image, n, axis=0) for image in images]
        return [[p for row in image for p in np.split(row, n, axis=1)] for image in rows]

    before = pieces(intact)
    for old, new in zip(before, pieces(images_of(probe, "patch_shuffle_4")), strict=True):
        assert sorted(p.tobytes() for p in old) == sorted(p.tobytes() for p in new)
    for old, new in zip(before, pieces(images_of(probe, "patch_rotation_4")), strict=True):
        for piece, turned in zip(old, new, strict=True):
            assert turned.shape == (side, side, 3)
            assert any((np.rot90(piece, k) == turned).all() for k in (1, 2, 3))


def test_smoothing_is_as_strong_as_the_blur_and_keeps_edges(pictures, tmp_path):
    probe = make("suppression", pictures, tmp_path, num_images=120)
    change = {arm: probe.conditions["change"][probe.conditions["arm"] == arm] for arm in probe.arms}
    kept = change["edge_preserving"] / change["blur"]
    assert np.all(kept < 1.05)
    steps = [
        np.abs(np.diff(images_of(probe, arm).astype(int), axis=2)).max(axis=(1, 2, 3))
        for arm in ("edge_preserving", "blur")
    ]
    assert np.median(steps[0] / steps[1]) > 1.5  # the steepest edge of an image stays steep


def test_smoothing_meets_its_strength_and_keeps_the_mean():
    rng = np.random.default_rng(0)
    images = np.clip(rng.normal(128, 12, (8, 16, 16, 3)), 0, 255).astype(np.uint8)
    wanted = np.linspace(0, 8, 8)
    flat = smoothed(images, wanted)
    change = np.sqrt(((flat - images) ** 2).mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(change, wanted, atol=1e-3)
    np.testing.assert_allclose(  # heat flows between pixels and is not lost
        flat.mean(axis=(1, 2)), images.mean(axis=(1, 2)), atol=1e-3
    )


def test_grey_and_shuffled_channels(source, tmp_path):
    probe = make("suppression", source, tmp_path, patches=(2,))
    intact, grey = images_of(probe, "intact"), images_of(probe, "grey")
    assert np.ptp(grey, axis=3).max() == 0
    luma = intact @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey[..., 0] - luma).max() <= 0.5 + 1e-3
    shuffled = images_of(probe, "channel_shuffle")
    np.testing.assert_array_equal(np.sort(shuffled, axis=3), np.sort(intact, axis=3))
    assert not (shuffled == intact).all(axis=(1, 2, 3)).any()


def test_powers_of_bands_add_up_to_the_images(source):
    """Parseval, for bands that cover every frequency once."""
    images = source.images[:6].astype(np.float32)
    px = source.image_px
    edges = [0, 1, 3, px / 4, px]
    bands = [band(images, low, high) for low, high in itertools.pairwise(edges)]
    np.testing.assert_allclose(sum(bands), images, atol=1e-2)
    powers = sum((each.astype(float) ** 2).sum(axis=(1, 2)) for each in bands)
    np.testing.assert_allclose(powers, (images.astype(float) ** 2).sum(axis=(1, 2)), rtol=1e-5)


def test_a_wave_is_in_its_band_alone():
    y, x = np.mgrid[:32, :32]
    wave = np.cos(2 * np.pi * (3 * y + 4 * x) / 32).astype(np.float32)[None, :, :, None]  # radius 5
    np.testing.assert_allclose(band(wave, 4, 5), wave, atol=1e-5)
    np.testing.assert_allclose(band(wave, 0, 4.9), 0, atol=1e-5)
    np.testing.assert_allclose(band(wave, 5, 9), 0, atol=1e-5)


def test_low_and_high_pass_share_the_image(pictures, tmp_path):
    probe = make("frequency", pictures, tmp_path, cycles=(3, 6))
    intact = images_of(probe, "intact").astype(float)
    for c in (3, 6):
        low, high = (images_of(probe, f"{kind}_pass_{c}").astype(float) for kind in ("low", "high"))
        inside = (low > 0) & (low < 255) & (high > 0) & (high < 255)  # nothing was cut off
        assert inside.mean() > 0.9
        assert np.abs(low + high - 128 - intact)[inside].max() <= 1.01


def test_noise_has_its_contrast_in_every_octave(tmp_path):
    images = np.full((20, 64, 64, 3), 128, dtype=np.uint8)
    labels = np.zeros(20, dtype=np.int64)
    flat = LabeledImages(images, labels, ("a",), fingerprint(images, labels))
    probe = make("frequency", flat, tmp_path, num_images=20, cycles=(2, 8, 16), contrast=0.08)
    for c in (2, 8, 16):
        noise = images_of(probe, f"noise_{c}").astype(float) - 128
        np.testing.assert_allclose(noise.std(axis=(1, 2)), 0.08 * 255, rtol=0.02)
        spectrum = np.abs(np.fft.fft2(noise, axes=(1, 2))) ** 2
        f = np.fft.fftfreq(64, 1 / 64)
        radius = np.hypot(f[:, None], f[None, :])
        octave = (radius > c) & (radius <= 2 * c)
        assert spectrum[:, octave].sum() / spectrum.sum() > 0.98  # the rest is rounding


def test_circular_convolutions_do_not_see_a_shift(source, tmp_path):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, padding_mode="circular"),
        nn.ReLU(),
        nn.Conv2d(8, 8, 5, padding=2, padding_mode="circular"),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 10),
    )
    probe = make("translation", source, tmp_path, shifts=(1, 3, 5))
    centred = images_of(probe, "centred")
    for shift in (1, 3, 5):
        shown = images_of(probe, f"shift_{shift}")
        assert not (shown == centred).all(axis=(1, 2, 3)).any()
        torch.testing.assert_close(
            answers(network, shown), answers(network, centred), atol=1e-5, rtol=1e-4
        )


def test_a_shift_moves_the_same_piece_by_its_pixels_in_one_direction(source, tmp_path):
    probe = make("translation", source, tmp_path, shifts=(2, 4))
    centred = images_of(probe, "centred")
    directions = []
    for shift in (2, 4):
        found = []
        for image, still in zip(images_of(probe, f"shift_{shift}"), centred, strict=True):
            steps = [(-shift, 0), (shift, 0), (0, -shift), (0, shift)]
            found.append([np.array_equal(np.roll(still, step, (0, 1)), image) for step in steps])
        assert np.sum(found, axis=1).tolist() == [1] * 40
        directions.append(np.argmax(found, axis=1))
    np.testing.assert_array_equal(*directions)
    assert len(set(directions[0])) == 4


def test_scales_have_controls_of_the_same_detail_and_content(pictures, tmp_path):
    probe = make("scale", pictures, tmp_path, scales=(0.5, 2.0))
    assert probe.arms == ("scale_0.5", "scale_2", "resampled_0.5", "cropped_2", "intact")
    intact = images_of(probe, "intact").astype(float)
    small = images_of(probe, "scale_0.5")
    assert (small[:, :8] == 128).all() and (small[:, -8:] == 128).all()
    assert (small[:, :, :8] == 128).all() and (small[:, :, -8:] == 128).all()
    averaged = intact[:, 8:24, 8:24]  # the cropped control holds the middle as it is
    np.testing.assert_array_equal(images_of(probe, "cropped_2")[:, 8:24, 8:24], averaged)
    back, enlarged = images_of(probe, "resampled_0.5"), images_of(probe, "scale_2")
    assert np.abs(back.astype(float).mean((1, 2)) - intact.mean((1, 2))).max() < 1.5
    tensor = torch.from_numpy(averaged.transpose(0, 3, 1, 2).copy())
    wanted = torch.nn.functional.interpolate(tensor, size=(32, 32), mode="bilinear")
    assert np.abs(enlarged - wanted.numpy().transpose(0, 2, 3, 1)).max() <= 1


def test_turns_move_the_disc_and_nothing_else(source, tmp_path):
    probe = make("rotation", source, tmp_path, degrees=(90.0, 180.0, 30.0))
    disc = images_of(probe, "disc")
    assert (disc[:, 0, 0] == 128).all()
    for image, still in zip(images_of(probe, "rotation_90"), disc, strict=True):
        assert any((np.rot90(still, k) == image).all() for k in (1, 3))
    np.testing.assert_array_equal(images_of(probe, "rotation_180"), disc[:, ::-1, ::-1])
    assert "turned_back_30" in probe.arms and "turned_back_90" not in probe.arms


def test_a_turn_by_half_and_half_is_upright(pictures, tmp_path):
    probe = make("rotation", pictures, tmp_path, degrees=(40.0,))
    disc, back, turned = (
        images_of(probe, arm).astype(float) for arm in ("disc", "turned_back_40", "rotation_40")
    )
    away = [np.abs(images - disc).mean(axis=(1, 2, 3)) for images in (back, turned)]
    assert np.all(away[0] < away[1])


@pytest.mark.parametrize("grid", [2, 4])
def test_so_many_cells_are_hidden_and_the_rest_is_the_image(grid, source, tmp_path):
    shares = (0.75, 0.5) if grid == 4 else (0.5, 0.25)
    probe = make("occlusion", source, tmp_path, grid=grid, shares=shares)
    intact = images_of(probe, "intact")
    side = source.image_px // grid
    masks = {}
    for share in shares:
        for arm in (f"hidden_{share:g}", f"block_{share:g}"):
            shown = images_of(probe, arm)
            grey = (shown == 128).all(axis=3)
            cells = grey.reshape(40, grid, side, grid, side).all(axis=(2, 4))
            rows = probe.conditions["arm"] == arm
            np.testing.assert_allclose(cells.mean(axis=(1, 2)), probe.conditions["hidden"][rows])
            kept = ~cells.repeat(side, 1).repeat(side, 2)
            np.testing.assert_array_equal(shown[kept], intact[kept])
            masks[arm] = cells
    large, small = (masks[f"hidden_{share:g}"] for share in shares)
    assert (large | ~small).all()
    assert len({mask.tobytes() for mask in large}) > 3


def test_a_bag_of_local_features_hears_only_seams_of_shuffled_patches(pictures, tmp_path):
    """Its features reach across the patches' borders: close to what it said, and not the same."""
    torch.manual_seed(0)
    bag = bag_of_local_features(num_classes=4, image_px=32)
    probe = make("suppression", pictures, tmp_path, patches=(2, 16))
    said = {arm: answers(bag, images_of(probe, arm)) for arm in probe.arms}
    far = {arm: (said[arm] - said["intact"]).square().mean().item() for arm in said}
    assert 0 < far["patch_shuffle_2"] < far["patch_shuffle_16"]

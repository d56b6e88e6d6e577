"""Interventions on images: closed forms, and that all splits and probes are moved alike."""

import numpy as np
import pytest
import torch

from priorscope.data import LabeledImages, fingerprint
from priorscope.data._label_noise import with_label_noise
from priorscope.errors import InputError
from priorscope.interventions.permute_patches import permute_patches
from priorscope.interventions.permute_pixels import permute_pixels
from priorscope.interventions.permute_within_patches import permute_within_patches
from priorscope.runs.prepare import build_probes, load_data
from priorscope.study.load import parse_study
from priorscope.training.augment import augment

STUDY = """
name: s
data: {name: synthetic, num_train: 60, num_test: 40, intervention: INTERVENTION}
recipe: {epochs: 1}
models: {vit: {name: vit_nano}}
probes: {background: {name: large_background, num_images: 10, canvas_px: 64}}
"""


def rearranged(order, images):
    return images.reshape(len(images), -1, 3)[:, order].reshape(images.shape)


def tiles(images, px):
    """Cut images into tiles by slicing: [n, rows, columns, px, px, 3]."""
    side = images.shape[1] // px
    cut = [
        [images[:, r * px : (r + 1) * px, c * px : (c + 1) * px] for c in range(side)]
        for r in range(side)
    ]
    return np.stack([np.stack(row, axis=1) for row in cut], axis=1)


def multiset(pixels):
    """Sort pixels, [..., 3], by their 24 bits."""
    flat = pixels.reshape(-1, 3).astype(np.int64) @ [65536, 256, 1]
    return np.sort(flat).tolist()


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_permuted_pixels_keep_the_images_colours_and_lose_neighbours(images, rng):
    order = permute_pixels(image_px=32, rng=rng)
    smooth = np.broadcast_to(np.arange(32, dtype=np.uint8)[None, :, None, None], (1, 32, 32, 3))
    moved = rearranged(order, smooth)
    assert multiset(moved) == multiset(smooth)
    rows = moved[0, :, :, 0].astype(float)
    neighbours = np.corrcoef(rows[:-1].ravel(), rows[1:].ravel())[0, 1]
    assert abs(neighbours) < 0.1, "a gradient correlates by 1 with its neighbours before"


def test_within_patches_every_patch_keeps_its_pixels_and_its_place(images, rng):
    moved = rearranged(permute_within_patches(image_px=16, rng=rng, patch_px=4), images)
    before, after = tiles(images, 4), tiles(moved, 4)
    assert not np.array_equal(before, after)
    for place in np.ndindex(before.shape[:3]):
        assert multiset(before[place]) == multiset(after[place])
    # All patches share the permutation: what stands first comes from one place in every patch.
    first = after[:, :, :, 0, 0]
    sources = [(r, c) for r, c in np.ndindex(4, 4) if np.array_equal(before[:, :, :, r, c], first)]
    assert len(sources) == 1


def test_patches_that_move_stay_whole(images, rng):
    moved = rearranged(permute_patches(image_px=16, rng=rng, patch_px=4), images)
    before, after = tiles(images, 4), tiles(moved, 4)
    assert not np.array_equal(before, after)
    for image in range(len(images)):
        shown = sorted(patch.tobytes() for patch in before[image].reshape(-1, 4, 4, 3))
        assert shown == sorted(patch.tobytes() for patch in after[image].reshape(-1, 4, 4, 3))


def test_a_linear_model_cannot_tell(images, rng):
    """Least squares on permuted pixels predicts what it predicts on the pixels themselves."""
    order = permute_pixels(image_px=16, rng=rng)
    train, test = (rng.integers(0, 256, (n, 16, 16, 3), dtype=np.uint8) for n in (40, 10))
    answers = rng.normal(size=40)

    def predicted(train, test):
        flat, more = (part.reshape(len(part), -1) / 255 for part in (train, test))
        return more @ np.linalg.lstsq(flat, answers, rcond=None)[0]

    natural = predicted(train, test)
    np.testing.assert_allclose(
        predicted(rearranged(order, train), rearranged(order, test)), natural, atol=1e-8
    )
    with pytest.raises(AssertionError):  # as it could if train and test were moved differently
        np.testing.assert_allclose(predicted(rearranged(order, train), test), natural, atol=1e-8)


@pytest.mark.parametrize("name", ["permute_pixels", "permute_within_patches", "permute_patches"])
def test_train_test_and_probes_are_moved_by_one_permutation(name, tmp_path):
    """What networks see of every part is what they saw before, moved: one object does it all."""
    natural, moved = (
        load_data(parse_study(STUDY.replace("INTERVENTION", each), base=tmp_path), tmp_path)
        for each in ("none", f"{{name: {name}, seed: 4}}")
    )
    order = torch.from_numpy(moved.preprocess.rearrangement.order)
    study = parse_study(STUDY.replace("INTERVENTION", name), base=tmp_path)
    probes = build_probes(study, moved.dataset)
    for part in (moved.train, moved.test, probes["test"], probes["background"]):
        batch = torch.from_numpy(part.images[:8])
        before = natural.preprocess(batch).flatten(2)
        assert torch.equal(moved.preprocess(batch).flatten(2), before[:, :, order])
    assert moved.train.fingerprint == natural.train.fingerprint, "the images themselves stay"
    assert moved.preprocess.mean == natural.preprocess.mean
    assert moved.fingerprints()["intervention"]
    assert "intervention" not in natural.fingerprints()


def test_augmentation_shifts_what_an_image_shows_before_its_pixels_are_moved(tmp_path):
    """Both orders differ, and it is the first that keeps a moved shift a shift."""
    data = load_data(
        parse_study(STUDY.replace("INTERVENTION", "permute_pixels"), base=tmp_path), tmp_path
    )
    batch = torch.from_numpy(data.train.images[:4])
    shifted = augment(batch, ("horizontal_flip",), torch.Generator().manual_seed(2))
    assert not torch.equal(shifted, batch)
    order = torch.from_numpy(data.preprocess.rearrangement.order)
    back = torch.empty_like(order)
    back[order] = torch.arange(len(order))
    seen = data.preprocess(shifted).flatten(2)[:, :, back].view(4, 3, 32, 32)
    plain = data.preprocess(batch).flatten(2)[:, :, back].view(4, 3, 32, 32)
    for one, other in zip(seen, plain, strict=True):
        assert torch.equal(one, other) or torch.equal(one, other.flip(2))


def test_the_seed_of_an_intervention_is_part_of_what_a_run_records(tmp_path):
    def recorded(text):
        study = parse_study(STUDY.replace("INTERVENTION", text), base=tmp_path)
        return load_data(study, tmp_path).fingerprints()["intervention"]

    seeds = [recorded(f"{{name: permute_pixels, seed: {seed}}}") for seed in (0, 0, 1)]
    assert seeds[0] == seeds[1] != seeds[2]
    assert recorded("permute_pixels") == seeds[0], "the seed is 0 where none is given"


def test_an_intervention_of_ones_own_must_be_a_permutation(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "def mirror(*, image_px, rng):\n"
        "    return np.arange(image_px**2).reshape(image_px, -1)[:, ::-1].ravel()\n"
        "def blank(*, image_px, rng): return np.zeros(image_px**2, dtype=int)\n"
    )

    def load(name):
        text = STUDY.replace("INTERVENTION", f"'./mine.py:{name}'")
        return load_data(parse_study(text, base=tmp_path), tmp_path)

    data = load("mirror")
    images = data.test.images[:3]
    assert np.array_equal(data.preprocess.rearrangement(images), images[:, :, ::-1])
    with pytest.raises(InputError, match="must return a permutation"):
        load("blank")


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.99])
def test_label_noise_changes_exactly_its_fraction_and_nothing_else(fraction):
    labels = np.arange(1000) % 4
    pixels = np.zeros((1000, 2, 2, 3), dtype=np.uint8)
    clean = LabeledImages(pixels, labels, tuple("abcd"), fingerprint(pixels, labels))
    noisy = with_label_noise(clean, fraction=fraction, rng=np.random.default_rng(0))
    changed = noisy.labels != labels
    assert changed.sum() == round(1000 * fraction)
    assert noisy.images is pixels
    assert np.array_equal(clean.labels, np.arange(1000) % 4)
    assert (noisy.fingerprint == clean.fingerprint) == (fraction == 0)
    if fraction == 0.99:  # every other class is as likely: 990 draws, 4 standard deviations
        steps = np.bincount((noisy.labels - labels)[changed] % 4, minlength=4)[1:]
        assert np.abs(steps - 330).max() < 4 * np.sqrt(990 * 2 / 9)


def test_at_the_noise_that_controls_are_at_chance_with_labels_say_nothing_of_images():
    labels = np.arange(8000) % 4
    pixels = np.zeros((8000, 1, 1, 3), dtype=np.uint8)
    clean = LabeledImages(pixels, labels, tuple("abcd"), fingerprint(pixels, labels))
    noisy = with_label_noise(clean, fraction=3 / 4, rng=np.random.default_rng(0)).labels
    table = np.bincount(4 * labels + noisy, minlength=16)
    # Every pair of classes as often: 500 each, of independent draws with 4 standard deviations.
    assert np.abs(table - 500).max() < 4 * np.sqrt(2000 * 3 / 16)


def test_label_noise_is_nested_and_for_training_only(tmp_path):
    def load(fraction):
        text = STUDY.replace("intervention: INTERVENTION", f"label_noise: {fraction}")
        text = text.replace("num_test: 40", "num_test: 40, held_out_fraction: 0.2")
        return load_data(parse_study(text, base=tmp_path), tmp_path)

    clean, some, more = (load(fraction) for fraction in (0, 0.2, 0.5))
    wrong = some.train.labels != clean.train.labels
    assert wrong.sum() == 10
    assert np.array_equal(some.train.labels[wrong], more.train.labels[wrong])
    for part in ("held_out", "test"):
        assert getattr(more, part).fingerprint == getattr(clean, part).fingerprint
    with pytest.raises(InputError, match="less than 1"):
        load(1)

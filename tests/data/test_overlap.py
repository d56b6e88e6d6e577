"""Copies between and within splits: counted by hand, found however they were stored, said once."""

import io
import itertools
import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from scipy.ndimage import gaussian_filter

from priorscope.data import Dataset, LabeledImages, Overlap, cache_root, fingerprint
from priorscope.data._copies import near_copies, waves
from priorscope.data._overlap import class_warnings, count_overlap
from priorscope.data.synthetic import synthetic


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))


def labeled(images, labels, num_classes=2):
    labels = np.asarray(labels, dtype=np.int64)
    names = tuple("abcdefghij"[:num_classes])
    return LabeledImages(images, labels, names, fingerprint(images, labels))


def noise(number, seed=0, px=8):
    return np.random.default_rng(seed).integers(0, 256, (number, px, px, 3), dtype=np.uint8)


def pictures(number, px=32, seed=0):
    """Draw coloured clouds: like photographs, most of what they show is coarse."""
    rng = np.random.default_rng(seed)
    fine = rng.normal(size=(number, px, px, 3))
    coarse = gaussian_filter(rng.normal(size=(number, px, px, 3)), (0, px / 8, px / 8, 0))
    mixed = coarse / coarse.std() + 0.2 * fine
    return np.clip(128 + 45 * mixed, 0, 255).astype(np.uint8)


def changed(images, change):
    return np.stack([np.asarray(change(Image.fromarray(image))) for image in images])


def stored(form, **options):
    def store(image):
        file = io.BytesIO()
        image.save(file, form, **options)
        return Image.open(file).convert("RGB")

    return store


def test_exact_copies_are_counted(tmp_path):
    images = noise(20)
    train = labeled(images[:12], [0, 1] * 6)
    # Of 12 test images: 5 copies of training images, two of them the same one; two test images
    # twice, of which one is that same one.
    chosen = [0, 1, 2, 3, 3, 12, 13, 14, 15, 16, 17, 17]
    test = labeled(images[chosen], [0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0])
    found = count_overlap(train, test)
    assert asdict(found) == {
        "num_train": 12,
        "num_test": 12,
        "exact_in_train": 5,
        "near_in_train": 0,
        "exact_in_test": 2,
        "near_in_test": 0,
        "two_labels": 1,  # image 17, within the test split
    }
    pairs = itertools.combinations(
        [
            *zip(train.images, train.labels, strict=True),
            *zip(test.images, test.labels, strict=True),
        ],
        2,
    )
    contradictions = {
        a.tobytes() for (a, first), (b, second) in pairs if np.array_equal(a, b) and first != second
    }
    assert len(contradictions) == found.two_labels


STORED_ANEW = {
    "JPEG of quality 90": stored("JPEG", quality=90),
    "JPEG of quality 50": stored("JPEG", quality=50),
    "JPEG of quality 30": stored("JPEG", quality=30),
    "WebP": stored("WEBP", quality=50),
    "a palette": lambda image: image.quantize(256).convert("RGB"),
    "3/4 of the size and back": lambda image: image.resize((24, 24)).resize((32, 32)),
    "half the size and back": lambda image: image.resize((16, 16)).resize((32, 32)),
    "less contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.7),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
}


@pytest.mark.parametrize("name", STORED_ANEW)
def test_a_picture_that_is_stored_anew_is_a_near_copy(name):
    images = pictures(300)
    train = labeled(images[:200], [0, 1] * 100)
    test = labeled(changed(images[100:], STORED_ANEW[name]), [0, 1] * 100)
    found = count_overlap(train, test)
    assert found.exact_in_train == found.near_in_test == 0
    assert 98 <= found.near_in_train <= 100, "100 test images are training images stored anew"


@pytest.mark.parametrize("px", [8, 32, 50, 200])
def test_near_copies_are_found_at_any_size_and_before_each_image_only(px):
    images = pictures(30, px)
    again = changed(images[:10], stored("JPEG", quality=90, subsampling=0))
    both = np.concatenate([images, again])
    expected = np.arange(40) >= 30
    of_both = waves(both)
    found = near_copies(both, both, of_both, of_both, before=True)
    np.testing.assert_array_equal(found, expected)
    found = near_copies(again, images[5:], waves(again), waves(images[5:]))
    np.testing.assert_array_equal(found, np.arange(10) >= 5)


def test_other_pictures_mirrored_ones_and_those_without_contrast_are_no_near_copies():
    images = pictures(400)
    flat = np.full((5, 32, 32, 3), np.arange(5)[:, None, None, None] * 20, np.uint8)
    flat[:, 3, 3:6] += 9  # a speck is no picture yet
    train = labeled(np.concatenate([images[:200], flat]), [0] * 205)
    others = np.concatenate([images[200:], images[:50, :, ::-1], flat + 3])
    found = count_overlap(train, labeled(others, [0] * 255))
    assert found.exact_in_train == found.near_in_train == found.exact_in_test == 0
    assert found.near_in_test == 0


def test_the_same_brightness_in_other_colours_is_no_near_copy():
    rng = np.random.default_rng(0)
    shape = gaussian_filter(rng.normal(size=(1, 32, 32)), (0, 3, 3))
    shape = (shape > 0).astype(float)
    red = np.stack([255 * shape, 0 * shape, 0 * shape], axis=-1).astype(np.uint8)
    blue = np.stack([0 * shape, 0 * shape, 255 * shape], axis=-1).astype(np.uint8)
    assert np.linalg.norm(waves(red) - waves(blue)) < 0.01
    assert not near_copies(blue, red, waves(blue), waves(red)).any()


@pytest.mark.parametrize(
    "parameters",
    [{"task": "objects"}, {"task": "near_relation"}, {"task": "relation", "distance": 3}],
)
def test_drawn_images_are_not_warned_of(tmp_path, parameters):
    dataset = synthetic(root=tmp_path, num_train=4000, num_test=1000, **parameters)
    assert dataset.overlap.exact_in_train == dataset.overlap.exact_in_test == 0
    assert dataset.overlap.near_in_train <= 2 and not dataset.overlap.above_share
    assert dataset.remarks()["warnings"] == []


def overlap(**counts):
    names = ("exact_in_train", "near_in_train", "exact_in_test", "near_in_test", "two_labels")
    return Overlap(1000, 1000, **dict.fromkeys(names, 0) | counts)


@pytest.mark.parametrize(
    ("counts", "above"),
    [
        ({}, False),
        ({"exact_in_train": 10, "near_in_train": 50}, False),
        ({"exact_in_train": 11}, True),
        ({"near_in_train": 51}, True),
        ({"exact_in_test": 500, "near_in_test": 500, "two_labels": 500}, False),
    ],
)
def test_verdicts_have_to_say_so_above_1_percent_exact_or_5_percent_near(counts, above):
    assert overlap(**counts).above_share == above


def test_below_its_share_a_count_is_a_note_and_above_it_a_warning():
    few = overlap(exact_in_train=3, near_in_train=1, near_in_test=2, two_labels=20)
    assert few.warnings() == ()
    assert few.notes() == (
        "of 1,000 test images 3 (0.3 %) are exact copies of one of 1,000 training images, "
        "1 (0.1 %) near ones",
        "of 1,000 test images 0 (0 %) are exact copies of an earlier test image, "
        "2 (0.2 %) near ones",
        "of 2,000 images 20 stand under more than one class",
    )
    many = overlap(exact_in_train=30, near_in_test=60, two_labels=21)
    assert many.notes() == ()
    known, repeated, contradictory = many.warnings()
    assert "30 (3 %) are exact copies of one of 1,000 training images" in known
    assert "by heart: keep one of each" in known
    assert "60 (6 %) near ones" in repeated and "count each anew: keep one" in repeated
    assert "21 stand under more than one class: correct" in contradictory
    assert overlap().notes() == overlap().warnings() == ()


def test_classes_without_images_and_a_test_split_of_one_class_are_warned_of():
    train = labeled(noise(6), [0, 1, 1, 0, 1, 0], num_classes=3)
    test = labeled(noise(4, seed=1), [1] * 4, num_classes=3)
    missing, absent, constant = class_warnings(train, test)
    assert "1 of 3 classes have no training image: 'c'" in missing
    assert "2 of 3 classes have no test image: 'a', 'c'" in absent
    assert "all test images are of class 'b'" in constant
    assert class_warnings(train, labeled(noise(3), [0, 1, 2], num_classes=3)) == (missing,)


def test_what_a_component_says_and_what_is_counted_stand_together():
    images = noise(10)
    dataset = Dataset(
        "mine", labeled(images, [0, 1] * 5), labeled(images[:4], [0, 1, 0, 1]), ("n",), ("w",)
    )
    said = json.loads(json.dumps(dataset.remarks()))  # plain values
    assert said["notes"] == ["n"] and said["warnings"][0] == "w"
    assert "4 (100 %) are exact copies" in said["warnings"][1]
    assert Overlap(**said["overlap"]) == dataset.overlap


def test_counts_are_kept_and_damage_is_found(tmp_path):
    train, test = labeled(noise(10), [0, 1] * 5), labeled(noise(6, seed=1), [0, 1] * 3)
    found = count_overlap(train, test)
    (path,) = (cache_root() / "overlap").iterdir()
    kept = path.read_text()
    # What is kept is believed while it is whole: no image is looked at.
    blind = LabeledImages(np.zeros_like(train.images), train.labels, ("a", "b"), train.fingerprint)
    assert count_overlap(blind, test) == found
    for damaged in (kept.replace(": 10", ": 11"), kept[:-5], "", "[]", "{}"):
        path.write_text(damaged)
        assert count_overlap(train, test) == found
        assert path.read_text() == kept
    shutil.rmtree(cache_root())
    cache_root().write_text("")  # a cache that cannot be written only costs time
    assert count_overlap(train, test) == found


def test_empty_and_tiny_splits():
    none, one = labeled(noise(0), []), labeled(noise(1), [0])
    for train, test in itertools.product((none, one), repeat=2):
        found = count_overlap(train, test)
        assert found.exact_in_train == (len(train) == len(test) == 1)
        assert found.near_in_test == found.two_labels == 0

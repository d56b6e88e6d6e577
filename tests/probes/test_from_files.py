"""Probes that read what others made: small files in their formats."""

import numpy as np
import pytest
from PIL import Image

from priorscope.data import LabeledImages, fingerprint
from priorscope.errors import InputError, PriorscopeWarning
from priorscope.probes.corruptions import corruptions
from priorscope.probes.unseen_set import unseen_set

NAMES = ("cat", "dog", "ship")


def images_of(n=30, px=8, seed=0, names=NAMES):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, px, px, 3), dtype=np.uint8)
    labels = np.arange(n) % len(names)
    return LabeledImages(images, labels, names, fingerprint(images, labels))


@pytest.fixture
def corrupted(tmp_path):
    """Darken by the severity, and mark each file, in CIFAR-10-C's layout."""
    source = images_of()
    for mark, name in enumerate(("fog", "gaussian_noise")):
        made = [np.maximum(source.images // (1 + severity), 0) + mark for severity in range(1, 6)]
        np.save(tmp_path / f"{name}.npy", np.concatenate(made).astype(np.uint8))
    np.save(tmp_path / "labels.npy", np.tile(source.labels, 5))
    return source, tmp_path


def rng():
    return np.random.default_rng(0)


def test_every_arm_shows_the_same_images_at_its_severity(corrupted):
    source, path = corrupted
    probe = corruptions(source, rng=rng(), path=path, severities=(5, 1), num_images=12)
    assert probe.arms == ("fog_5", "fog_1", "gaussian_noise_5", "gaussian_noise_1", "intact")
    arm = probe.conditions["arm"]
    intact = probe.images[arm == "intact"]
    for mark, name in enumerate(("fog", "gaussian_noise")):
        for severity in (5, 1):
            rows = arm == f"{name}_{severity}"
            assert np.array_equal(probe.images[rows], intact // (1 + severity) + mark)
            assert set(probe.conditions["severity"][rows]) == {severity}
            assert set(probe.conditions["corruption"][rows]) == {name}
    places = [int(np.flatnonzero((source.images == i).all(axis=(1, 2, 3)))[0]) for i in intact]
    assert np.array_equal(source.labels[places], probe.targets[arm == "intact"])


def test_files_that_are_not_of_these_test_images_are_refused(corrupted):
    source, path = corrupted
    with pytest.raises(InputError, match="unknown corruption: fogg") as caught:
        corruptions(source, rng=rng(), path=path, names=("fogg",), num_images=3)
    assert "fog" in str(caught.value)
    other = source.take(np.roll(np.arange(30), 1))
    with pytest.raises(InputError, match="in their order"):
        corruptions(other, rng=rng(), path=path, num_images=3)
    with pytest.raises(InputError, match="five severities"):
        corruptions(source.take(np.arange(20)), rng=rng(), path=path, num_images=3)
    np.save(path / "fog.npy", np.zeros((150, 8, 8, 3), dtype=np.float32))
    with pytest.raises(InputError, match=r"uint8 \[150"):
        corruptions(source, rng=rng(), path=path, num_images=3)
    np.save(path / "fog.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(InputError, match="not an array"):
        corruptions(source, rng=rng(), path=path, num_images=3)
    with pytest.raises(InputError, match="no corrupted images"):
        corruptions(source, rng=rng(), path=path / "absent", num_images=3)


def write_folder(path, by_class):
    for name, images in by_class.items():
        (path / name).mkdir(parents=True)
        for number, image in enumerate(images):
            Image.fromarray(image).save(path / name / f"{number}.png")


def test_classes_are_matched_by_name_and_copies_of_training_images_counted(tmp_path):
    source, train = images_of(), images_of(seed=1)
    fresh = images_of(n=12, seed=2).images
    ships = [train.images[2], *fresh[:3]]
    for part in ("train", "test"):
        # In the order of their names cats come first here too, but ships second: dogs are absent.
        write_folder(tmp_path / part, {"ship": ships, "cat": list(fresh[4:8])})
    with pytest.warns(PriorscopeWarning, match="1 of 8 images of the unseen set are training"):
        probe = unseen_set(source, rng=rng(), train=train, path=tmp_path, options={"image_px": 8})
    arm = probe.conditions["arm"]
    assert probe.arms == ("unseen", "intact")
    for image, target in zip(probe.images[arm == "unseen"], probe.targets, strict=False):
        is_ship = any(np.array_equal(image, each) for each in ships)
        assert probe.class_names[target] == ("ship" if is_ship else "cat")
    assert set(probe.targets[arm == "intact"]) == {0, 2}
    assert probe.conditions["in_training"].sum() == 1


def test_a_class_that_the_study_has_not_is_refused_with_the_nearest_name(tmp_path):
    for part in ("train", "test"):
        ships, cats = images_of(n=3).images, images_of(n=3, seed=4).images
        write_folder(tmp_path / part, {"ships": ships, "cat": cats})
    with pytest.raises(InputError, match="ships") as caught:
        unseen_set(images_of(), rng=rng(), path=tmp_path, options={"image_px": 8})
    assert "ship" in str(caught.value.hint)
    with pytest.raises(InputError, match="another size"):
        unseen_set(images_of(px=16), rng=rng(), path=tmp_path, options={"image_px": 8})

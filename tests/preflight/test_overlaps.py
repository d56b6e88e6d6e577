"""Augmentations that overlap with a probe are named, and no others."""

import pytest

from priorscope.components import companion, listing, resolve
from priorscope.preflight.overlaps import CHANGES, overlaps

KINDS = {kind for kinds in CHANGES.values() for kind in kinds}


@pytest.mark.parametrize(
    ("probe", "augmentation", "word"),
    [
        ("translation", "random_crop", "translation"),
        ("scale", "random_resized_crop", "scale"),
        ("rotation", "autoaugment_cifar10", "rotation"),
        ("mosaic", "cutmix", "mixing"),
        ("suppression", "cutmix", "mixing"),
        ("suppression", "color_jitter", "colour"),
        ("occlusion", "random_erasing", "erasing"),
        ("frequency", "gaussian_blur", "blur"),
        ("rotation", "random_crop", None),
        ("translation", "horizontal_flip", None),
        ("large_background", "autoaugment_cifar10", None),
    ],
)
def test_overlaps_are_named(probe, augmentation, word, tmp_path):
    changed = companion(resolve("probes", probe, base=tmp_path), "OVERLAPS") or ()
    for recipe in ({"augment": [augmentation]}, {"augment": [], augmentation: 0.5}):
        found = overlaps(recipe, changed)
        assert len(found) == (word is not None)
        assert word is None or (augmentation in found[0] and word in found[0])


@pytest.mark.parametrize("probe", sorted(listing("probes")))
def test_probes_declare_what_some_augmentation_changes(probe, tmp_path):
    declared = companion(resolve("probes", probe, base=tmp_path), "OVERLAPS") or ()
    assert set(declared) <= KINDS

"""Augmentations that show in training what a probe shows in tests."""

from collections.abc import Mapping, Sequence
from typing import Any

# What each augmentation changes. A probe's file names in `OVERLAPS` what the probe changes.
_FREE = ("rotation", "translation", "shear", "colour", "blur")  # policies of many operations
CHANGES: dict[str, tuple[str, ...]] = {
    "random_crop": ("translation",),
    "random_resized_crop": ("translation", "scale"),
    "horizontal_flip": ("reflection",),
    "autoaugment_cifar10": _FREE,
    "autoaugment": _FREE,
    "randaugment": _FREE,
    "rand_augment": _FREE,
    "trivial_augment": _FREE,
    "mixup": ("mixing",),
    "cutmix": ("mixing", "erasing"),
    "random_erasing": ("erasing",),
    "color_jitter": ("colour",),
    "greyscale": ("colour",),
    "gaussian_blur": ("blur",),
    "gaussian_noise": ("noise",),
}


def overlaps(recipe: Mapping[str, Any], changed: Sequence[str]) -> list[str]:
    """Name the augmentations of a recipe that change what a probe changes, a clause each.

    Parameters
    ----------
    recipe : as values that JSON can hold
    changed : by the probe: its `OVERLAPS`
    """
    named = [*recipe.get("augment", ()), *(name for name in CHANGES if recipe.get(name))]
    found = {name: [c for c in CHANGES.get(name, ()) if c in changed] for name in named}
    return [
        f"the recipe's {name} trains on what this probe changes ({', '.join(shared)})"
        for name, shared in found.items()
        if shared
    ]

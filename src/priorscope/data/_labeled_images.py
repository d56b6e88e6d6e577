"""Images with labels, and what tells one set of them from another."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from priorscope.data._proportional import proportional_sample
from priorscope.errors import InputError


@dataclass(frozen=True, eq=False)
class NamedFactors:
    """How to draw images of a set whose classes each own one level of every factor.

    Attributes
    ----------
    names : of the factors, such as `shape`
    draw : (levels, rng) -> uint8 [n, height, width, 3]; `levels` has for every name the class whose
        level is shown, int64 [n], or -1 for none of them. Equal generators give images that differ
        in these levels alone
    """

    names: tuple[str, ...]
    draw: Callable[[Mapping[str, np.ndarray], np.random.Generator], np.ndarray]


@dataclass(frozen=True, eq=False)
class LabeledImages:
    """Images with one class each.

    Attributes
    ----------
    images : uint8 [n, height, width, 3], RGB; may be a read-only memory map
    labels : int64 [n], in 0 .. num_classes - 1
    class_names : one name a class
    fingerprint : 16 hex digits that change when any image, label or the order changes
    factors : what the images are drawn from, where that is known
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    fingerprint: str
    factors: NamedFactors | None = field(default=None)

    def __post_init__(self):
        if self.images.ndim != 4 or self.images.shape[3] != 3 or self.images.dtype != np.uint8:
            raise InputError(
                "images must be RGB bytes",
                found=f"{self.images.dtype} {list(self.images.shape)}",
                allowed="uint8 [n, height, width, 3]",
            )
        if self.labels.shape != (len(self.images),):
            raise InputError(
                "every image needs one label",
                found=f"{len(self.images)} images, labels of shape {list(self.labels.shape)}",
            )
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < self.num_classes:
            raise InputError(
                "label out of range",
                found=f"{self.labels.min()} .. {self.labels.max()}",
                allowed=f"0 .. {self.num_classes - 1}",
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def num_classes(self) -> int:
        """Count the classes, present or not."""
        return len(self.class_names)

    @property
    def image_px(self) -> int:
        """Return the side of the (square) images in pixels."""
        return self.images.shape[1]

    def take(self, indices: np.ndarray) -> "LabeledImages":
        """Select the images at `indices` (int [m]), in that order."""
        images, labels = self.images[indices], self.labels[indices]
        print_ = fingerprint(images, labels)
        return replace(self, images=images, labels=labels, fingerprint=print_)

    def thinned(self, most: int | None, rng: np.random.Generator) -> "LabeledImages":
        """Draw at most so many images, each class by its share; all of them where none is said."""
        if most is None or len(self) <= most:
            return self
        return self.take(proportional_sample([self.labels], most, rng))


def fingerprint(images: np.ndarray, labels: np.ndarray) -> str:
    """Hash shape, pixels and labels to 16 hex digits (SHA-256, cut)."""
    digest = hashlib.sha256(repr((images.shape, labels.shape)).encode())
    for start in range(0, len(images), 4096):  # a memory map is read piece by piece
        digest.update(np.ascontiguousarray(images[start : start + 4096]).data)
    digest.update(np.ascontiguousarray(labels, dtype=np.int64).data)
    return digest.hexdigest()[:16]

"""How many test images stand among the training images too, or twice in the test split."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass

import numpy as np

from priorscope.data._labeled_images import LabeledImages
from priorscope.data._locations import cache_root, keep

FORMAT = 1  # of what is kept
# Of the test images: from more than this on, verdicts have to say so.
EXACT_SHARE, NEAR_SHARE = 0.01, 0.05


@dataclass(frozen=True)
class Overlap:
    """What a dataset's splits share, in images.

    An exact copy has every pixel alike. A near copy is the same picture stored anew (in another
    quality, size, brightness or contrast), or one that hardly differs; a mirrored or shifted one is
    none. What has an exact copy is not counted as near.

    Attributes
    ----------
    num_train, num_test : images of the splits
    exact_in_train, near_in_train : test images with a copy among the training images
    exact_in_test, near_in_test : test images with a copy before them in the test split
    two_labels : different images, of both splits together, that stand under more than one class
    """

    num_train: int
    num_test: int
    exact_in_train: int
    near_in_train: int
    exact_in_test: int
    near_in_test: int
    two_labels: int

    @property
    def above_share(self) -> bool:
        """Tell whether verdicts must say that test images are known from training.

        That is from more than 1 % of exact copies on, or more than 5 % of near ones.
        """
        return self._is_above(self.exact_in_train, self.near_in_train)

    def notes(self) -> tuple[str, ...]:
        """Say what there is, but not so much that it is warned of, one line each."""
        return tuple(line for line, warned in self._lines() if not warned)

    def warnings(self) -> tuple[str, ...]:
        """Warn of copies above the shares, and of labels that contradict each other."""
        return tuple(line for line, warned in self._lines() if warned)

    def _is_above(self, exact: int, near: int) -> bool:
        return exact > EXACT_SHARE * self.num_test or near > NEAR_SHARE * self.num_test

    def _lines(self) -> Iterator[tuple[str, bool]]:
        """Say each in one line, and whether it is above its share."""
        known, repeated = f"one of {self.num_train:,} training images", "an earlier test image"
        for exact, near, of, then in (
            (self.exact_in_train, self.near_in_train, known, "models may know them by heart"),
            (self.exact_in_test, self.near_in_test, repeated, "intervals count each anew"),
        ):
            if exact or near:
                line = f"of {self.num_test:,} test images {self._share(exact)} are exact copies "
                line += f"of {of}, {self._share(near)} near ones"
                above = self._is_above(exact, near)
                yield line + (f", and {then}: keep one of each" if above else ""), above
        if self.two_labels:
            total = self.num_train + self.num_test
            line = f"of {total:,} images {self.two_labels:,} stand under more than one class"
            above = self.two_labels > EXACT_SHARE * total
            yield line + (": correct or remove them" if above else ""), above

    def _share(self, number: int) -> str:
        return f"{number:,} ({100 * number / self.num_test:.3g} %)"


def class_warnings(train: LabeledImages, test: LabeledImages) -> tuple[str, ...]:
    """Warn of classes without images, and of a test split of one class."""
    found = []
    for name, images in (("training", train), ("test", test)):
        counts = np.bincount(images.labels, minlength=images.num_classes)
        empty = [images.class_names[i] for i in np.flatnonzero(counts == 0)]
        if empty and len(images):
            more = ", ..." if len(empty) > 8 else ""
            found.append(
                f"{len(empty):,} of {images.num_classes:,} classes have no {name} image: "
                f"{', '.join(map(repr, empty[:8]))}{more}; add some, or leave the classes out"
            )
    present = np.unique(test.labels)
    if len(present) == 1 and test.num_classes > 1:
        name = test.class_names[present[0]]
        found.append(f"all test images are of class {name!r}: one constant answer scores 100 %")
    return tuple(found)


def count_overlap(train: LabeledImages, test: LabeledImages) -> Overlap:
    """Count copies between and within splits; what was counted is kept beside decoded images.

    60,000 images of 32 px take about 3 s, once.
    """
    path = cache_root() / "overlap" / f"{train.fingerprint}-{test.fingerprint}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):  # absent or damaged
        stored = json.loads(path.read_bytes())
        if stored["digest"] == _digest_of(stored["counts"]):
            return Overlap(**stored["counts"])
    overlap = _count(train, test)
    counts = asdict(overlap)
    keep(json.dumps({"digest": _digest_of(counts), "counts": counts}), path)
    return overlap


def _count(train: LabeledImages, test: LabeledImages) -> Overlap:
    from priorscope.data._copies import digests, near_copies, waves

    of_train, of_test = digests(train.images), digests(test.images)
    known, seen, repeated = set(of_train), set(), []
    for digest in of_test:
        repeated.append(digest in seen)
        seen.add(digest)
    exact_in_train = np.array([digest in known for digest in of_test], dtype=bool)
    exact_in_test = np.array(repeated, dtype=bool)
    waves_of_test = waves(test.images)
    near = near_copies(test.images, train.images, waves_of_test, waves(train.images))
    near_before = near_copies(test.images, test.images, waves_of_test, waves_of_test, before=True)
    labels = defaultdict(set)
    for split, hashed in ((train, of_train), (test, of_test)):
        for digest, label in zip(hashed, split.labels.tolist(), strict=True):
            labels[digest].add(label)
    return Overlap(
        num_train=len(train),
        num_test=len(test),
        exact_in_train=int(exact_in_train.sum()),
        near_in_train=int((near & ~exact_in_train).sum()),
        exact_in_test=int(exact_in_test.sum()),
        near_in_test=int((near_before & ~exact_in_test).sum()),
        two_labels=sum(len(of_image) > 1 for of_image in labels.values()),
    )


def _digest_of(counts: dict[str, int]) -> str:
    return hashlib.sha256(json.dumps([FORMAT, counts]).encode()).hexdigest()

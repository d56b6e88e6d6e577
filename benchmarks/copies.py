"""Measure how copies are found: time, pictures stored anew, and what is found in data without any.

    python benchmarks/copies.py [--data-root DIR] [--pairs duplicates_cifar10.csv]

Test images of CIFAR-10 are stored anew in many ways; "found" is the part of them that is seen to be
near copies. Then the copies in CIFAR-10 and in drawn images as they are. `--pairs` takes the list
of near-duplicates that Barz and Denzler judged by eye (columns `TestID, TrainID, ...`; "Do We Train
on Test Data?", J. Imaging 6(6), 2020, https://github.com/cvjena/cifair): how many of those found
are among them.
"""

import argparse
import csv
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from priorscope.data import Dataset, data_root
from priorscope.data._copies import near_copies, waves
from priorscope.data._overlap import _count
from priorscope.data.cifar10 import cifar10
from priorscope.data.synthetic import synthetic
from priorscope.runs.environment import describe

NUM_STORED = 2000
Change = Callable[[Image.Image], Image.Image]


def stored(form: str, **options: object) -> Change:
    def store(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, form, **options)  # type: ignore[arg-type]
        return Image.open(file).convert("RGB")

    return store


def shifted(image: Image.Image) -> Image.Image:
    return image.transform(image.size, Image.Transform.AFFINE, (1, 0, 1, 0, 1, 0))


CHANGES: dict[str, Change] = {
    "JPEG, quality 90": stored("JPEG", quality=90),
    "JPEG, quality 50": stored("JPEG", quality=50),
    "JPEG, quality 30": stored("JPEG", quality=30),
    "JPEG, quality 10": stored("JPEG", quality=10),
    "WebP, quality 50": stored("WEBP", quality=50),
    "palette of 256": lambda image: image.quantize(256).convert("RGB"),
    "3/4 of the size and back": lambda image: image.resize((24, 24)).resize(image.size),
    "half the size and back": lambda image: image.resize((16, 16)).resize(image.size),
    "contrast x 0.7": lambda image: ImageEnhance.Contrast(image).enhance(0.7),
    "brightness x 1.2": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "shifted by a pixel": shifted,
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--pairs", type=Path)
    arguments = parser.parse_args()
    dataset = cifar10(root=data_root(arguments.data_root))
    started = time.perf_counter()
    overlap = _count(dataset.train, dataset.test)
    seconds = time.perf_counter() - started
    num = overlap.num_train + overlap.num_test
    print(f"copies among {num:,} images of {dataset.title} counted in {seconds:.1f} s\n")

    images = dataset.test.images[:: len(dataset.test) // NUM_STORED][:NUM_STORED]
    of_images = waves(images)
    print("| stored anew | found |\n|---|---:|")
    for name, change in CHANGES.items():
        again = np.stack([np.asarray(change(Image.fromarray(image))) for image in images])
        found = near_copies(again, images, waves(again), of_images)
        print(f"| {name} | {100 * found.mean():.1f} % |")

    print("\n| test images with a copy among the training images | exact | near |\n|---|---:|---:|")
    drawn = [synthetic(root=Path(), num_train=20_000, task=t) for t in ("objects", "near_relation")]
    for each in (dataset, *drawn):
        counted = _count(each.train, each.test)
        exact, near = counted.exact_in_train, counted.near_in_train
        print(f"| {each.title} | {exact} of {counted.num_test:,} | {near} |")
    if arguments.pairs:
        print(f"\n{judged(arguments.pairs, dataset)}")
    print(f"\n{describe()}")
    return int(overlap.above_share or seconds > 5)


def judged(path: Path, dataset: Dataset) -> str:
    """Compare what is found with pairs that were judged by eye."""
    with path.open(newline="") as file:
        by_eye = {int(row["TestID"]) for row in csv.DictReader(file)}
    test, train = dataset.test.images, dataset.train.images
    found = set(np.flatnonzero(near_copies(test, train, waves(test), waves(train))).tolist())
    return (
        f"{len(found)} test images found, {len(found & by_eye)} of them among the {len(by_eye)} "
        f"judged by eye"
    )


if __name__ == "__main__":
    raise SystemExit(main())

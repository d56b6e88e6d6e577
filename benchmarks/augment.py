"""Time the augmentation of bytes against torchvision and, where it is installed, kornia.

    python benchmarks/augment.py [--repeats N]

All take turns in one process, on noise. torchvision draws once a call and is therefore called image
by image; kornia has its own policy for CIFAR-10, in float32, and applies it to a batch. The exit
code is 1 when AutoAugment at 32 px is below its bound.
"""

import argparse
import importlib
import importlib.util
import statistics
import time
from collections.abc import Callable

import torch
from torchvision.transforms import v2

from priorscope.runs.environment import describe
from priorscope.training.augment import horizontal_flip, random_crop
from priorscope.training.autoaugment import autoaugment_cifar10

BOUND = 30_000  # images/s at 32 px
SIZES = [(128, 32), (256, 32), (512, 32), (64, 224)]  # batch, side in pixels
Augmentation = Callable[[torch.Tensor], object]


def augmentations() -> dict[str, Augmentation]:
    """List what is timed: functions of uint8 [batch, height, width, 3]."""
    generator = torch.Generator().manual_seed(0)
    one_image = v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10)
    timed: dict[str, Augmentation] = {
        "autoaugment_cifar10": lambda images: autoaugment_cifar10(images, generator),
        "torchvision AutoAugment, image by image": lambda images: [
            one_image(image) for image in images.permute(0, 3, 1, 2)
        ],
    }
    if importlib.util.find_spec("kornia"):
        batch = importlib.import_module("kornia.augmentation.auto").AutoAugment("cifar10")
        timed["kornia AutoAugment, float32"] = lambda images: batch(
            images.permute(0, 3, 1, 2).float().div(255)
        )
    timed["random_crop"] = lambda images: random_crop(images, generator)
    timed["horizontal_flip"] = lambda images: horizontal_flip(images, generator)
    return timed


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=30)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    timed = augmentations()
    missed = False
    print(f"{arguments.repeats} repeats, images/s by their median, batches of noise\n")
    head = f"{'augmentation':<42}{'px':>5}{'batch':>7}{'best ms':>10}{'median ms':>11}"
    print(f"{head}{'images/s':>10}{'bound':>9}  ok")
    for batch, side in SIZES:
        images = torch.randint(0, 256, (batch, side, side, 3), dtype=torch.uint8)
        seconds: dict[str, list[float]] = {name: [] for name in timed}
        for repeat in range(arguments.repeats + 3):
            for name, augmentation in timed.items():
                # Slow ones need fewer repeats for a median of the same precision.
                if sum(seconds[name]) < 4:
                    start = time.perf_counter()
                    augmentation(images)
                    if repeat >= 3:  # the first fill caches
                        seconds[name].append(time.perf_counter() - start)
        for name, times in seconds.items():
            median = statistics.median(times)
            rate = batch / median
            row = f"{name:<42}{side:>5}{batch:>7}{1e3 * min(times):>10.2f}{1e3 * median:>11.2f}"
            row += f"{rate:>10,.0f}"
            if name == "autoaugment_cifar10" and side == 32:
                row += f"{BOUND:>9,}  {'yes' if rate >= BOUND else 'NO'}"
                missed |= rate < BOUND
            print(row)
        print()
    print(describe())
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())

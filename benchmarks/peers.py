"""Set priorscope beside other libraries on the same machine, in one process.

    python benchmarks/peers.py [--seconds N]

One Markdown table: an input pipeline at 32 px (crop, flip, normalise), the 2021 report's pipeline
in form at 224 px (an image at a time through Pillow and torchvision in a loader's worker), and a
training step of a timm model by hand. kornia takes part where it is installed. Images are noise.
Pipelines run one after another, as a loader's worker goes on while others are timed; the training
takes turns. The machine should be quiet.
"""

import argparse
import importlib
import importlib.util
import itertools
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from arms import take_turns
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from priorscope.data._preprocess import Preprocess, resize
from priorscope.models._timm import timm_classifier
from priorscope.study.environment import choose_threads, describe, keep_freed_memory
from priorscope.study.load import load_study
from priorscope.training.augment import augment
from priorscope.training.pool import image_pool
from priorscope.training.recipe import Recipe

MEAN, STD = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)
CPU = torch.device("cpu")
BATCH, SMALL, LARGE = 128, 32, 224
BOUND = 100_000  # images/s of the input pipeline at 32 px
Pipeline = Callable[[], object]


class Pictures(Dataset):
    """Images of bytes as Pillow pictures, transformed when one is asked for."""

    def __init__(self, images: np.ndarray, transform: Callable[[Image.Image], torch.Tensor]):
        self.images, self.transform = images, transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> torch.Tensor:
        return self.transform(Image.fromarray(self.images[row]))


def ours(images: np.ndarray, image_px: int, recipe: Recipe) -> Pipeline:
    """Take a new batch from the pool each time, as the training loop does."""
    pool, preprocess = image_pool(images, CPU), Preprocess(image_px, MEAN, STD)
    generator = torch.Generator().manual_seed(0)

    def batch() -> torch.Tensor:
        pixels = pool(torch.randint(len(images), (recipe.batch_size,), generator=generator))
        if recipe.resize == "before_augment":
            pixels = resize(pixels, image_px).round().to(torch.uint8)
        return preprocess(augment(pixels, recipe.augment, generator))

    return batch


def one_by_one(images: np.ndarray, batch_size: int, *steps: Callable) -> Pipeline:
    """Transform image by image and stack, as a loader does in its worker."""
    transform = v2.Compose([*steps, v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    normalise = v2.Normalize(MEAN, STD)
    pictures = Pictures(images, lambda picture: normalise(transform(picture)))
    rows = np.random.default_rng(0)
    return lambda: torch.stack([pictures[r] for r in rows.integers(len(images), size=batch_size)])


def loader(images: np.ndarray, batch_size: int, *steps: Callable) -> Pipeline:
    """Give the batches of a DataLoader with one worker, which starts with the first."""
    transform = v2.Compose([*steps, v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    normalise = v2.Normalize(MEAN, STD)
    pictures = Pictures(images, lambda picture: normalise(transform(picture)))
    forever = itertools.chain.from_iterable(
        DataLoader(pictures, batch_size, shuffle=True, num_workers=1) for _ in itertools.count()
    )
    return lambda: next(forever)


def kornia(images: np.ndarray, batch_size: int) -> Pipeline:
    """Crop, flip and normalise batches of floats."""
    augmentation = importlib.import_module("kornia.augmentation")
    steps = torch.nn.Sequential(
        augmentation.RandomCrop((SMALL, SMALL), padding=4),
        augmentation.RandomHorizontalFlip(),
        augmentation.Normalize(torch.tensor(MEAN), torch.tensor(STD)),
    )
    pool = image_pool(images, CPU)
    generator = torch.Generator().manual_seed(0)

    def batch() -> torch.Tensor:
        pixels = pool(torch.randint(len(images), (batch_size,), generator=generator))
        return steps(pixels.permute(0, 3, 1, 2).float().div(255))

    return batch


def rates(pipelines: dict[str, Pipeline], batch_size: int, seconds: float) -> dict[str, float]:
    """Run pipelines one after another, each for its share of the time: images/s."""
    found = {}
    for name in list(pipelines):
        pipeline = pipelines.pop(name)  # its worker ends with it
        for _ in range(4):  # fills caches, starts workers, drains what they have in hand
            pipeline()
        started, count = time.perf_counter(), 0
        while count < 8 or time.perf_counter() - started < seconds:
            pipeline()
            count += 1
        found[name] = batch_size * count / (time.perf_counter() - started)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="for everything together")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    choose_threads()
    keep_freed_memory()
    images = np.random.default_rng(0).integers(0, 256, (4096, SMALL, SMALL, 3), dtype=np.uint8)
    nano, paper = load_study("cifar10_nano").recipe, load_study("paper").recipe
    small = {
        "priorscope": ours(images, SMALL, Recipe(batch_size=BATCH, augment=nano.augment)),
        "torchvision, an image at a time": one_by_one(
            images, BATCH, v2.RandomCrop(SMALL, padding=4), v2.RandomHorizontalFlip()
        ),
    }
    if importlib.util.find_spec("kornia"):
        small["kornia, batches of floats"] = kornia(images, BATCH)
    of_paper = Recipe(batch_size=64, augment=paper.augment, resize=paper.resize)
    policy = v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10)
    large = {
        "priorscope": ours(images, LARGE, of_paper),
        "Pillow and torchvision, loader with a worker": loader(
            images, 64, v2.Resize((LARGE, LARGE)), policy
        ),
    }
    share = arguments.seconds / 6
    tables = {
        f"crop, flip, normalise at {SMALL} px": rates(small, BATCH, share),
        f"resize to {LARGE} px, AutoAugment, normalise": rates(large, 64, share),
    }
    model = timm_classifier(
        architecture="vit_tiny_patch16_224", num_classes=10, image_px=SMALL, patch_size=4
    )
    bare = Recipe(batch_size=32, learning_rate=1e-3)
    pairs = take_turns(model, bare, SMALL, 2 * share, image_px=SMALL, num_steps=2)
    by_hand, loop = (
        1 / statistics.median(wall for wall, _ in times) for times in (pairs.by_hand, pairs.ours)
    )
    named = f"training of timm's ViT-Ti/4 at {SMALL} px, batches of 32"
    tables[named] = {"priorscope": loop, "its bare step": by_hand}
    print("| what | images/s | priorscope is faster by |\n|---|---|---|")
    for what, found in tables.items():
        for name, rate in found.items():
            factor = "" if name == "priorscope" else f"{found['priorscope'] / rate:.2f}"
            print(f"| {what}: {name} | {rate:,.0f} | {factor} |")
    rate = tables[f"crop, flip, normalise at {SMALL} px"]["priorscope"]
    met = "met" if rate >= BOUND else "MISSED"
    print(f"\ninput pipeline {rate:,.0f} images/s, bound {BOUND:,}: {met}\n\n{describe()}")
    return int(rate < BOUND)


if __name__ == "__main__":
    raise SystemExit(main())

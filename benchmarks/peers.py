"""Set priorscope beside other libraries on the same machine, in one run.

    python benchmarks/peers.py [--seconds N] [--timm-script path/to/train.py]

One Markdown table: input pipelines at 32 px (crop, flip, normalise; AutoAugment), the 2021 report's
pipeline in form at 224 px (an image at a time through Pillow and torchvision in a loader's worker),
a training step of a timm model by hand, and the epochs of timm's own train script, which is no part
of its package: give that of a checkout (`benchmarks/train_script.py` says what is compared). A peer
that is not there has a row that says so. Images are noise. Pipelines run one after another, as a
loader's worker goes on while others are timed; the training takes turns. The machine should be
quiet. The script's epochs take some minutes beside N.
"""

import argparse
import importlib
import importlib.util
import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import train_script
from arms import take_turns
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from priorscope.data._preprocess import Preprocess, resize
from priorscope.models._timm import timm_classifier
from priorscope.runs.environment import choose_threads, describe, keep_freed_memory
from priorscope.study.load import load_study
from priorscope.training.augment import augment
from priorscope.training.pool import image_pool
from priorscope.training.recipe import Recipe

MEAN, STD = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)
CPU = torch.device("cpu")
BATCH, SMALL, LARGE = 128, 32, 224
BOUND = 100_000  # images/s of the input pipeline at 32 px
OURS, KORNIA = "priorscope", "kornia, batches of floats"
PLAIN = f"crop, flip, normalise at {SMALL} px"
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
    """Return the batches of a DataLoader with one worker, which starts with the first."""
    transform = v2.Compose([*steps, v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    normalise = v2.Normalize(MEAN, STD)
    pictures = Pictures(images, lambda picture: normalise(transform(picture)))
    forever = itertools.chain.from_iterable(
        DataLoader(pictures, batch_size, shuffle=True, num_workers=1) for _ in itertools.count()
    )
    return lambda: next(forever)


def kornia(images: np.ndarray, batch_size: int, *steps: tuple[str, dict]) -> Pipeline | None:
    """Augment and normalise batches of floats by kornia's modules; None where it is not there.

    `steps` name each a module in `kornia.augmentation`, and its parameters.
    """
    if importlib.util.find_spec("kornia") is None:
        return None
    augmentation = importlib.import_module("kornia.augmentation")
    automatic = importlib.import_module("kornia.augmentation.auto")
    modules = [
        getattr(augmentation, name, None) or getattr(automatic, name)
        for name, _ in (*steps, ("Normalize", {}))
    ]
    moments = {"mean": torch.tensor(MEAN), "std": torch.tensor(STD)}
    options = [*(options for _, options in steps), moments]
    chain = [module(**given) for module, given in zip(modules, options, strict=True)]
    pool = image_pool(images, CPU)
    generator = torch.Generator().manual_seed(0)

    def batch() -> torch.Tensor:
        pixels = pool(torch.randint(len(images), (batch_size,), generator=generator))
        planes = pixels.permute(0, 3, 1, 2).float().div(255)
        for module in chain:  # AutoAugment fits into no nn.Sequential
            planes = module(planes)
        return planes

    return batch


def rates(
    pipelines: dict[str, Pipeline | None], batch_size: int, seconds: float
) -> dict[str, float | str]:
    """Run pipelines one after another, each for so long: images/s, or why there is no figure."""
    found: dict[str, float | str] = {}
    for name in list(pipelines):
        pipeline = pipelines.pop(name)  # its worker ends with it
        if pipeline is None:
            found[name] = "not installed"
            continue
        for _ in range(4):  # fills caches, starts workers, drains what they have in hand
            pipeline()
        started, count = time.perf_counter(), 0
        while count < 8 or time.perf_counter() - started < seconds:
            pipeline()
            count += 1
        found[name] = batch_size * count / (time.perf_counter() - started)
    return found


def pipelines(seconds: float) -> dict[str, dict[str, float | str]]:
    """Time the input pipelines, each for so long: for each task, images/s by library."""
    images = np.random.default_rng(0).integers(0, 256, (4096, SMALL, SMALL, 3), dtype=np.uint8)
    nano, paper = load_study("cifar10_nano").recipe, load_study("paper").recipe
    of_paper = Recipe(batch_size=64, augment=paper.augment, resize=paper.resize)
    policy = v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10)
    cropped = ("RandomCrop", {"size": (SMALL, SMALL), "padding": 4})
    plain: dict[str, Pipeline | None] = {
        OURS: ours(images, SMALL, Recipe(batch_size=BATCH, augment=nano.augment)),
        "torchvision, an image at a time": one_by_one(
            images, BATCH, v2.RandomCrop(SMALL, padding=4), v2.RandomHorizontalFlip()
        ),
        KORNIA: kornia(images, BATCH, cropped, ("RandomHorizontalFlip", {})),
    }
    automatic: dict[str, Pipeline | None] = {
        OURS: ours(images, SMALL, Recipe(batch_size=BATCH, augment=("autoaugment_cifar10",))),
        "torchvision, an image at a time": one_by_one(images, BATCH, policy),
        # kornia draws one sub-policy a call, the others one an image.
        f"{KORNIA}, one sub-policy for all": kornia(
            images, BATCH, ("AutoAugment", {"policy": "cifar10"})
        ),
    }
    large: dict[str, Pipeline | None] = {
        OURS: ours(images, LARGE, of_paper),
        "the report's: Pillow and torchvision, loader with a worker": loader(
            images, 64, v2.Resize((LARGE, LARGE)), policy
        ),
    }
    return {
        PLAIN: rates(plain, BATCH, seconds),
        f"AutoAugment, normalise at {SMALL} px": rates(automatic, BATCH, seconds),
        f"resize to {LARGE} px, AutoAugment, normalise": rates(large, 64, seconds),
    }


def of_timm(script: Path | None, seconds: float, epochs: int) -> dict[str, dict[str, float | str]]:
    """Time the training of timm's models, by its bare step and by its own script."""
    model = timm_classifier(
        architecture="vit_tiny_patch16_224", num_classes=10, image_px=SMALL, patch_size=4
    )
    bare = Recipe(batch_size=32, learning_rate=1e-3)
    pairs = take_turns(model, bare, SMALL, seconds, image_px=SMALL, num_steps=2)
    by_hand, loop = (
        1 / statistics.median(wall for wall, _ in times) for times in (pairs.by_hand, pairs.ours)
    )
    script_rows: dict[str, float | str] = {train_script.TIMMS: "not given (--timm-script)"}
    if script is not None:
        timed = train_script.measure(script, epochs, repeats=1)
        script_rows = {
            OURS if name == train_script.OURS else name: train_script.epochs_alone(*times, epochs)
            for name, times in timed.items()
        }
    return {
        f"training of timm's ViT-Ti/4 at {SMALL} px, batches of 32": {
            OURS: loop,
            "its bare step": by_hand,
        },
        "epochs of a small ViT of timm's from a folder of PNG images": script_rows,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=80, help="for all but timm's script")
    parser.add_argument("--timm-script", type=Path, help="train.py of a checkout of timm")
    parser.add_argument("--epochs", type=int, default=6, help="of the script's longer call")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    choose_threads()
    keep_freed_memory()
    share = arguments.seconds / 10  # eight pipelines, and training in turns
    tables = pipelines(share) | of_timm(arguments.timm_script, 2 * share, arguments.epochs)
    print("| what | images/s | priorscope is faster by |\n|---|---|---|")
    for what, found in tables.items():
        for name, rate in found.items():
            factor, shown = "", rate
            if not isinstance(rate, str):
                shown = f"{rate:,.0f}"
                factor = "" if name == OURS else f"{float(found[OURS]) / rate:.2f}"
            print(f"| {what}: {name} | {shown} | {factor} |")
    rate = float(tables[PLAIN][OURS])
    met = "met" if rate >= BOUND else "MISSED"
    print(f"\ninput pipeline {rate:,.0f} images/s, bound {BOUND:,}: {met}\n\n{describe()}")
    return int(rate < BOUND)


if __name__ == "__main__":
    raise SystemExit(main())

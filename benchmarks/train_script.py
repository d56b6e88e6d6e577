"""Train one model with priorscope and with timm's own train script, as a user calls either.

    python benchmarks/train_script.py path/to/pytorch-image-models/train.py [--epochs N]

The script is no part of timm's package: give that of a checkout. Both train the same small ViT by
Adam with the same batches on the same folder of PNG images, flip them and no more, and measure the
accuracy on the same images after every epoch. A command is called with one epoch and with more, in
turns; the difference of the two is that many epochs, without start and end. Images are noise.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from priorscope.runs.environment import describe

NUM_TRAIN, NUM_TEST, NUM_CLASSES, PX, BATCH = 4000, 500, 10, 32, 64
OURS, TIMMS = "priorscope run", "timm's train.py"
SHAPE = {"patch_size": 4, "embed_dim": 64, "depth": 4, "num_heads": 4}
STUDY = """
name: train_script
data: {{name: image_folder, path: {folder}}}
recipe: {{optimizer: adam, learning_rate: 1e-3, batch_size: {batch}, epochs: {epochs},
         schedule: cosine, augment: [horizontal_flip]}}
models:
  vit: {{name: "timm:vit_tiny_patch16_224", {shape}}}
"""


def write_images(folder: Path) -> None:
    """Write noise as PNG files, `train` and `test`, a folder a class."""
    rng = np.random.default_rng(0)
    for split, num_images in (("train", NUM_TRAIN), ("test", NUM_TEST)):
        for number in range(num_images):
            path = folder / split / f"class{number % NUM_CLASSES}" / f"{number:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(256, size=(PX, PX, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path)


def of_priorscope(folder: Path, epochs: int, out: Path) -> list[str]:
    shape = ", ".join(f"{key}: {value}" for key, value in SHAPE.items())
    study = folder / f"{out.name}.yaml"
    study.write_text(STUDY.format(folder=folder, batch=BATCH, epochs=epochs, shape=shape))
    return [sys.executable, "-m", "priorscope", "run", str(study), "--out", str(out)]


def of_timm(script: Path, folder: Path, epochs: int, out: Path) -> list[str]:
    options = {"model": "vit_tiny_patch16_224", "img-size": PX, "num-classes": NUM_CLASSES}
    options |= {
        "opt": "adam",
        "lr": 1e-3,
        "sched": "cosine",
        "smoothing": 0,
        "warmup-epochs": 0,
        "weight-decay": 0,
    }
    options |= {"batch-size": BATCH, "epochs": epochs, "device": "cpu", "workers": 2, "hflip": 0.5}
    options |= {"train-crop-mode": "rkrc", "color-jitter": 0, "val-split": "test", "seed": 0}
    options |= {"output": out, "checkpoint-hist": 1, "log-interval": 1000}
    named = [text for key, value in options.items() for text in (f"--{key}", str(value))]
    shape = [f"{key}={value}" for key, value in {"img_size": PX, **SHAPE}.items()]
    command = [sys.executable, str(script), str(folder), *named]
    return [*command, "--scale", "1", "1", "--ratio", "1", "1", "--model-kwargs", *shape]


def seconds_of(command: list[str], log: Path) -> float:
    """Time a command; show what it said where it fails."""
    started = time.perf_counter()
    with log.open("w") as file:
        code = subprocess.run(command, stdout=file, stderr=file, env={**os.environ}).returncode
    if code:
        raise SystemExit(f"{' '.join(command)}\n{log.read_text()[-2000:]}")
    return time.perf_counter() - started


def measure(script: Path | None, epochs: int, repeats: int) -> dict[str, tuple[float, float]]:
    """Call the commands with one epoch and with `epochs`, in turns: median seconds of either.

    Parameters
    ----------
    script : timm's; where it is None only priorscope is called
    """
    found: dict[str, dict[int, list[float]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder, number = Path(scratch), 0
        write_images(folder)
        for _ in range(repeats):
            for num_epochs in (1, epochs):
                number += 1
                commands = {OURS: of_priorscope(folder, num_epochs, folder / f"ours{number}")}
                if script is not None:
                    out = folder / f"timm{number}"
                    commands[TIMMS] = of_timm(script.resolve(), folder, num_epochs, out)
                for name, command in commands.items():
                    seconds = seconds_of(command, folder / "log.txt")
                    found.setdefault(name, {}).setdefault(num_epochs, []).append(seconds)
    return {
        name: (statistics.median(of_epochs[1]), statistics.median(of_epochs[epochs]))
        for name, of_epochs in found.items()
    }


def epochs_alone(short: float, long: float, epochs: int) -> float:
    """Return the images/s of training without start and end, from two calls' seconds."""
    return NUM_TRAIN * (epochs - 1) / (long - short)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("script", type=Path, help="train.py of a checkout of timm's repository")
    parser.add_argument("--epochs", type=int, default=6, help="of the longer call")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    found = measure(arguments.script, arguments.epochs, arguments.repeats)
    print(
        "| command | one epoch, s | longest call, s | epochs alone, images/s |\n|---|---|---|---|"
    )
    for name, (short, long) in found.items():
        rate = epochs_alone(short, long, arguments.epochs)
        print(f"| {name} | {short:.1f} | {long:.1f} | {rate:,.0f} |")
    print(f"\n{NUM_TRAIN} images, batches of {BATCH}, {arguments.epochs} epochs in the longer call")
    print(f"medians of {arguments.repeats}\n\n{describe()}")


if __name__ == "__main__":
    main()

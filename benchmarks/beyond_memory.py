"""Take training batches from more images than memory holds.

    python benchmarks/beyond_memory.py [--factor N] [--folder DIR]

Images of 224 px are written to a file that is `--factor` times as large as this machine's memory,
and batches of 64 are taken from it in a random order, as the training loop takes them. Beside it
the same from a file of 1 GB, whose second pass is from memory alone. Every image carries its
number, which is compared. The exit code is 1 when a wrong image comes, or when the memory that is
the process's own (not the file's pages, which the system takes back when it needs them) grows with
the file.
"""

import argparse
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from priorscope.data._preprocess import Preprocess
from priorscope.runs.environment import choose_threads, describe, keep_freed_memory
from priorscope.training.pool import image_pool

PX, BATCH, NUM_BATCHES = 224, 64, 100
IMAGE_BYTES = PX * PX * 3
GROWTH = 200 * 2**20  # a few batches of floats; nothing that depends on the number of images


def write(path: Path, num_images: int) -> None:
    """Write noise, with an image's number in its first bytes; plain writes, block by block."""
    rng = np.random.default_rng(0)
    block = rng.integers(256, size=(512, PX, PX, 3), dtype=np.uint8)
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (num_images, PX, PX, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, num_images, len(block)):
            rows = np.arange(start, min(start + len(block), num_images), dtype="<u8")
            block.reshape(len(block), -1)[: len(rows), :8] = rows[:, None].view(np.uint8)
            file.write(block[: len(rows)].data)
        file.flush()
        os.fsync(file.fileno())


def passes(path: Path, num_passes: int) -> list[tuple[float, int]]:
    """Take batches in a random order, again and again: images/s, and wrong images, of each pass."""
    images = np.load(path, mmap_mode="r")
    pool = image_pool(images, torch.device("cpu"))
    preprocess = Preprocess(PX, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(images), generator=generator)[: BATCH * NUM_BATCHES].split(BATCH)
    found = []
    for _ in range(num_passes):
        started, num_wrong = time.perf_counter(), 0
        for rows in order:
            pixels = pool(rows)
            preprocess(pixels)
            numbers = pixels.reshape(len(rows), -1)[:, :8].contiguous().view(torch.int64)
            num_wrong += int((numbers[:, 0] != rows).sum())
        found.append((sum(map(len, order)) / (time.perf_counter() - started), num_wrong))
    return found


def own_bytes() -> int:
    """Return the memory of this process that is in no file."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.findall(r"RssAnon:\s+(\d+)", status)[0])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--factor", type=float, default=1.3)
    parser.add_argument("--folder", type=Path, help="on the disk to read from")
    arguments = parser.parse_args()
    choose_threads()
    keep_freed_memory()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    num_large = int(arguments.factor * memory / IMAGE_BYTES)
    num_small = 2**30 // IMAGE_BYTES
    with tempfile.TemporaryDirectory(dir=arguments.folder) as scratch:
        path = Path(scratch) / "images.npy"
        needed = num_large * IMAGE_BYTES
        if shutil.disk_usage(scratch).free < 1.05 * needed:
            raise SystemExit(f"{scratch} has no room for {needed / 1e9:.0f} GB")
        write(path, num_small)
        small = passes(path, 2)
        before = own_bytes()
        started = time.perf_counter()
        write(path, num_large)
        seconds = time.perf_counter() - started
        large = passes(path, 1)
        growth = own_bytes() - before
    print(f"memory {memory / 1e9:.1f} GB, batches of {BATCH} at {PX} px, normalised")
    print(f"\n{'images lie in':<40}{'images/s':>10}{'wrong':>8}")
    for name, (rate, wrong) in {
        "a file of 1 GB": small[0],
        "a file of 1 GB, again": small[1],
        f"a file of {needed / 1e9:.0f} GB": large[0],
    }.items():
        print(f"{name:<40}{rate:>10,.0f}{wrong:>8}")
    print(
        f"\nown memory grew by {growth / 2**20:.0f} MiB; writing {needed / seconds / 1e6:,.0f} MB/s"
    )
    print(describe())
    return int(growth > GROWTH or any(wrong for _, wrong in [*small, *large]))


if __name__ == "__main__":
    raise SystemExit(main())

"""CIFAR-10."""

from pathlib import Path

from priorscope.data._carriers import carrier_files, read_cifar
from priorscope.data._dataset import Dataset
from priorscope.data._official import CIFAR10
from priorscope.data._pixels import check_range


def cifar10(*, root: Path, pixel_range: tuple[float, float] | None = None) -> Dataset:
    """CIFAR-10: 50,000 and 10,000 photographs of 32 px in ten classes.

    Reads, from `root`/cifar10 or `root` itself, the first of

    - `cifar-10-batches-py`, the official pickles, each checked by its md5;
    - `train-00000-of-00001.parquet` and `test-00000-of-00001.parquet`, or more shards, as on
      Hugging Face (columns `img` or `image{bytes, path}`, and `label`), also in `plain_text/` or
      `data/`; or `train/0000.parquet` and `test/0000.parquet`, as Hugging Face converts them;
    - `train/<class>/*` and `test/<class>/*`, in the order of the file names.

    Images stored as JPEG are not the original pixels: the title is then
    "CIFAR-10 (JPEG re-encoding)".

    Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

    Parameters
    ----------
    pixel_range : where images have more than 8 bits, the values that become 0 and 255

    Raises
    ------
    InputError : not found; truncated, incomplete or not CIFAR-10, naming the file
    """
    check_range(pixel_range)
    return read_cifar(root, CIFAR10, pixel_range)


def sources(*, root: Path, **_: object) -> list[Path]:
    """List the files or folders of images that are read.

    Raises
    ------
    InputError : not found
    """
    return carrier_files(root, CIFAR10)

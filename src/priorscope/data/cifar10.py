"""CIFAR-10."""

from pathlib import Path

from priorscope.data._carriers import carrier_files, read_cifar
from priorscope.data._labeled_images import Dataset
from priorscope.data._official import CIFAR10


def cifar10(*, root: Path) -> Dataset:
    """CIFAR-10: 50,000 and 10,000 photographs of 32 px in ten classes.

    Reads, from `root`/cifar10 or `root` itself, the first of

    - `cifar-10-batches-py`, the official pickles, each checked by its md5;
    - `train-00000-of-00001.parquet` and `test-00000-of-00001.parquet`, as on Hugging Face
      (columns `img{bytes, path}` and `label`);
    - `train/<class>/*.{png,jpg}` and `test/<class>/*.{png,jpg}`, in the order of the file names.

    Images stored as JPEG are not the original pixels: the title is then
    "CIFAR-10 (JPEG re-encoding)".

    Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

    Raises
    ------
    InputError : not found; truncated, incomplete or not CIFAR-10, naming the file
    """
    return read_cifar(root, CIFAR10)


def sources(*, root: Path) -> list[Path]:
    """List the files or folders of images that are read.

    Raises
    ------
    InputError : not found
    """
    return carrier_files(root, CIFAR10)

"""CIFAR-100 with its fine labels."""

from pathlib import Path

from priorscope.data._carriers import carrier_files, read_cifar
from priorscope.data._dataset import Dataset
from priorscope.data._official import CIFAR100


def cifar100(*, root: Path) -> Dataset:
    """CIFAR-100: 50,000 and 10,000 photographs of 32 px in 100 (fine) classes.

    Reads the official pickles `cifar-100-python` from `root`/cifar100 or `root` itself, each
    checked by its md5.

    Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

    Raises
    ------
    InputError : not found; truncated, incomplete or not CIFAR-100, naming the file
    """
    return read_cifar(root, CIFAR100)


def sources(*, root: Path) -> list[Path]:
    """List the files or folders of images that are read.

    Raises
    ------
    InputError : not found
    """
    return carrier_files(root, CIFAR100)

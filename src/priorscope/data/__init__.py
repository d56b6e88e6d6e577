"""Datasets: one file each, `def x(*, root: Path, ...) -> Dataset`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from priorscope.data._dataset import Dataset
from priorscope.data._labeled_images import LabeledImages, fingerprint
from priorscope.data._locations import cache_root, data_root
from priorscope.data._overlap import Overlap
from priorscope.data._proportional import proportional_sample
from priorscope.data._splits import hold_out, subset

if TYPE_CHECKING:
    from priorscope.data._carriers import CIFAR10_CLASSES
    from priorscope.data._decode import decode_blocks, read_picture
    from priorscope.data._fetch import fetch, verify
    from priorscope.data._image_kind import is_image
    from priorscope.data._label_noise import with_label_noise
    from priorscope.data._parquet import read_rows
    from priorscope.data._pictures import Pictures
    from priorscope.data._preprocess import (
        Preprocess,
        Rearrangement,
        autocast_for,
        preprocess_for,
        resize,
        sent,
        sent_rows,
    )

_HEAVY = {
    "CIFAR10_CLASSES": "_carriers",
    "decode_blocks": "_decode",
    "fetch": "_fetch",
    "is_image": "_image_kind",
    "read_picture": "_decode",
    "read_rows": "_parquet",
    "verify": "_fetch",
    "with_label_noise": "_label_noise",
}
_OF_TORCH = "Pictures Preprocess Rearrangement autocast_for preprocess_for resize sent sent_rows"
_HEAVY |= dict.fromkeys(_OF_TORCH.split(), "_preprocess")


def __getattr__(name: str) -> Any:
    """Import what is heavy when it is asked for: most of what reads data needs neither."""
    if name not in _HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"priorscope.data.{_HEAVY[name]}"), name)


__all__ = [
    "CIFAR10_CLASSES",
    "Dataset",
    "LabeledImages",
    "Overlap",
    "Pictures",
    "Preprocess",
    "Rearrangement",
    "autocast_for",
    "cache_root",
    "data_root",
    "decode_blocks",
    "fetch",
    "fingerprint",
    "hold_out",
    "is_image",
    "preprocess_for",
    "proportional_sample",
    "read_picture",
    "read_rows",
    "resize",
    "sent",
    "sent_rows",
    "subset",
    "verify",
    "with_label_noise",
]

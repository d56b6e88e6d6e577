"""Datasets: one file each, `def x(*, root: Path, ...) -> Dataset`."""

from typing import TYPE_CHECKING, Any

from priorscope.data._dataset import Dataset
from priorscope.data._decode import read_picture
from priorscope.data._image_kind import is_image
from priorscope.data._labeled_images import LabeledImages, fingerprint
from priorscope.data._locations import cache_root, data_root
from priorscope.data._overlap import Overlap
from priorscope.data._proportional import proportional_sample
from priorscope.data._splits import hold_out, subset

if TYPE_CHECKING:
    from priorscope.data._carriers import CIFAR10_CLASSES
    from priorscope.data._decode import decode_blocks
    from priorscope.data._fetch import fetch, verify
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
_OF_TORCH = (
    "Pictures",
    "Preprocess",
    "Rearrangement",
    "autocast_for",
    "preprocess_for",
    "resize",
    "sent",
    "sent_rows",
)


def __getattr__(name: str) -> Any:
    """Import what is heavy when it is asked for: most of what reads data needs neither."""
    if name in _OF_TORCH:
        from priorscope.data import _preprocess as module
    elif name in ("fetch", "verify"):
        from priorscope.data import _fetch as module
    elif name == "CIFAR10_CLASSES":
        from priorscope.data import _carriers as module
    elif name == "decode_blocks":
        from priorscope.data import _decode as module
    elif name == "read_rows":
        from priorscope.data import _parquet as module
    elif name == "with_label_noise":
        from priorscope.data import _label_noise as module
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(module, name)


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

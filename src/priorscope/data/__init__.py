"""Datasets: one file each, `def x(*, root: Path, ...) -> Dataset`."""

from priorscope.data._dataset import Dataset
from priorscope.data._decode import read_picture
from priorscope.data._image_kind import is_image
from priorscope.data._labeled_images import LabeledImages, fingerprint
from priorscope.data._locations import cache_root, data_root
from priorscope.data._overlap import Overlap
from priorscope.data._proportional import proportional_sample
from priorscope.data._splits import hold_out, subset

__all__ = [
    "Dataset",
    "LabeledImages",
    "Overlap",
    "cache_root",
    "data_root",
    "fingerprint",
    "hold_out",
    "is_image",
    "proportional_sample",
    "read_picture",
    "subset",
]

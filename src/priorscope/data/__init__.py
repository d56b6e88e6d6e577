"""Datasets: one file each, `def x(*, root: Path, ...) -> Dataset`."""

from priorscope.data._labeled_images import Dataset, LabeledImages, fingerprint
from priorscope.data._locations import cache_root, data_root
from priorscope.data._proportional import proportional_sample
from priorscope.data._splits import hold_out, subset

__all__ = [
    "Dataset",
    "LabeledImages",
    "cache_root",
    "data_root",
    "fingerprint",
    "hold_out",
    "proportional_sample",
    "subset",
]

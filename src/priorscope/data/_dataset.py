"""What every dataset component returns."""

import functools
from dataclasses import asdict, dataclass
from typing import Any

from priorscope.data._labeled_images import LabeledImages
from priorscope.data._overlap import Overlap, class_warnings, count_overlap


@dataclass(frozen=True, eq=False)
class Dataset:
    """The train and test split of a dataset, and what is to be said of it.

    Attributes
    ----------
    title : what a report calls it
    train, test : the splits
    notes : what was decided when it was read, one line each
    warnings : what could make a number wrong, one line each: what, where, what to do
    """

    title: str
    train: LabeledImages
    test: LabeledImages
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @functools.cached_property
    def overlap(self) -> Overlap:
        """Count copies between and within the splits, the first time that it is asked for."""
        return count_overlap(self.train, self.test)

    def remarks(self) -> dict[str, Any]:
        """Return all notes, warnings and the overlap, which adds to them, as plain values."""
        return {
            "notes": [*self.notes, *self.overlap.notes()],
            "warnings": [
                *self.warnings,
                *class_warnings(self.train, self.test),
                *self.overlap.warnings(),
            ],
            "overlap": asdict(self.overlap),
        }

"""What every probe returns."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class ProbeSet:
    """Images made to test one thing, with the conditions under which each was made.

    One *scene* (say, a mosaic and the tile that its controls show) gives one row in each *arm*;
    rows of the same scene share an id, so that arms and models are compared in pairs.

    Attributes
    ----------
    images : uint8 [n, height, width, 3], RGB
    targets : int64 [n], the class; or bool [n, num_classes], the classes that are present
    ids : int64 [n], the scene; unique within an arm
    conditions : name -> array [n] of strings or numbers; `arm` is always among them, its first
        value in row order is the condition that the probe is about, the others are its controls
    class_names : one name a class
    clusters : str [n] or None: what scenes share beside chance (the background picture, say)
    """

    images: np.ndarray
    targets: np.ndarray
    ids: np.ndarray
    conditions: dict[str, np.ndarray]
    class_names: tuple[str, ...]
    clusters: np.ndarray | None = field(default=None)

    def __post_init__(self):
        n = len(self.images)
        assert self.images.dtype == np.uint8 and self.images.ndim == 4
        assert self.targets.shape in {(n,), (n, len(self.class_names))}
        assert "arm" in self.conditions, "every probe names its arms"
        columns = [self.ids, *self.conditions.values()]
        columns += [] if self.clusters is None else [self.clusters]
        assert all(column.shape == (n,) for column in columns)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def arms(self) -> tuple[str, ...]:
        """List the arms in row order: first the condition under test, then the controls."""
        return tuple(dict.fromkeys(self.conditions["arm"].tolist()))

"""Predictions: what one run answered on one probe."""

from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class Predictions:
    """What one run answered on one probe.

    Attributes
    ----------
    logits : float32 [n, num_classes]
    targets : int64 [n], the class; or bool [n, num_classes], the classes that are present
    ids : int64 [n], the scene; unique within an arm
    conditions : name -> array [n]; `arm` is always among them
    class_names : one name a class
    clusters : str [n] or None
    class_counts : training labels of each class, which a constant answer may know; not stored
    """

    logits: np.ndarray
    targets: np.ndarray
    ids: np.ndarray
    conditions: dict[str, np.ndarray]
    class_names: tuple[str, ...]
    clusters: np.ndarray | None = field(default=None)
    class_counts: tuple[int, ...] | None = field(default=None)

    def __len__(self) -> int:
        return len(self.logits)

    @property
    def num_classes(self) -> int:
        """Count the classes."""
        return len(self.class_names)

    @property
    def arms(self) -> tuple[str, ...]:
        """List the arms in row order: first the condition under test, then the controls."""
        return tuple(dict.fromkeys(self.conditions["arm"].tolist()))

    def arm(self, name: str) -> "Predictions":
        """Select the rows of one arm."""
        return self.take(self.conditions["arm"] == name)

    def take(self, rows: np.ndarray) -> "Predictions":
        """Select rows, by a mask bool [n] or by their places int [m], in that order."""
        return replace(
            self,
            logits=self.logits[rows],
            targets=self.targets[rows],
            ids=self.ids[rows],
            conditions={key: column[rows] for key, column in self.conditions.items()},
            clusters=None if self.clusters is None else self.clusters[rows],
        )

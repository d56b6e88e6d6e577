"""What every probe returns."""

import re
from dataclasses import dataclass, field

import numpy as np

from priorscope.errors import InputError

ARM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,63}")  # becomes part of file names
RESERVED = {"id", "target", "targets", "cluster", "logits"}  # columns of stored predictions


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
        check_probe_set(self)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def arms(self) -> tuple[str, ...]:
        """List the arms in row order: first the condition under test, then the controls."""
        return tuple(dict.fromkeys(self.conditions["arm"].tolist()))


def check_probe_set(probe: ProbeSet) -> None:
    """Refuse a probe set that breaks the promises of `ProbeSet`.

    Raises
    ------
    InputError : names the attribute, what it is and what it must be
    """
    images, targets, n = probe.images, probe.targets, len(probe.images)
    columns = {"ids": probe.ids, **probe.conditions}
    columns |= {} if probe.clusters is None else {"clusters": probe.clusters}
    for name, column in {"images": images, "targets": targets, **columns}.items():
        if not isinstance(column, np.ndarray):
            raise _wrong(name, type(column).__name__, "a NumPy array")
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or not n:
        raise _wrong("images", _shape(images), "uint8 [n, height, width, 3] with n > 0")
    for name, column in columns.items():
        if column.shape != (n,):
            raise _wrong(name, _shape(column), f"one value for each of the {n} images")
    if not isinstance(probe.class_names, tuple) or not probe.class_names:
        raise _wrong("class_names", repr(probe.class_names), "a tuple of names")
    num_classes = len(probe.class_names)
    if targets.dtype == bool:
        if targets.shape != (n, num_classes) or not targets.any(axis=1).all():
            raise _wrong("targets", _shape(targets), f"bool [{n}, {num_classes}], a class in a row")
    elif targets.dtype.kind not in "iu" or targets.shape != (n,):
        raise _wrong("targets", _shape(targets), f"int64 [{n}] or bool [{n}, {num_classes}]")
    elif targets.min() < 0 or targets.max() >= num_classes:
        raise _wrong("targets", f"{targets.min()} .. {targets.max()}", f"0 .. {num_classes - 1}")
    if probe.ids.dtype.kind not in "iu":
        raise _wrong("ids", _shape(probe.ids), "whole numbers")
    if "arm" not in probe.conditions or set(probe.conditions) & RESERVED:
        found = ", ".join(probe.conditions)
        raise _wrong("conditions", found, f"`arm`, and none of {', '.join(sorted(RESERVED))}")
    arms = probe.conditions["arm"]
    for arm in probe.arms:
        if not isinstance(arm, str) or not ARM.fullmatch(arm):
            raise _wrong(
                "conditions.arm", repr(arm), "a short name of letters, digits, . _ - space"
            )
        ids = probe.ids[arms == arm]
        if len(np.unique(ids)) < len(ids):
            raise _wrong("ids", f"a scene stands twice in arm {arm}", "unique within an arm")


def _wrong(name: str, found: str, allowed: str) -> InputError:
    return InputError(
        "the probe returns something else than it must", where=name, found=found, allowed=allowed
    )


def _shape(column: np.ndarray) -> str:
    return f"{column.dtype} {list(column.shape)}"

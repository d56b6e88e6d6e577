"""What a measure returns, and of how many networks it is."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from priorscope.errors import InputError

Kind = Literal["network", "predictions", "features"]
_COLUMNS = {"id", "cluster", "value", "measure", "model", "seed", "partner", "partner_seed", "n"}
_COLUMNS |= {"cell", "shares_order"}
WHOLE = "all"  # the arm of values that are the measure itself
_KINDS: dict[tuple[str, ...], Kind] = {
    ("network", "images"): "network",
    ("network", "images", "targets"): "network",
    ("a", "b"): "predictions",
    ("features_a", "features_b"): "features",
}


class DoesNotApply(InputError):
    """A measure has nothing to measure in this network, such as attention in a CNN."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """The values of a measure, one an image or one for the whole network (or pair).

    Attributes
    ----------
    values : float64 [n], finite; the mean over images is the measure
    ids : int64 [n], the places of the images among those that the measure was given; unique within
        an arm. A value of the whole network has id 0, alone in its arm
    conditions : name -> array [n]; `arm` is always among them. The first arm is the measure
        itself, others are parts of it, such as its layers
    """

    values: np.ndarray
    ids: np.ndarray
    conditions: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def arms(self) -> tuple[str, ...]:
        """List the arms in row order: first the measure itself, then its parts."""
        return tuple(dict.fromkeys(self.conditions["arm"].tolist()))

    def take(self, rows: np.ndarray) -> "Measurement":
        """Select rows, by a mask bool [n] or by their places int [m], in that order."""
        conditions = {name: column[rows] for name, column in self.conditions.items()}
        return Measurement(self.values[rows], self.ids[rows], conditions)


def kind_of(measure: Callable[..., Any], *, where: object = None) -> Kind:
    """Tell of what a measure is, by the names of its positional parameters.

    Raises
    ------
    InputError : it has other ones
    """
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    given = inspect.signature(measure).parameters.values()
    names = tuple(each.name for each in given if each.kind in kinds)
    if names not in _KINDS:
        raise InputError(
            "a measure takes a network and images, or predictions or features of two networks",
            where=where,
            found=f"({', '.join(names)})",
            allowed="(network, images), with targets after them if it needs them, (a, b) or "
            "(features_a, features_b), by these names; all else by keyword",
        )
    return _KINDS[names]


def measurement_of(found: Any, ids: np.ndarray, *, where: str) -> Measurement:
    """Check what a measure returned, and wrap plain values: one an image, or one in all.

    Parameters
    ----------
    ids : int64 [n], of the images that it was given

    Raises
    ------
    InputError : another number of values than images, or a value that is not finite
    """
    if not isinstance(found, Measurement):
        found = _wrapped(found, ids, where)
    if not np.isfinite(found.values).all():
        row = int(np.argmin(np.isfinite(found.values)))
        raise InputError(
            "a measure must give finite values",
            where=where,
            found=f"{found.values[row]} at image {found.ids[row]}",
        )
    lengths = {len(found.values), len(found.ids), *map(len, found.conditions.values())}
    if len(lengths) != 1 or "arm" not in found.conditions or not len(found):
        raise InputError(
            "a measurement needs ids and conditions for each value, `arm` among them",
            where=where,
            found=f"lengths {sorted(lengths)}, conditions {', '.join(found.conditions)}",
        )
    if taken := sorted(_COLUMNS & set(found.conditions)):
        raise InputError(
            "a condition of a measurement has the name of another column",
            where=where,
            found=taken[0],
            allowed=f"any but {', '.join(sorted(_COLUMNS))}",
        )
    for arm in found.arms:
        ids = found.ids[found.conditions["arm"] == arm]
        if len(np.unique(ids)) < len(ids):
            raise InputError("an id stands twice within an arm", where=where, found=f"arm {arm}")
    return found


def of_pair(found: Any, ids: np.ndarray, *, where: str) -> tuple[Measurement, Measurement | None]:
    """Check what a measure of two returned: its first arm in the order of the images, and the rest.

    Parameters
    ----------
    ids : int64 [n], ascending

    Raises
    ------
    InputError : as `measurement_of`, or the first arm has not one value an image
    """
    measured = measurement_of(found, ids, where=where)
    own = measured.conditions["arm"] == measured.arms[0]
    whole = measured.take(np.flatnonzero(own)[np.argsort(measured.ids[own], kind="stable")])
    if not np.array_equal(whole.ids, ids):
        raise InputError("a measure of two gives one value an image", where=where)
    return whole, None if own.all() else measured.take(~own)


def _wrapped(found: Any, ids: np.ndarray, where: str) -> Measurement:
    if hasattr(found, "detach"):  # a tensor, on any device
        found = found.detach().cpu().numpy()
    try:
        values = np.asarray(found, dtype=float)
    except (TypeError, ValueError):
        values = np.empty((0, 0))
    if values.ndim == 0:
        values, ids = values[None], np.zeros(1, dtype=np.int64)
    if values.shape != ids.shape:
        raise InputError(
            "a measure must give a value an image, or one for the network",
            where=where,
            found=f"shape {list(values.shape)}" if values.size else type(found).__name__,
            allowed=f"a number, or numbers of shape [{len(ids)}]",
        )
    return Measurement(values, ids, {"arm": np.full(len(ids), WHOLE)})

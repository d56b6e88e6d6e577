"""What a metric says of itself, or what holds where it says nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np

from priorscope.components import companion
from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.metrics._chance import Chance, constant_chance
from priorscope.metrics._scale import Scale

Metric = Callable[..., np.ndarray]


def chance_of(metric: Metric, predictions: Predictions, **parameters: Any) -> Chance:
    """Return what the metric's file says chance is, or else what a constant answer scores."""
    own = companion(metric, "chance")
    if own is not None:
        return own(predictions, **parameters)
    return constant_chance(metric, predictions, **parameters)


def scale_of(metric: Metric, predictions: Predictions, name: str, **parameters: Any) -> Scale:
    """Return the scale of a metric on these predictions, see `declared_scale`."""
    return declared_scale(metric, name, predictions, **parameters)


def declared_scale(
    component: Callable[..., Any], name: str, *given: Any, **parameters: Any
) -> Scale:
    """Return the scale of a component's file, or one without bounds that has the component's name.

    Raises
    ------
    InputError : what the file calls `scale` returns something else
    """
    own = companion(component, "scale")
    if own is None:
        words = name.rpartition(":")[2].replace("_", " ")
        return Scale(f"{words[:1].upper()}{words[1:]}")
    found = own(*given, **parameters)
    if not isinstance(found, Scale):
        raise InputError(
            "`scale` must return a Scale",
            where=name,
            found=type(found).__name__,
            allowed="priorscope.metrics.Scale",
        )
    return found


def main_metric(targets: np.ndarray) -> str:
    """Name the metric that fits targets: top_k_matching for bool [n, num_classes], else top1."""
    return "top_k_matching" if targets.ndim == 2 else "top1"

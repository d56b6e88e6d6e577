"""Metrics: one file each, `def x(predictions: Predictions, *, ...) -> float [n]`.

The file may also define, with the same parameters,

- `scale(predictions, *, ...) -> Scale`: range, unit and words of its mean. A metric without one has
  no bounds and the unit of its name.
- `chance(predictions, *, ...) -> Chance`: what an answer scores that does not depend on the image.
  A metric without one has the score of `constant_answer`.
- `SOFTMAX = True`, where it takes a softmax of the logits: where `priorscope score` is given rows
  probabilities, it then gets their logarithms.
"""

from priorscope.metrics._chance import (
    Chance,
    constant_answer,
    constant_chance,
    unequal_classes,
)
from priorscope.metrics._scale import NBSP, NONE, Scale, decimal, share
from priorscope.metrics._score import chance_of, declared_scale, main_metric, scale_of
from priorscope.metrics._ties import num_tied, shares_of_top

__all__ = [
    "NBSP",
    "NONE",
    "Chance",
    "Scale",
    "chance_of",
    "constant_answer",
    "constant_chance",
    "decimal",
    "declared_scale",
    "main_metric",
    "num_tied",
    "scale_of",
    "share",
    "shares_of_top",
    "unequal_classes",
]

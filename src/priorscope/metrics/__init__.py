"""Metrics: one file each, `def x(predictions: Predictions, *, ...) -> float [n]`.

The file may also define `chance(predictions, *, ...) -> Chance`, with the same parameters: what a
classifier that knows nothing would score.
"""

from priorscope.metrics._chance import Chance

__all__ = ["Chance"]

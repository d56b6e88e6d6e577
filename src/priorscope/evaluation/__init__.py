"""From models to predictions, and predictions on disk."""

from priorscope.evaluation.predictions import Predictions, read_predictions, write_predictions

__all__ = ["Predictions", "read_predictions", "write_predictions"]

"""From models to predictions, and predictions on disk."""

from typing import TYPE_CHECKING, Any

from priorscope.evaluation.predictions import Predictions

if TYPE_CHECKING:
    from priorscope.evaluation.predictions_file import read_predictions, write_predictions


def __getattr__(name: str) -> Any:
    """Import what reads and writes files when it is asked for: metrics and plans need neither."""
    if name not in ("read_predictions", "write_predictions"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from priorscope.evaluation import predictions_file

    return getattr(predictions_file, name)


__all__ = ["Predictions", "read_predictions", "write_predictions"]

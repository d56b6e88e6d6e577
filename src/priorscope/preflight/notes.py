"""What a model's parts say about their parameters."""

from torch import nn


def notes(model: nn.Module) -> list[str]:
    """Collect what a user should know about a model, such as a window that covers the grid.

    A module says it by an attribute `note`, a line of text; equal lines are given once.
    """
    found = (getattr(module, "note", None) for module in model.modules())
    return list(dict.fromkeys(note for note in found if isinstance(note, str)))

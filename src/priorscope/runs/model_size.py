"""How large a model is. No torch here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelSize:
    """Trainable parameters, and multiply-accumulates for one image."""

    num_parameters: int
    macs: int

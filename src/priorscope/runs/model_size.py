"""How large a model is. No torch here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelSize:
    """Trainable parameters, and multiply-accumulates for one image; None: not counted."""

    num_parameters: int
    macs: int | None

    @property
    def about_macs(self) -> int:
        """Return the multiply-accumulates, or at least one a parameter: for estimates of time."""
        return self.num_parameters if self.macs is None else self.macs

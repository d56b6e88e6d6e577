"""What two steps on copies of a model have shown before its training. No torch here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Rehearsed:
    """How a model is trained and what is to be said of it.

    Attributes
    ----------
    memory_format : of its weights and inputs; contiguous where the other ends its process
    warnings : what makes its numbers mean something else than they seem to, a line each; they stand
        in `run.json` and on the page
    notes : what `check` says beside them
    """

    memory_format: Literal["channels_last", "contiguous"] = "channels_last"
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def rehearsed_from(plain: Mapping[str, Any]) -> Rehearsed:
    """Read what `dataclasses.asdict` gave."""
    return Rehearsed(plain["memory_format"], tuple(plain["warnings"]), tuple(plain["notes"]))

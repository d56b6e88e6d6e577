"""What a row of a profile says in plain words; probes and measures define it beside them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from priorscope.errors import InputError


@dataclass(frozen=True)
class Bias:
    """What a number says of an architecture.

    A measure's file has one, `BIAS`, about its first arm. A probe's file has `BIASES`, by family of
    arms: `patch_shuffle` is about the arms `patch_shuffle_2`, `patch_shuffle_4` and so on together.

    Attributes
    ----------
    title : what the row is called
    low, high : what a low and a high value mean, as short clauses
    caution : what it does not mean, as a sentence
    control : of a probe: the arm whose score, above chance, is all that could be left
    """

    title: str
    low: str
    high: str
    caution: str
    control: str = "intact"


def plain_biases(found: Any, where: str) -> dict[str, dict[str, Any]]:
    """Return a component's biases as plain values, by family of arms; a measure's has no name.

    Parameters
    ----------
    found : a `Bias`, a mapping of families to them, or None

    Raises
    ------
    InputError : it is something else
    """
    by_family = {"": found} if isinstance(found, Bias) else found or {}
    wrong = not isinstance(by_family, Mapping) or [
        each for each in by_family.values() if not isinstance(each, Bias)
    ]
    if wrong:
        raise InputError(
            "what a profile says is a Bias",
            where=where,
            found=type(found).__name__,
            allowed="BIAS = Bias(...) of a measure, BIASES = {family: Bias(...)} of a probe",
        )
    return {family: asdict(bias) for family, bias in by_family.items()}

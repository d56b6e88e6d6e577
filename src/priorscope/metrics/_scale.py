"""What the numbers of a metric mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NONE = "\N{EN DASH}"  # what stands where there is no number
NBSP = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Scale:
    """Range, unit and words of a metric's mean.

    Attributes
    ----------
    words : what is measured, as a phrase that can start a heading
    low, high : what a mean can be, in the metric's own numbers; None has no bound
    symbol : what stands behind a shown value: "%", "of 4", "nats" or nothing
    difference_symbol : what stands behind a shown difference
    factor : shown value / own value
    decimals : digits behind the point of a shown value
    """

    words: str
    low: float | None = None
    high: float | None = None
    symbol: str = ""
    difference_symbol: str = ""
    factor: float = 1.0
    decimals: int = 3

    def value(self, value: float | None, *, signed: bool = False) -> str:
        """Write a value without its symbol."""
        if value is None:
            return NONE
        return decimal(value * self.factor, self.decimals, signed=signed)

    def interval(self, low: float | None, high: float | None, *, signed: bool = False) -> str:
        """Write "[low, high]"; nothing when there is no interval."""
        if low is None or high is None:
            return ""
        return f"[{self.value(low, signed=signed)}, {self.value(high, signed=signed)}]"

    def amount(self, value: float | None, *, signed: bool = False, more: int = 0) -> str:
        """Write a difference with its symbol, with `more` digits than a value has."""
        if value is None:
            return NONE
        text = decimal(value * self.factor, self.decimals + more, signed=signed)
        return f"{text} {self.difference_symbol or self.symbol}".strip()

    def estimate(self, row: Mapping[str, Any] | None) -> str:
        """Write "estimate [low, high]" for a table's cell."""
        if row is None:
            return NONE
        return f"{self.value(row['estimate'])} {self.interval(row['low'], row['high'])}".strip()

    def difference(self, row: Mapping[str, Any]) -> str:
        """Write "difference [low, high]" with signs, for a table's cell."""
        value = self.value(row["difference"], signed=True)
        return f"{value} {self.interval(row['low'], row['high'], signed=True)}".strip()

    @property
    def heading(self) -> str:
        """Write the words with their unit, for a table's head or an axis."""
        return f"{self.words},{NBSP}{self.symbol}" if self.symbol else self.words

    @property
    def phrase(self) -> str:
        """Write the words as they stand within a sentence."""
        return f"{self.words[0].lower()}{self.words[1:]}"

    @property
    def span(self) -> float | None:
        """Return how far two means can lie apart; None where there is no bound."""
        return None if self.low is None or self.high is None else self.high - self.low


def share(words: str) -> Scale:
    """Return the scale of a part of all, 0 .. 1, shown in percent."""
    return Scale(words, 0.0, 1.0, "%", "pp", 100.0, 1)


def decimal(value: float, decimals: int, *, signed: bool = False) -> str:
    """Write a number with a true minus sign and never a negative zero."""
    text = f"{value:+,.{decimals}f}" if signed else f"{value:,.{decimals}f}"
    if not text.strip("+-0.,"):
        text = text.lstrip("+-")
    return text.replace("-", "\N{MINUS SIGN}")

"""How numbers and names are written in a report."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from priorscope.report.artefacts import Artefacts, Row

NONE = "\N{EN DASH}"  # what a table shows where there is no number
NBSP = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Unit:
    """How the values of a metric are shown.

    Attributes
    ----------
    metric : what is measured, as a phrase that can start a heading
    symbol : what stands behind a value: "%", "of 4" or nothing
    difference_symbol : what stands behind a difference
    factor : shown value / stored value
    decimals : digits behind the point
    """

    metric: str
    symbol: str
    difference_symbol: str
    factor: float
    decimals: int

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

    def estimate(self, row: Row | None) -> str:
        """Write "estimate [low, high]" for a table's cell."""
        if row is None:
            return NONE
        return f"{self.value(row['estimate'])} {self.interval(row['low'], row['high'])}".strip()

    def difference(self, row: Row) -> str:
        """Write "difference [low, high]" with signs, for a table's cell."""
        value = self.value(row["difference"], signed=True)
        return f"{value} {self.interval(row['low'], row['high'], signed=True)}".strip()

    @property
    def heading(self) -> str:
        """Write the metric with its unit, for a table's head or an axis."""
        return f"{self.metric},{NBSP}{self.symbol}" if self.symbol else self.metric


def unit(artefacts: Artefacts, probe: str, arm: str, metric: str) -> Unit:
    """Choose how a metric is shown: shares in percent, Top-k matching as 0 .. k."""
    return unit_of(metric, artefacts.largest_score(probe, arm, metric))


def unit_of(metric: str, k: int | None) -> Unit:
    """Choose how a metric is shown whose largest score is k; None where it is not known."""
    if metric == "top_k_matching":
        if k == 1:
            return Unit("Top-1 accuracy", "%", "pp", 100, 1)
        if k is None:
            return Unit("Top-k matching", "", "", 1, 2)
        return Unit(f"Top-{k} matching", f"of {k}", "", 1, 2)
    if found := re.fullmatch(r"top_?(\d+)", metric):
        return Unit(f"Top-{found[1]} accuracy", "%", "pp", 100, 1)
    return Unit(plain(metric), "", "", 1, 3)


def decimal(value: float, decimals: int, *, signed: bool = False) -> str:
    """Write a number with a true minus sign and never a negative zero."""
    text = f"{value:+,.{decimals}f}" if signed else f"{value:,.{decimals}f}"
    if not text.strip("+-0.,"):
        text = text.lstrip("+-")
    return text.replace("-", "\N{MINUS SIGN}")


def p_value(p: float | None) -> str:
    """Write a p-value with three decimals, or as smaller than 0.001."""
    if p is None:
        return NONE
    return f"<{NBSP}0.001" if p < 0.001 else f"{p:.3f}"


def magnitude(value: float | None) -> str:
    """Write a large count with three digits: 272474 -> "272 k"."""
    if value is None:
        return NONE
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.9995:
            return f"{value / size:.3g}{NBSP}{letter}" if value < 999.5 * size else f"{value:.3g}"
    return f"{value:g}"


def count(value: float | None) -> str:
    """Write a whole number with separators."""
    return NONE if value is None else f"{round(value):,}"


def seconds(value: float | None) -> str:
    """Write a duration: "42.1 s", "12 min 5 s", "3 h 20 min"."""
    if value is None:
        return NONE
    if value < 59.95:
        return f"{value:.1f}{NBSP}s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60}{NBSP}min {whole % 60}{NBSP}s"
    return f"{whole // 3600}{NBSP}h {whole % 3600 // 60}{NBSP}min"


def plain(name: str) -> str:
    """Write an identifier as words: "single_tile" -> "single tile"."""
    return name.replace("_", " ")


def listed(items: Iterable[str], *, most: int = 12) -> str:
    """Join items as in a sentence: "a, b and c"; a long list ends with a count of the rest."""
    items = list(items)
    if len(items) > most:
        items = [*items[: most - 1], f"{len(items) - most + 1} more"]
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def counted(number: int, noun: str) -> str:
    """Write "one seed", "3 seeds"."""
    words = ["no", "one", "two", "three", "four", "five", "six"]
    return f"{words[number] if number < len(words) else f'{number:,}'} {noun}" + (
        "" if number == 1 else "s"
    )


def setting(value: object) -> str:
    """Write a study's value as a reader expects it: lists joined, no Python syntax."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{key}={setting(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(setting(item) for item in value) or "none"
    return str(value)


def file_stem(text: str) -> str:
    """Make a name safe as a file name on every system."""
    return re.sub(r"[^\w-]+", "-", text).strip("-")[:80] or "unnamed"

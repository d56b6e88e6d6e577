"""How numbers and names are written in a report."""

import re
from collections.abc import Iterable

from priorscope.metrics import NBSP, NONE


def p_value(p: float | None, *, smallest: float = 0.001) -> str:
    """Write a p-value with three decimals, or as below the smallest that is claimed."""
    if p is None:
        return NONE
    return f"<{NBSP}{smallest:g}" if p < smallest else f"{p:.3f}"


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

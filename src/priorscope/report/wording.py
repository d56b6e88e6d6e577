"""How numbers, names and the making of intervals are written in a report."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from priorscope.metrics import NBSP, NONE, Scale
from priorscope.study.levels import listed_levels, written

if TYPE_CHECKING:  # plans are printed without the libraries of an analysis
    from priorscope.analysis import Findings, Scored

Row = dict[str, Any]
MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
MOST_MODELS = 6  # named in words


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


def spanned(values: Iterable[int]) -> str:
    """Write whole numbers as one, or as the span of them: "200 to 800"."""
    found = sorted(set(values))
    return count(found[0]) if len(found) == 1 else f"{count(found[0])} to {count(found[-1])}"


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


def capital(text: str) -> str:
    """Begin with a capital."""
    return f"{text[:1].upper()}{text[1:]}"


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


def counted_seeds(numbers: Iterable[int]) -> str:
    """Write "two seeds", or "1 to 3 seeds"."""
    found = sorted(set(numbers))
    return counted(found[0], "seed") if len(found) == 1 else f"{found[0]} to {found[-1]} seeds"


def named_models(models: Sequence[str]) -> str:
    """Name a few models, count many."""
    return listed(models) if len(models) <= MOST_MODELS else counted(len(models), "model")


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


def cell_title(cell: str) -> str:
    """Write the name of a cell as a heading: "task far relation, train fraction 0.1"."""
    return plain(cell.replace("=", " ").replace(",", ", "))


def levels_title(levels: Iterable[tuple[str, Any]]) -> str:
    """Write levels as a heading, as `cell_title` does."""
    return plain(listed_levels(levels))


def level_text(value: Any) -> str:
    """Write a level for an axis or a table."""
    return plain(written(value))


def confidence(results: "Findings") -> str:
    """Name the level of the intervals: "95 %"."""
    return f"{100 * results.settings.confidence:g}{NBSP}%"


def with_unit(text: str, symbol: str) -> str:
    """Set a unit behind an estimate's number, before its interval: "2.0 % [1.8, 2.2]"."""
    if not symbol:
        return text
    number, space, interval = text.partition(" ")
    return f"{number}{NBSP}{symbol.replace(' ', NBSP)}{space}{interval}"


def difference(scale: Scale, row: Row, key: str = "difference") -> str:
    """Write "difference [low, high] pp" for a table's cell."""
    return f"{scale.difference({**row, 'difference': row[key]})} {scale.difference_symbol}".strip()


def interval_note(results: "Findings", columns: "Mapping[Scored, str]") -> str:
    """Say how the intervals of these columns, by heading, were made, and what chance is."""
    used: dict[str, dict[str, None]] = {}
    for scored, heading in columns.items():
        for row in results.estimates_of(scored):
            used.setdefault(plain(row["method"]), {})[heading] = None
    methods = list(used)
    if len(methods) > 1:
        methods = [f"{listed(headings)}: {method}" for method, headings in used.items()]
    chances = dict.fromkeys(
        f"{heading}: {words}" if len(columns) > 1 else words
        for scored, heading in columns.items()
        if (words := results.chance_words(scored))
    )
    said = f" Chance: {'; '.join(chances)}." if chances else ""
    return f"Brackets: {confidence(results)} intervals. {capital('; '.join(methods))}.{said}"


def sample_size(rows: Sequence[Row]) -> str:
    """Say from how many seeds and images rows were computed."""
    seeds = {row["num_seeds"] for row in rows if row["num_seeds"] is not None}
    images = {row["n"] for row in rows if row["n"] is not None}
    parts = [counted_seeds(seeds)] if seeds else []
    return ", ".join([*parts, *([f"{spanned(images)} images"] if images else [])])


def file_stem(text: str) -> str:
    """Make a name safe as a file name on every system."""
    return re.sub(r"[^\w-]+", "-", text).strip("-")[:80] or "unnamed"

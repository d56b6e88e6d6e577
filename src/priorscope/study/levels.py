"""Factors of a study and their levels: plain values, and how they are written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

LevelValue = str | int | float | bool  # what identifies a level
Levels = tuple[tuple[str, LevelValue], ...]  # (factor, value) of each factor: one cell of a study


@dataclass(frozen=True)
class Level:
    """One level: what tables call it, and what it sets each of the factor's keys to."""

    value: LevelValue
    settings: tuple[Any, ...]


@dataclass(frozen=True)
class Factor:
    """What is varied for all models alike.

    Attributes
    ----------
    keys : what it sets, each `data.<key>` or `recipe.<key>`
    levels : at least two, of different values
    """

    name: str
    keys: tuple[str, ...]
    levels: tuple[Level, ...]

    @property
    def values(self) -> tuple[LevelValue, ...]:
        """List the values of the levels."""
        return tuple(level.value for level in self.levels)

    def as_dict(self) -> dict[str, Any]:
        """Return the factor as plain values."""
        return {
            "keys": list(self.keys),
            "values": list(self.values),
            "settings": [[_plain(each) for each in level.settings] for level in self.levels],
        }


def _plain(setting: Any) -> Any:
    if isinstance(setting, tuple):
        return list(setting)
    return setting.as_dict() if hasattr(setting, "as_dict") else setting  # a component


def written(value: LevelValue) -> str:
    """Write a level's value: "0.05", "far_relation", "true"; 1.0 is "1"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def cell_name(levels: Iterable[tuple[str, LevelValue]]) -> str:
    """Name a cell: "task=far_relation,train_fraction=0.05"; empty in a study without factors."""
    return ",".join(f"{name}={written(value)}" for name, value in levels)


def listed_levels(levels: Iterable[tuple[str, LevelValue]]) -> str:
    """Write levels for a sentence: "task far_relation, train_fraction 0.05"."""
    return ", ".join(f"{name} {written(value)}" for name, value in levels)


def trained_name(model: str, levels: Mapping[str, LevelValue]) -> str:
    """Name a model as it was trained in a cell: "vit", or "vit at task far_relation"."""
    return f"{model} at {listed_levels(levels.items())}" if levels else model


def cells_of(factors: Mapping[str, Iterable[LevelValue]]) -> list[Levels]:
    """Cross the values of all factors, the last changing fastest; one empty cell without any."""
    cells: list[Levels] = [()]
    for name, values in factors.items():
        cells = [(*cell, (name, value)) for cell in cells for value in values]
    return cells


def recorded_factors(study: Mapping[str, Any]) -> dict[str, list[LevelValue]]:
    """Return the values of each factor from the `study` of `study.json`."""
    return {name: list(factor["values"]) for name, factor in (study.get("factors") or {}).items()}

"""At which level of a factor the difference of two models changes its sign."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from priorscope.analysis.compare import Row, difference_range, possible
from priorscope.analysis.effects import lines, main_arms, named
from priorscope.claims import ArmScores, Settings
from priorscope.stats import crossed_contrast, zero_crossing
from priorscope.study.levels import Levels, LevelValue, recorded_factors, written


def crossing_rows(
    arms: list[ArmScores], record: Mapping[str, Any], settings: Settings
) -> list[Row]:
    """List the pairs of models whose difference is shown to change its sign along a factor.

    Of factors whose levels are numbers, at three levels or more: the difference is clearly on one
    side of zero at the lowest level, and clearly on the other at the highest. `first` and `second`
    are the differences a minus b there, `low` and `high` the levels that bracket the change.

    Parameters
    ----------
    arms : of all cells, as `read_scores` gives them
    record : `study.json`
    """
    factors = recorded_factors(record["study"])
    of_numbers = {name: values for name, values in factors.items() if _is_dial(values)}
    rows = []
    for factor, others, line in lines(main_arms(arms), factors, only=of_numbers):
        if len(line) >= 3:
            rows += _crossings(factor, others, dict(sorted(line.items())), settings)
    return rows


def _is_dial(values: list[LevelValue]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _crossings(
    factor: str, others: Levels, line: Mapping[LevelValue, ArmScores], settings: Settings
) -> list[Row]:
    arms, rows = list(line.values()), []
    models = [model for model in arms[0].scores if all(model in arm.scores for arm in arms)]
    span = difference_range(arms[0].scale)
    ends = [written(value) for value in (min(line), max(line))]
    for a, b in combinations(models, 2):
        effects = [
            crossed_contrast(
                [arm.scores[a], -arm.scores[b]],
                confidence=settings.confidence,
                clusters=arm.units,
            )
            for arm in arms
        ]
        drawn = [[getattr(e, end) for e in effects] for end in ("estimate", "low", "high")]
        found = zero_crossing([float(level) for level in line], *map(np.array, drawn))
        if found is None:
            continue
        first, second = effects[0], effects[-1]
        rows.append(
            named("crossing", a, b, factor, others, arms[0])
            | {"level": ends[0], "against": ends[1]}
            | {"first": first.estimate, **possible(first, span, name="first")}
            | {"second": second.estimate, **possible(second, span, name="second")}
            | {"estimate": found.estimate, "low": found.low, "high": found.high, "bound": "exact"}
            | {"low_bound": "exact", "high_bound": "exact"}
            | {"method": f"{found.method}; at each: {first.method}", "n": first.n}
            | {"num_seeds": min(min(effect.num_seeds) for effect in effects)}
        )
    return rows

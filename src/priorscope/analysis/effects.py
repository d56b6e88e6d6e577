"""What factors do: interactions, data multipliers, and shares of the variance.

All of it is about the arm that a probe is about, and its own metric. A row compares cells on
purpose; nothing here is averaged over a factor but the terms of the analysis of variance.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations, permutations
from typing import Any

import numpy as np

from priorscope.analysis.compare import Row, difference_range, possible
from priorscope.claims import ArmScores, Settings
from priorscope.stats import (
    balanced_anova,
    crossed_bootstrap,
    crossed_contrast,
    data_multiplier,
    holm,
    interaction,
)
from priorscope.study.levels import Levels, LevelValue, cell_name, recorded_factors, written

_MOST_RESAMPLES = 2000
_SIZE_KEYS = ("data.train_fraction", "data.num_train")
SEEDS = "seed"  # the term that is left to the replicates


def effect_rows(arms: list[ArmScores], record: Mapping[str, Any], settings: Settings) -> list[Row]:
    """Return interactions of pairs of models with factors, then data multipliers.

    `interaction`: (a minus b at `level`) minus (a minus b at `against`), for every factor with its
    first level as `level`, at every level of the others. Holm's correction is over all of them.

    `data_multiplier`: how many times more training images b needs to reach what a scores at `level`
    of a factor that sets their number. Not where a does not score above chance there: it has not
    learnt anything that could be reached.

    Parameters
    ----------
    arms : of all cells, as `read_scores` gives them
    record : `study.json`
    """
    main, rows = main_arms(arms), []
    for factor, others, line in lines(main, recorded_factors(record["study"])):
        values = list(line)
        rows += [
            row
            for value in values[1:]
            for row in _interactions(factor, others, line[values[0]], line[value], settings)
        ]
    adjusted = holm(np.array([row["p_value"] for row in rows])).tolist() if rows else []
    rows = [row | {"p_adjusted": p} for row, p in zip(rows, adjusted, strict=True)]
    counts = {
        entry["cell"]: entry["data"]["train"]["num_images"] for entry in record.get("cells", [])
    }
    for factor in size_factors(record):
        values = {factor: recorded_factors(record["study"])[factor]}
        for _, others, line in lines(main, recorded_factors(record["study"]), only=values):
            sizes = {value: counts.get(arm.cell, 0) for value, arm in line.items()}
            rising = dict(sorted(line.items(), key=lambda item: sizes[item[0]]))
            rows += _multipliers(factor, others, rising, sizes, settings)
    return rows


def variance_rows(arms: list[ArmScores], record: Mapping[str, Any]) -> list[Row]:
    """Split the variance of the runs' mean scores into architecture, factors and seeds.

    Over the seeds that every model has in every cell; nothing where there is none, since the terms
    of a crossing with holes cannot be told apart.
    """
    factors, rows = recorded_factors(record["study"]), []
    by_probe: dict[tuple[str, str, str], list[ArmScores]] = {}
    for arm in main_arms(arms):
        by_probe.setdefault((arm.probe, arm.arm, arm.metric), []).append(arm)
    for (probe, name, metric), cells in by_probe.items():
        models = list(dict.fromkeys(run["model"] for run in record["plan"]))
        shape = [len(values) for values in factors.values()]
        complete = len(cells) == int(np.prod(shape)) and len(models) > 1
        if not complete or any(set(cell.scores) != set(models) for cell in cells):
            continue
        seeds = set.intersection(*(set(cell.seeds[model]) for cell in cells for model in models))
        if not seeds:
            continue
        means = [
            [_seed_means(cell, model, sorted(seeds)) for cell in cells] for model in models
        ]  # cells are in the order of `cells_of`: the last factor changes fastest
        values = np.array(means).reshape(len(models), *shape, len(seeds))
        for term in balanced_anova(values, ["model", *factors]):
            rows.append(
                {"probe": probe, "arm": name, "metric": metric}
                | {"term": ":".join(term.factors) or SEEDS, "source": _source(term.factors)}
                | {"sum_sq": term.sum_sq, "df": term.df, "share": term.share}
                | {"share_adjusted": _known(term.share_adjusted), "f": _known(term.f)}
                | {"p_value": _known(term.p_value), "num_seeds": len(seeds)}
            )
    return rows


def main_arms(arms: list[ArmScores]) -> list[ArmScores]:
    """Keep, in each cell, the arm that each probe is about, with the metric that fits it."""
    first: dict[tuple[str, str], ArmScores] = {}
    for arm in arms:
        first.setdefault((arm.cell, arm.probe), arm)
    return list(first.values())


def lines(
    arms: list[ArmScores],
    factors: Mapping[str, list[LevelValue]],
    *,
    only: Mapping[str, list[LevelValue]] | None = None,
) -> Iterator[tuple[str, Levels, dict[LevelValue, ArmScores]]]:
    """Return the cells along one factor, while the probe and the levels of all others stay.

    Yields
    ------
    the factor, the levels of the others, and arm by level in the study's order; at least two
    """
    for factor in only or factors:
        groups: dict[tuple[str, Levels], dict[LevelValue, ArmScores]] = {}
        for arm in arms:
            others = tuple(level for level in arm.levels if level[0] != factor)
            groups.setdefault((arm.probe, others), {})[dict(arm.levels)[factor]] = arm
        for (_, others), line in groups.items():
            if len(line) > 1:
                yield factor, others, line


def size_factors(record: Mapping[str, Any]) -> list[str]:
    """Name the factors that set the number of training images."""
    factors = record["study"].get("factors") or {}
    return [name for name, factor in factors.items() if set(factor["keys"]) & set(_SIZE_KEYS)]


def _interactions(
    factor: str, others: Levels, one: ArmScores, other: ArmScores, settings: Settings
) -> list[Row]:
    rows = []
    both = [model for model in one.scores if model in other.scores]
    plain, double = (difference_range(one.scale, of_differences=d) for d in (False, True))
    for a, b in combinations(both, 2):
        found = interaction(
            [one.scores[a], -one.scores[b]],
            [other.scores[a], -other.scores[b]],
            same_images=one.examples == other.examples,
            confidence=settings.confidence,
            clusters=(one.units, other.units),
        )
        difference = found.difference
        rows.append(
            named("interaction", a, b, factor, others, one)
            | {"level": _level(one, factor), "against": _level(other, factor)}
            | {"first": found.first.estimate, **possible(found.first, plain, name="first")}
            | {"second": found.second.estimate, **possible(found.second, plain, name="second")}
            | {"estimate": difference.estimate, **possible(difference, double)}
            | {"p_value": difference.p_value, "crossing": found.crossing}
            | {"method": difference.method, "num_seeds": min(difference.num_seeds)}
            | {"n": difference.n}
        )
    return rows


def _multipliers(
    factor: str,
    others: Levels,
    line: Mapping[LevelValue, ArmScores],
    sizes: Mapping[LevelValue, int],
    settings: Settings,
) -> list[Row]:
    """Compare learning curves along a line of cells of rising size."""
    arms = list(line.values())
    counts = [sizes[value] for value in line]
    if min(counts) < 1 or len(set(counts)) < len(counts):
        return []
    models = [model for model in arms[0].scores if all(model in arm.scores for arm in arms)]
    curves = {model: np.array([arm.scores[model].mean() for arm in arms]) for model in models}
    resampled = _resampled_curves(arms, models, settings)
    rows = []
    for a, b in permutations(models, 2):
        num_seeds = min(len(each.scores[model]) for each in arms for model in (a, b))
        for at, arm in enumerate(arms):
            chance = arm.chance.expected if arm.chance.scores is None else arm.chance.scores
            learnt = crossed_contrast(
                [arm.scores[a] - chance],
                confidence=settings.confidence,
                clusters=arm.units,
            )
            if learnt.low <= 0:
                continue
            found = data_multiplier(
                curves[a],
                curves[b],
                counts,
                at=at,
                resampled=(resampled[a], resampled[b]),
                num_seeds=num_seeds,
                confidence=settings.confidence,
            )
            rows.append(
                named("data_multiplier", a, b, factor, others, arm)
                | {"level": _level(arm, factor), "num_images": counts[at]}
                | {"first": float(curves[a][at]), "second": float(curves[b][at])}
                | {"estimate": found.estimate.value, "bound": found.estimate.bound}
                | {"low": found.low.value, "low_bound": found.low.bound}
                | {"high": found.high.value, "high_bound": found.high.bound}
                | {"method": found.method, "num_seeds": num_seeds, "n": len(arm.ids)}
            )
    return rows


def _resampled_curves(
    arms: list[ArmScores], models: list[str], settings: Settings
) -> dict[str, np.ndarray]:
    """Resample seeds and images: model -> float [num_resamples, sizes].

    Sizes that were tested on the same images share the images of each resample.
    """
    columns: dict[tuple[str, int], np.ndarray] = {}
    for examples in dict.fromkeys(arm.examples for arm in arms):
        shared = [i for i, arm in enumerate(arms) if arm.examples == examples]
        keys = [(model, i) for i in shared for model in models]
        first = arms[shared[0]]
        means = crossed_bootstrap(
            [arms[i].scores[model] for model, i in keys],
            num_resamples=min(settings.num_resamples, _MOST_RESAMPLES),
            rng=settings.rng(first.cell, first.probe, first.arm, "curves"),
            clusters=first.units,
        )
        columns |= dict(zip(keys, means.T, strict=True))
    return {
        model: np.stack([columns[model, i] for i in range(len(arms))], axis=-1) for model in models
    }


def named(kind: str, a: str, b: str, factor: str, others: Levels, arm: ArmScores) -> Row:
    """Return the columns that say what a row of effects is about."""
    names = {"kind": kind, "a": a, "b": b, "factor": factor}
    names |= {"probe": arm.probe, "arm": arm.arm, "metric": arm.metric}
    return names | {"cell": cell_name(others), **dict(others)}


def _level(arm: ArmScores, factor: str) -> str:
    return written(dict(arm.levels)[factor])


def _seed_means(arm: ArmScores, model: str, seeds: list[int]) -> list[float]:
    rows = [arm.seeds[model].index(seed) for seed in seeds]
    return arm.scores[model][rows].mean(axis=1).tolist()


def _source(factors: tuple[str, ...]) -> str:
    """Say what a term is due to: the architecture, the factors, both together, or the seeds."""
    if not factors:
        return "seed"
    if factors == ("model",):
        return "architecture"
    return "architecture x factor" if "model" in factors else "factor"


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None

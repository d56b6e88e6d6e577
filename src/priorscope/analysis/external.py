"""Statistics on predictions that any other tool made: what `priorscope score` prints."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.analysis.answer_files import Answers, read_answers
from priorscope.analysis.compare import Settings
from priorscope.components import bind, companion, resolve
from priorscope.errors import InputError
from priorscope.metrics import Chance
from priorscope.stats import crossed_bootstrap, holm, mcnemar, sign_flip_test, wilson
from priorscope.tables import Reading

Record = dict[str, Any]


def parse_named_files(arguments: Sequence[str]) -> dict[str, Path]:
    """Read NAME=FILE arguments.

    Raises
    ------
    InputError : none, not of that form, or a name given twice
    """
    files: dict[str, Path] = {}
    for argument in arguments:
        name, equals, file = argument.partition("=")
        if not (name and equals and file):
            raise InputError(
                "predictions need a name",
                where="--predictions",
                found=argument,
                allowed="NAME=FILE",
            )
        if name in files:
            raise InputError("a name is given twice", where="--predictions", found=name)
        files[name] = Path(file)
    if not files:
        raise InputError("no predictions", where="--predictions", allowed="NAME=FILE")
    return files


def score_files(
    labels: Path,
    predictions: Mapping[str, Path],
    *,
    metric: str,
    k: int | None = None,
    probabilities: bool | None = None,
    reading: Reading | None = None,
    settings: Settings | None = None,
) -> Record:
    """Score files of predictions against a file of labels, and compare them in pairs.

    Every file has one row an example, in the same order or with ids. Labels are class ids, names of
    classes or multi-hot rows (one-hot rows are class ids where the metric wants those); predictions
    are probability or logit rows, or predicted class ids or names. The number of classes is the
    rows' length; where labels and all predictions are ids without gaps, it is the largest id + 1.

    Parameters
    ----------
    labels : CSV, NPY or Parquet
    predictions : name -> file
    metric : a metric's name, or ./file.py:callable
    k : passed on to the metric when given
    probabilities : whether all predictions are said to be probability rows, and so must be; None:
        only what looks like damaged probabilities is refused, see `check_probability_rows`
    reading : what the user says about the files, see `priorscope.tables`

    Returns
    -------
    `metric, num_examples, num_classes, chance {expected, pmf?}` (None where the metric has none),
    `notes [text]` (what was decided about the files),
    `models {name: {estimate, low, high, method, histogram?}}` (counts of the scores 0, 1, ...),
    `pairs [{a, b, difference, low, high, p_value, p_adjusted, test}]`, Holm over all pairs

    Raises
    ------
    InputError : files that cannot be read or do not fit each other or the metric
    """
    settings = settings or Settings()
    function = resolve("metrics", metric, base=Path.cwd(), where="--metric")
    parameters = bind(function, {} if k is None else {"k": k}, where=f"--metric {metric}")
    answers, notes = read_answers(
        labels, predictions, metric=metric, probabilities=probabilities, reading=reading
    )
    scores: dict[str, np.ndarray] = {}
    first = next(iter(answers.values())).predictions
    find_chance = companion(function, "chance")
    chance: Chance | None = find_chance(first, **parameters) if find_chance else None
    for name, answer in answers.items():
        _check_ids_suffice(answer, metric, parameters)
        found = function(answer.predictions, **parameters)
        scores[name] = _scores(found, len(first), metric, name)
    return {
        "metric": metric,
        "num_examples": len(first),
        "num_classes": first.num_classes,
        "notes": notes,
        "chance": _chance_record(chance),
        **_statistics(scores, chance, settings),
    }


def _check_ids_suffice(answer: Answers, metric: str, parameters: Mapping[str, Any]) -> None:
    """Refuse a metric that needs a ranking where only the most likely class is known."""
    if metric == "top1" or not answer.are_ids:
        return
    targets = answer.predictions.targets
    num_present = targets.sum(axis=1).max() if targets.ndim == 2 else 1
    k = parameters.get("k") or num_present
    if metric != "top_k_matching" or k > 1:
        raise InputError(
            f"{metric} needs a ranking of the classes, not predicted class ids alone",
            where=answer.path,
            found="one number a row" + (f", k = {k}" if metric == "top_k_matching" else ""),
            allowed="probability or logit rows",
        )


def _scores(scores: np.ndarray, n: int, metric: str, name: str) -> np.ndarray:
    scores = np.asarray(scores, dtype=float)
    if scores.shape != (n,) or not np.isfinite(scores).all():
        raise InputError(
            "a metric must give one finite score an example",
            where=f"--metric {metric}, on {name}",
            found=f"shape {list(scores.shape)}",
            allowed=f"finite numbers of shape [{n}]",
        )
    return scores


def _statistics(scores: dict[str, np.ndarray], chance: Chance | None, settings: Settings) -> Record:
    """Estimate every model's mean, and compare all pairs: `models` and `pairs`."""
    pmf = None if chance is None else chance.pmf
    # Counts 0 .. k that happen to be only 0 and 1 are still no proportion.
    proportion = (
        len(pmf) == 2
        if pmf
        else all(np.isin(of_model, (0, 1)).all() for of_model in scores.values())
    )
    resampled = crossed_bootstrap(
        [of_model[None] for of_model in scores.values()],
        num_resamples=settings.num_resamples,
        rng=settings.rng("score"),
    )
    means = dict(zip(scores, resampled.T, strict=True))
    models: dict[str, Record] = {}
    for name, of_model in scores.items():
        n = len(of_model)
        low, high = settings.interval(means[name])
        method = f"bootstrap over {n:,} examples"
        if proportion:
            found = wilson(int(of_model.sum()), n, confidence=1 - settings.alpha)
            low, high, method = found.low, found.high, "Wilson score interval"
        models[name] = {"estimate": float(of_model.mean()), "low": low, "high": high}
        models[name]["method"] = method
        if pmf:
            counts = np.bincount(of_model.astype(int), minlength=len(pmf))
            models[name]["histogram"] = counts.tolist()
    pairs = []
    for a, b in combinations(scores, 2):
        low, high = settings.interval(means[a] - means[b])
        test = (
            mcnemar(scores[a], scores[b])
            if proportion
            else sign_flip_test(
                scores[a] - scores[b],
                num_resamples=settings.num_resamples,
                rng=settings.rng("score", a, b),
            )
        )
        pairs.append(
            {"a": a, "b": b, "difference": test.difference, "low": low, "high": high}
            | {"p_value": test.p_value, "test": test.method}
        )
    adjusted = holm(np.array([pair["p_value"] for pair in pairs]))
    for pair, p_adjusted in zip(pairs, adjusted, strict=True):
        pair["p_adjusted"] = float(p_adjusted)
    return {"models": models, "pairs": pairs}


def _chance_record(chance: Chance | None) -> Record | None:
    if chance is None:
        return None
    pmf = {} if chance.pmf is None else {"pmf": list(chance.pmf)}
    return {"expected": chance.expected, **pmf}

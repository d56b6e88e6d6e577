"""Statistics on predictions that any other tool made: what `priorscope score` prints."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.analysis.answer_files import Answers, read_answers
from priorscope.analysis.compare import comparison_rows, estimate, with_holm
from priorscope.analysis.scores import BALANCED
from priorscope.claims import ArmScores, Settings
from priorscope.components import bind, companion, resolve
from priorscope.errors import InputError
from priorscope.metrics import Chance, chance_of, num_tied, scale_of, unequal_classes
from priorscope.metrics.balanced_accuracy import balanced_accuracy
from priorscope.tables import NamedArray, Reading

Record = dict[str, Any]
_GIVEN = ", given the trained networks"  # `score` knows of no others


def score_files(
    labels: Path | NamedArray,
    predictions: Mapping[str, Path | NamedArray],
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
    labels : CSV, NPY or Parquet, or an array
    predictions : name -> file or array
    metric : a metric's name, or ./file.py:callable
    k : passed on to the metric when given
    probabilities : whether all predictions are said to be probability rows, and so must be; None:
        only what looks like damaged probabilities is refused, see `check_probability_rows`
    reading : what the user says about the files, see `priorscope.tables`

    Returns
    -------
    `metric, num_examples, num_classes, chance {expected, answer, pmf?}`, `unequal_classes` (whether
    the labels' frequencies are clearly not equal), `notes [text]` (what was decided about the
    files),
    `models {name: {estimate, low, high, method, histogram?, num_tied?, balanced_accuracy?}}`
    (counts of the scores 0, 1, ...; rows in which several classes share the first place),
    `pairs [{a, b, difference, low, high, p_value, p_adjusted, test}]`, Holm over all pairs.
    By the same inference as a study's report

    Raises
    ------
    InputError : files that cannot be read or do not fit each other or the metric
    """
    settings = settings or Settings()
    function = resolve("metrics", metric, base=Path.cwd(), where="--metric")
    parameters = bind(function, {} if k is None else {"k": k}, where=f"--metric {metric}")
    answers, notes = read_answers(labels, predictions, probabilities=probabilities, reading=reading)
    scores: dict[str, np.ndarray] = {}
    for name, answer in answers.items():
        _check_ids_suffice(answer, metric, parameters)
        # A metric that takes a softmax of logits must not take one of probabilities.
        given = answer.as_logits() if companion(function, "SOFTMAX") else answer.predictions
        try:
            found = function(given, **parameters)
        except InputError as error:
            error.where = error.where or str(
                labels.name if isinstance(labels, NamedArray) else labels
            )
            raise
        scores[name] = _scores(found, len(given), metric, name)
    first = next(iter(answers.values())).predictions
    arm = ArmScores(
        probe="",
        arm="",
        metric=metric,
        ids=first.ids,
        clusters=None,
        chance=chance_of(function, first, **parameters),
        scale=scale_of(function, first, metric, **parameters),
        scores={name: of_model[None] for name, of_model in scores.items()},
        seeds=dict.fromkeys(scores, (0,)),
        num_tied={name: (num_tied(answer.predictions),) for name, answer in answers.items()},
    )
    record = {
        "metric": metric,
        "num_examples": len(first),
        "num_classes": first.num_classes,
        "notes": notes,
        "chance": _chance_record(arm.chance),
        "unequal_classes": unequal_classes(first),
        **_statistics(arm, settings),
    }
    if metric == "top1":
        for name, answer in answers.items():
            balanced = float(balanced_accuracy(answer.predictions).mean())
            record["models"][name][BALANCED] = balanced
    return record


def _check_ids_suffice(answer: Answers, metric: str, parameters: Mapping[str, Any]) -> None:
    """Refuse a metric that needs a ranking where only the most likely class is known."""
    if metric in ("top1", BALANCED) or not answer.are_ids:
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


def _statistics(arm: ArmScores, settings: Settings) -> Record:
    """Estimate every model's mean, and compare all pairs: `models` and `pairs`."""
    models: dict[str, Record] = {}
    for name, (scores,) in arm.scores.items():
        found = estimate(scores[None], arm.scale, settings)
        models[name] = {"estimate": found.estimate, "low": found.low, "high": found.high}
        models[name]["method"] = found.method
        if arm.chance.pmf is not None:
            # A score between two counts, of classes that tie, counts as either by its part.
            values = np.arange(len(arm.chance.pmf))
            shares = np.maximum(1 - np.abs(scores[:, None] - values), 0.0).sum(axis=0)
            counts = np.round(shares, 9)
            models[name]["histogram"] = [int(c) if c == int(c) else float(c) for c in counts]
        if tied := arm.num_tied[name][0]:
            models[name]["num_tied"] = tied
    pairs = [
        {key: row[key] for key in ("a", "b", "difference", "low", "high", "p_value", "p_adjusted")}
        | {"test": row["test"].removesuffix(_GIVEN)}
        for row in with_holm(comparison_rows(arm, settings))
    ]
    return {"models": models, "pairs": pairs}


def _chance_record(chance: Chance) -> Record:
    pmf = {} if chance.pmf is None else {"pmf": list(chance.pmf)}
    return {"expected": chance.expected, "answer": chance.words, **pmf}

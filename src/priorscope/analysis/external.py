"""Statistics on predictions that any other tool made: what `priorscope score` prints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.analysis.compare import comparison_rows, estimate, with_holm
from priorscope.analysis.number_files import read_numbers, row_of
from priorscope.analysis.probability_rows import check_probability_rows
from priorscope.analysis.scores import BALANCED
from priorscope.claims import ArmScores, Settings
from priorscope.components import bind, resolve
from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.metrics import Chance, chance_of, num_tied, scale_of, unequal_classes
from priorscope.metrics.balanced_accuracy import balanced_accuracy

Record = dict[str, Any]
_GIVEN = ", given the trained networks"  # `score` knows of no others
_LABELS = "a class id (0, 1, ...) a row, or a row of 0 and 1, one column a class; no names"


@dataclass(frozen=True, eq=False)
class _Source:
    """A file's numbers, and where they stand."""

    path: Path
    numbers: np.ndarray


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
    settings: Settings | None = None,
) -> Record:
    """Score files of predictions against a file of labels, and compare them in pairs.

    Every file has one row an example, in the same order. Labels are class ids or multi-hot rows
    (one-hot rows are class ids where the metric wants those); predictions are probability or
    logit rows, or predicted class ids. The number of classes is the rows' length; where labels
    and all predictions are ids, it is the largest id + 1.

    Parameters
    ----------
    labels : CSV, NPY or Parquet
    predictions : name -> file
    metric : a metric's name, or ./file.py:callable
    k : passed on to the metric when given
    probabilities : whether all predictions are said to be probability rows, and so must be; None:
        only what looks like damaged probabilities is refused, see `check_probability_rows`

    Returns
    -------
    `metric, num_examples, num_classes, chance {expected, answer, pmf?}`, `unequal_classes` (whether
    the labels' frequencies are clearly not equal),
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
    label_source = _Source(labels, read_numbers(labels, allowed=_LABELS))
    sources = {name: _Source(path, read_numbers(path)) for name, path in predictions.items()}
    for source in sources.values():
        _check_num_examples(label_source, source)
        check_probability_rows(source.numbers, path=source.path, claimed=probabilities)
    num_classes = _num_classes(label_source, list(sources.values()))
    targets = _targets(label_source, num_classes, metric)
    answers = {name: _predictions(source, targets, num_classes) for name, source in sources.items()}
    scores: dict[str, np.ndarray] = {}
    for name, answer in answers.items():
        if sources[name].numbers.ndim == 1:
            _check_ids_suffice(sources[name], targets, metric, parameters)
        scores[name] = _scores(function(answer, **parameters), len(targets), metric, name)
    first = next(iter(answers.values()))
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
        num_tied={name: (num_tied(answer),) for name, answer in answers.items()},
    )
    found = {
        "metric": metric,
        "num_examples": len(targets),
        "num_classes": num_classes,
        "chance": _chance_record(arm.chance),
        "unequal_classes": unequal_classes(first),
        **_statistics(arm, settings),
    }
    if metric == "top1":
        for name, answer in answers.items():
            found["models"][name][BALANCED] = float(balanced_accuracy(answer).mean())
    return found


def _check_num_examples(labels: _Source, source: _Source) -> None:
    if len(source.numbers) != len(labels.numbers):
        raise InputError(
            "labels and predictions differ in their number of rows",
            where=source.path,
            found=f"{len(source.numbers)} rows",
            allowed=f"{len(labels.numbers)}, as in {labels.path}",
        )


def _num_classes(labels: _Source, sources: list[_Source]) -> int:
    with_rows = [source for source in [labels, *sources] if source.numbers.ndim == 2]
    if not with_rows:
        return int(max(source.numbers.max() for source in [labels, *sources])) + 1
    num_classes = with_rows[0].numbers.shape[1]
    for source in with_rows:
        if source.numbers.shape[1] != num_classes:
            raise InputError(
                "rows of different lengths",
                where=source.path,
                found=f"{source.numbers.shape[1]} columns",
                allowed=f"{num_classes}, as in {with_rows[0].path}",
            )
    return num_classes


def _targets(labels: _Source, num_classes: int, metric: str) -> np.ndarray:
    """Give class ids, int64 [n], or the classes that are present, bool [n, num_classes]."""
    if labels.numbers.ndim == 1:
        return _class_ids(labels, num_classes, "label")
    wrong = ~np.isin(labels.numbers, (0, 1)).all(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            "labels with several columns are multi-hot rows",
            where=row_of(labels.path, row),
            found=labels.numbers[row].tolist(),
            allowed="0 (absent) and 1 (present)",
        )
    present = labels.numbers.astype(bool)
    if not present.any(axis=1).all():
        row = int(np.argmin(present.any(axis=1)))
        where = row_of(labels.path, row)
        raise InputError("a row without a class", where=where, allowed="at least one 1")
    if metric == "top1":
        if (present.sum(axis=1) > 1).any():
            row = int(np.argmax(present.sum(axis=1) > 1))
            raise InputError(
                "top1 does not apply to labels with several classes",
                where=row_of(labels.path, row),
                found=f"{present[row].sum()} classes present",
                allowed="one class id or one-hot row an example",
                hint="use --metric top_k_matching",
            )
        return present.argmax(axis=1)
    return present


def _class_ids(source: _Source, num_classes: int, what: str) -> np.ndarray:
    ids = source.numbers
    wrong = (ids != np.round(ids)) | (ids < 0) | (ids >= num_classes)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{what} out of range",
            where=row_of(source.path, row),
            found=f"{ids[row]:g}",
            allowed=f"whole numbers 0 .. {num_classes - 1}",
        )
    return ids.astype(np.int64)


def _predictions(source: _Source, targets: np.ndarray, num_classes: int) -> Predictions:
    """Give rows as they are; of a predicted class id, a row with 1 at that class."""
    logits = source.numbers
    if logits.ndim == 1:
        logits = np.eye(num_classes)[_class_ids(source, num_classes, "predicted class id")]
    n = len(targets)
    names = tuple(str(i) for i in range(num_classes))
    return Predictions(logits, targets, np.arange(n), {"arm": np.full(n, "")}, names)


def _check_ids_suffice(
    source: _Source, targets: np.ndarray, metric: str, parameters: Mapping[str, Any]
) -> None:
    """Refuse a metric that needs a ranking where only the most likely class is known."""
    if metric == "top1":
        return
    num_present = targets.sum(axis=1).max() if targets.ndim == 2 else 1
    k = parameters.get("k") or num_present
    if metric != "top_k_matching" or k > 1:
        raise InputError(
            f"{metric} needs a ranking of the classes, not predicted class ids alone",
            where=source.path,
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

"""How many of the k most likely classes are present (the 2021 report's Top 4 Matching)."""

import numpy as np

from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.metrics._chance import Chance
from priorscope.metrics._logits import finite_logits
from priorscope.stats import top_k_chance


def top_k_matching(predictions: Predictions, *, k: int | None = None) -> np.ndarray:
    """Count how many of the k most likely classes are present.

    Where targets are class ids one class is present, so the score is top-k accuracy's 0 or 1.
    Among equal logits the lower class id counts as more likely.

    Parameters
    ----------
    k : 1 .. num_classes; None: each row's number of present classes (1 for class ids)

    Returns
    -------
    float [n], whole numbers 0 .. k

    Raises
    ------
    InputError : k out of range, a row without a class, or a logit that is not finite
    """
    present = _present(predictions)
    k_of_row = _k_of_row(predictions, present, k)
    # A stable sort of the negated logits keeps equal ones in order of class id.
    order = np.argsort(-finite_logits(predictions), axis=1, kind="stable")
    among_k = np.arange(predictions.num_classes) < k_of_row[:, None]
    hits = np.take_along_axis(present, order, axis=1) & among_k
    return hits.sum(axis=1).astype(float)


def chance(predictions: Predictions, *, k: int | None = None) -> Chance:
    """Give the exact chance distribution: hypergeometric, mixed over the rows.

    Ten classes, 4 present and k = 4 give an expectation of 1.6. The pmf ends at the largest
    score that any row can reach.
    """
    present = _present(predictions)
    k_of_row = _k_of_row(predictions, present, k)
    pairs = np.stack([present.sum(axis=1), k_of_row], axis=1)
    pmf = np.zeros(pairs.min(axis=1).max() + 1)
    expected = []
    kinds, counts = np.unique(pairs, axis=0, return_counts=True)
    for (num_present, row_k), share in zip(kinds, counts / len(pairs), strict=True):
        row = top_k_chance(predictions.num_classes, int(num_present), int(row_k))
        pmf[: len(row.pmf)] += share * np.array(row.pmf)
        expected.append(share * row.expected)
    return Chance(float(sum(expected)), tuple(pmf.tolist()))


def _present(predictions: Predictions) -> np.ndarray:
    """Give the classes that are present, bool [n, num_classes]."""
    if predictions.targets.ndim == 2:
        return predictions.targets.astype(bool)
    return predictions.targets[:, None] == np.arange(predictions.num_classes)


def _k_of_row(predictions: Predictions, present: np.ndarray, k: int | None) -> np.ndarray:
    """Give each row's k, int [n]."""
    num_present = present.sum(axis=1)
    if len(present) and num_present.min() == 0:
        row = int(np.argmin(num_present))
        raise InputError(
            "a row without a class",
            where=f"row {row} (the first is 0), id {predictions.ids[row]}",
            allowed="at least one class present",
        )
    if k is None:
        return num_present
    if not 1 <= k <= predictions.num_classes:
        raise InputError(
            "k out of range", where="k", found=k, allowed=f"1 .. {predictions.num_classes}"
        )
    return np.full(len(present), k)

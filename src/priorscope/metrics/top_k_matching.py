"""How many of the k most likely classes are present (the 2021 report's Top 4 Matching)."""

import numpy as np

from priorscope.errors import InputError
from priorscope.evaluation import Predictions
from priorscope.metrics._chance import Chance, constant_chance
from priorscope.metrics._logits import finite_logits
from priorscope.metrics._scale import Scale, share
from priorscope.metrics._ties import shares_of_top
from priorscope.stats import top_k_chance


def top_k_matching(predictions: Predictions, *, k: int | None = None) -> np.ndarray:
    """Count how many of the k most likely classes are present.

    Where targets are class ids one class is present, so the score is top-k accuracy's 0 or 1.
    Classes that tie for the last of the k places share them, and count by their share.

    Parameters
    ----------
    k : 1 .. num_classes; None: each row's number of present classes (1 for class ids)

    Returns
    -------
    float [n], 0 .. k; whole numbers where nothing ties

    Raises
    ------
    InputError : k out of range, a row without a class, or a logit that is not finite
    """
    present = _present(predictions)
    k_of_row = _k_of_row(predictions, present, k)
    return (present * shares_of_top(finite_logits(predictions), k_of_row)).sum(axis=1)


def chance(predictions: Predictions, *, k: int | None = None) -> Chance:
    """Return the exact chance distribution: hypergeometric, mixed over the rows.

    Ten classes, 4 present and k = 4 give an expectation of 1.6. The pmf ends at the largest
    score that any row can reach. Where targets are class ids it is what the k most frequent classes
    score, answered to every image.
    """
    if predictions.targets.ndim == 1:
        found = constant_chance(top_k_matching, predictions, k=k)
        pmf = (1 - found.expected, found.expected)
        return Chance(found.expected, pmf, found.scores, found.words)
    present = _present(predictions)
    k_of_row = _k_of_row(predictions, present, k)
    pairs = np.stack([present.sum(axis=1), k_of_row], axis=1)
    pmf = np.zeros(pairs.min(axis=1).max() + 1)
    expected = []
    kinds, counts = np.unique(pairs, axis=0, return_counts=True)
    for (num_present, row_k), part in zip(kinds, counts / len(pairs), strict=True):
        row = top_k_chance(predictions.num_classes, int(num_present), int(row_k))
        pmf[: len(row.pmf)] += part * np.array(row.pmf)
        expected.append(part * row.expected)
    words = "classes named at random (hypergeometric)"
    return Chance(float(sum(expected)), tuple(pmf.tolist()), words=words)


def scale(predictions: Predictions, *, k: int | None = None) -> Scale:
    """Return a count of 0 .. the largest score that a row can reach; of one class, a share."""
    present = _present(predictions)
    k_of_row = _k_of_row(predictions, present, k)
    if predictions.targets.ndim == 1:
        return share(f"Top-{k_of_row[0] if len(k_of_row) else 1} accuracy")
    most = int(np.minimum(present.sum(axis=1), k_of_row).max())
    if most == 1:
        return share("Top-1 accuracy")
    return Scale(f"Top-{most} matching", 0.0, float(most), f"of {most}", "", 1.0, 2)


def _present(predictions: Predictions) -> np.ndarray:
    """Return the classes that are present, bool [n, num_classes]."""
    if predictions.targets.ndim == 2:
        return predictions.targets.astype(bool)
    return predictions.targets[:, None] == np.arange(predictions.num_classes)


def _k_of_row(predictions: Predictions, present: np.ndarray, k: int | None) -> np.ndarray:
    """Return each row's k, int [n]."""
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

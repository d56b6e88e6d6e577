"""Exact tests and closed forms that the audit needs beside `priorscope.stats`."""

from math import comb, factorial
from typing import Any

import numpy as np
from scipy.stats import norm

from priorscope.stats import holm

ALPHA, POWER = 0.05, 0.8
Z_ALPHA, Z_POWER = float(norm.isf(ALPHA / 2)), float(norm.ppf(POWER))
Row = dict[str, Any]


def add_holm(rows: list[Row], key: str) -> None:
    """Adjust the p-values `key` of a family of rows; the result is `key`_holm."""
    adjusted = holm(np.array([row[key] for row in rows]))
    for row, p in zip(rows, adjusted, strict=True):
        row[f"{key}_holm"] = float(p)


def exact_p(pmf: np.ndarray, observed: int) -> float:
    """Sum the probabilities of all outcomes that are at most as probable as the observed one."""
    return float(min(1.0, pmf[pmf <= pmf[observed] * (1 + 1e-7)].sum()))


def sum_pmf(pmf: np.ndarray, n: int) -> np.ndarray:
    """Give the distribution of the sum of n independent values with distribution `pmf`."""
    total = np.ones(1)
    for _ in range(n):
        total = np.convolve(total, pmf)
    return total


def shuffled_hits_pmf(answers: np.ndarray) -> np.ndarray:
    """Give the number of right answers when the classes of each background are shuffled.

    The null hypothesis is that answers depend on the background picture at most, not on the object.
    A background shows every class once, so its classes are then a random permutation. With class c
    answered m_c times, k given hits can be chosen in e_k(m) ways (elementary symmetric polynomial),
    and inclusion and exclusion gives the distribution (rook theory: Kaplansky & Riordan 1946).
    Each background expects one hit, whatever the answers.

    Parameters
    ----------
    answers : int [backgrounds, classes], the answered class

    Returns
    -------
    float [backgrounds * classes + 1]
    """
    num_classes = answers.shape[1]
    total = np.ones(1)
    for row in answers:
        ways = [1]
        for count in np.bincount(row, minlength=num_classes).tolist():
            ways = [a + count * b for a, b in zip([*ways, 0], [0, *ways], strict=True)]
        one = [
            sum(
                (-1) ** (k - hits) * comb(k, hits) * ways[k] * factorial(num_classes - k)
                for k in range(hits, num_classes + 1)
            )
            for hits in range(num_classes + 1)
        ]
        total = np.convolve(total, np.array(one) / factorial(num_classes))
    return total


def histogram_p(counts: np.ndarray, pmf: np.ndarray) -> float:
    """Test five counts against a distribution: the exact multinomial test.

    Parameters
    ----------
    counts : int [5]
    pmf : float [5]
    """
    n = int(counts.sum())
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    logs = np.log(pmf)

    def log_probability(x: list) -> np.ndarray:
        terms = (logs[i] * x[i] - log_factorial[x[i]] for i in range(5))
        return log_factorial[n] + sum(terms)

    limit = log_probability([int(c) for c in counts]) + 1e-9
    p_value = 0.0
    for a in range(n + 1):
        for b in range(n + 1 - a):
            rest = n - a - b
            c, d = np.tril_indices(rest + 1)  # d = 0 .. c and c = 0 .. rest: all splits of the rest
            logp = log_probability([a, b, rest - c, c - d, d])
            p_value += np.exp(logp[logp <= limit]).sum()
    return float(p_value)


def detectable_difference(discordance: float, n: int) -> float:
    """Give the smallest difference of two paired proportions found with 80 % power at alpha 5 %.

    Solves n d^2 = (z_a sqrt(q) + z_b sqrt(q - d^2))^2 for d (Connor 1987, Biometrics 43:207), with
    q the share of images on which exactly one model is right:
    d = sqrt(q) (z_a sqrt(n) + z_b sqrt(n + z_b^2 - z_a^2)) / (n + z_b^2).
    """
    root = Z_ALPHA * np.sqrt(n) + Z_POWER * np.sqrt(n + Z_POWER**2 - Z_ALPHA**2)
    return float(np.sqrt(discordance) * root / (n + Z_POWER**2))


def images_for_equivalence(discordance: float, margin: float) -> int:
    """Give the images that show equivalence with 80 % power where the true difference is 0.

    n = q (z_(1 - alpha) + z_((1 + power) / 2))^2 / margin^2, two one-sided tests at alpha 5 %.
    """
    z = norm.isf(ALPHA) + norm.ppf((1 + POWER) / 2)
    return int(np.ceil(discordance * (z / margin) ** 2))

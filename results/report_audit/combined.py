"""*Combined*: 100 mosaics, Top 4 Matching, the report's Table 2 and Figure 5."""

from itertools import combinations
from pathlib import Path

import numpy as np
from exact import Z_ALPHA, Z_POWER, Row, add_holm, exact_p, histogram_p, sum_pmf
from scipy.stats import norm

from priorscope.analysis.external import score_files

LABELS = "combined_labels.csv"
WITH_OUTPUTS, FILE = "ResNet50", "combined_resnet50_probabilities.csv"
PUBLISHED_MEANS = {"ViT": 1.93, "Local ViT": 2.13}  # Table 2; nothing else of them is published
K = 4


def means(paper: Path) -> tuple[list[Row], list[Row]]:
    """Give each model's mean with its test against chance, and the histogram that is known.

    Scores are whole numbers, so a mean of n fixes their sum, and the sum of n hypergeometric
    variables is all that an exact test against chance needs. Interval, spread and histogram need
    the outputs of each image.

    Raises
    ------
    InputError : a file is missing or damaged
    """
    files = {WITH_OUTPUTS: paper / FILE}
    found = score_files(paper / LABELS, files, metric="top_k_matching", k=K)
    n, chance, scored = found["num_examples"], found["chance"], found["models"][WITH_OUTPUTS]
    pmf, counts = np.array(chance["pmf"]), np.array(scored["histogram"])
    deviations = np.arange(len(counts)) - scored["estimate"]
    rows: list[Row] = [
        {"model": WITH_OUTPUTS, "mean": scored["estimate"], "n": n, "chance": chance["expected"]}
        | {"low": scored["low"], "high": scored["high"]}
        | {"standard_deviation": float(np.sqrt((counts * deviations**2).sum() / (n - 1)))}
        | {"p_histogram": histogram_p(counts, pmf)}
    ]
    rows += [
        {"model": model, "mean": mean, "n": n, "chance": chance["expected"]}
        | dict.fromkeys(("low", "high", "standard_deviation", "p_histogram"))
        for model, mean in PUBLISHED_MEANS.items()
    ]
    sums = sum_pmf(pmf, n)
    for row in rows:
        row["p_value"] = exact_p(sums, round(n * row["mean"]))
    add_holm(rows, "p_value")
    histogram = [
        {"score": score, "images": int(count), "n": n, "chance": float(share)}
        for score, (count, share) in enumerate(zip(counts, pmf, strict=True))
    ]
    return rows, histogram


def pairs(rows: list[Row]) -> list[Row]:
    """Say what two means of n images can show when the spread of one model alone is known.

    All models are taken to have that spread s. `p_unpaired` takes them to be independent; with
    correlation r between two models' scores of the same image, z grows by 1 / sqrt(1 - r), and
    `correlation_needed` is the r at which p reaches 5 %. `detectable` is
    (z_a + z_b) s sqrt(2 / n), found with 80 % power without pairs.
    """
    spread, n = rows[0]["standard_deviation"], rows[0]["n"]
    standard_error = spread * np.sqrt(2 / n)
    compared = []
    for a, b in combinations(rows, 2):
        z = abs(a["mean"] - b["mean"]) / standard_error
        compared.append(
            {"a": a["model"], "b": b["model"], "difference": a["mean"] - b["mean"]}
            | {"p_unpaired": float(2 * norm.sf(z))}
            | {"power_unpaired": float(norm.sf(Z_ALPHA - z) + norm.cdf(-Z_ALPHA - z))}
            | {"correlation_needed": float(max(0, 1 - (z / Z_ALPHA) ** 2))}
            | {"detectable": float((Z_ALPHA + Z_POWER) * standard_error)}
        )
    return compared

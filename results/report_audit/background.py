"""*Background*: 200 images, 20 background pictures, the report's Table 3."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from exact import (
    ALPHA,
    Row,
    add_holm,
    detectable_difference,
    exact_p,
    images_for_equivalence,
    shuffled_hits_pmf,
)
from scipy.stats import binomtest

from priorscope.analysis.external import score_files
from priorscope.analysis.number_files import read_numbers
from priorscope.claims import Settings
from priorscope.data._carriers import CIFAR10_CLASSES
from priorscope.stats import (
    crossed_bootstrap,
    paired_proportions,
    percentile_interval,
    sign_flip_test,
)
from priorscope.stats import equivalence as two_one_sided

LABELS = "background_labels.csv"
FILES = {
    "ResNet50": "background_resnet50_probabilities.csv",
    "ViT": "background_vit_probabilities.csv",
    "Local ViT": "background_local_vit_predicted_class.csv",
}
MARGINS = (0.02, 0.05)
NUM_CLASSES = len(CIFAR10_CLASSES)
SETTINGS = Settings()  # those of `priorscope score`


@dataclass(frozen=True)
class Background:
    """What was answered: class ids [200] by model; image i shows class i % 10 on picture i // 10.

    Attributes
    ----------
    labels : int [n]
    answers : model -> int [n]
    scored : what `priorscope score --json` prints
    resampled_means : model -> float [num_resamples], whole backgrounds resampled
    """

    labels: np.ndarray
    answers: dict[str, np.ndarray]
    scored: Row
    resampled_means: dict[str, np.ndarray]

    @property
    def right(self) -> dict[str, np.ndarray]:
        """Give 1 where a model is right, else 0."""
        return {m: (answer == self.labels).astype(float) for m, answer in self.answers.items()}

    @property
    def pictures(self) -> np.ndarray:
        """Number the background picture of each image."""
        return np.arange(len(self.labels)) // NUM_CLASSES


def read_background(paper: Path) -> Background:
    """Read labels and answers, and score them.

    Raises
    ------
    InputError : a file is missing or damaged
    """
    files = {model: paper / file for model, file in FILES.items()}
    scored = score_files(paper / LABELS, files, metric="top1")
    labels = read_numbers(paper / LABELS).argmax(axis=1)
    numbers = {model: read_numbers(file) for model, file in files.items()}
    answers = {
        model: (rows if rows.ndim == 1 else rows.argmax(axis=1)).astype(int)
        for model, rows in numbers.items()
    }
    found = Background(labels, answers, scored, {})
    resampled = crossed_bootstrap(
        [right[None] for right in found.right.values()],
        num_resamples=SETTINGS.num_resamples,
        rng=SETTINGS.rng("audit", "clusters"),
        clusters=found.pictures,
    )
    found.resampled_means.update(zip(answers, resampled.T, strict=True))
    return found


def against_chance(found: Background) -> list[Row]:
    """Give each model's accuracy with its intervals and its tests against chance."""
    rows = []
    chance = found.scored["chance"]["expected"]
    for model, scored in found.scored["models"].items():
        low, high = percentile_interval(found.resampled_means[model])
        hits, n = int(found.right[model].sum()), len(found.labels)
        shuffled = shuffled_hits_pmf(found.answers[model].reshape(-1, NUM_CLASSES))
        rows.append(
            {"model": model, "right": hits, "n": n}
            | {key: scored[key] for key in ("estimate", "low", "high")}
            | {"cluster_low": float(low), "cluster_high": float(high), "chance": chance}
            | {"p_binomial": float(binomtest(hits, n, chance).pvalue)}
            | {"p_shuffled": exact_p(shuffled, hits)}
        )
    for key in ("p_binomial", "p_shuffled"):
        add_holm(rows, key)
    return rows


def pairs(found: Background) -> list[Row]:
    """Compare all pairs of models on the same images, images and then backgrounds resampled."""
    rows = []
    for pair in found.scored["pairs"]:
        a, b = pair["a"], pair["b"]
        differences = found.right[a] - found.right[b]
        only_a, only_b = int((differences > 0).sum()), int((differences < 0).sum())
        discordance = (only_a + only_b) / len(differences)
        low, high = percentile_interval(found.resampled_means[a] - found.resampled_means[b])
        flipped = sign_flip_test(
            differences,
            num_resamples=SETTINGS.num_resamples,
            rng=SETTINGS.rng("audit", a, b),
            clusters=found.pictures,
        )
        rows.append(
            {key: pair[key] for key in ("a", "b", "difference", "low", "high")}
            | {"cluster_low": float(low), "cluster_high": float(high)}
            | {"only_a": only_a, "only_b": only_b, "discordance": discordance}
            | {"p_mcnemar": pair["p_value"], "p_mcnemar_holm": pair["p_adjusted"]}
            | {"p_cluster": flipped.p_value}
            | {"detectable": detectable_difference(discordance, len(differences))}
        )
    add_holm(rows, "p_cluster")
    return rows


def equivalence(found: Background) -> list[Row]:
    """Test all pairs for a difference below each margin; the interval resamples backgrounds."""
    rows = []
    for pair in pairs(found):
        a, b = pair["a"], pair["b"]
        contrast = paired_proportions(found.right[a], found.right[b])
        differences = found.resampled_means[a] - found.resampled_means[b]
        low, high = map(float, percentile_interval(differences, confidence=1 - 2 * ALPHA))
        for margin in MARGINS:
            rows.append(
                {"a": a, "b": b, "margin": margin, "difference": pair["difference"]}
                | {"p_value": two_one_sided(contrast, margin).p_value}
                | {"cluster_low_90": low, "cluster_high_90": high}
                | {"inside": -margin < low and high < margin}
                | {"images_needed": images_for_equivalence(pair["discordance"], margin)}
            )
    return rows


def answered_classes(found: Background) -> list[Row]:
    """Count how often each model answers each class, and how far answers follow the background.

    `commonest` is how many of a background's ten images get its commonest answer, averaged over
    backgrounds; `commonest_shuffled` the same after shuffling a model's answers over all images.
    """
    rows = []
    for model, answers in found.answers.items():
        counts = np.bincount(answers, minlength=NUM_CLASSES)
        shares = counts[counts > 0] / len(answers)
        rng = SETTINGS.rng("audit", "answers", model)
        shuffled = rng.permuted(np.tile(answers, (SETTINGS.num_resamples, 1)), axis=1)
        null, commonest = _commonest(shuffled), float(_commonest(answers[None])[0])
        rows.append(
            {"model": model}
            | dict(zip(CIFAR10_CLASSES, counts.tolist(), strict=True))
            | {"never": int((counts == 0).sum())}
            | {"three_commonest": float(np.sort(counts)[-3:].sum() / len(answers))}
            | {"effective_classes": float(np.exp(-(shares * np.log(shares)).sum()))}
            | {"commonest": commonest, "commonest_shuffled": float(null.mean())}
            | {"p_value": float((1 + (null >= commonest).sum()) / (1 + len(null)))}
        )
    return rows


def _commonest(answers: np.ndarray) -> np.ndarray:
    """Give the mean count of each background's commonest answer, [m, n] -> [m]."""
    by_background = answers.reshape(len(answers), -1, NUM_CLASSES)
    counts = np.stack([(by_background == c).sum(axis=2) for c in range(NUM_CLASSES)])
    return counts.max(axis=0).mean(axis=1)


def by_class(found: Background) -> list[Row]:
    """Count right answers by class."""
    return [
        {"class": name, "n": int((found.labels == label).sum())}
        | {m: int(right[found.labels == label].sum()) for m, right in found.right.items()}
        for label, name in enumerate(CIFAR10_CLASSES)
    ]


def by_background(found: Background) -> list[Row]:
    """Count right answers by background, and name each model's commonest answer there."""
    rows = []
    for picture in np.unique(found.pictures).tolist():
        here = found.pictures == picture
        row: Row = {"background": picture, "n": int(here.sum())}
        row |= {model: int(right[here].sum()) for model, right in found.right.items()}
        for model, answers in found.answers.items():
            counts = np.bincount(answers[here], minlength=NUM_CLASSES)
            row[f"{model} commonest answer"] = CIFAR10_CLASSES[counts.argmax()]
            row[f"{model} times"] = int(counts.max())
        rows.append(row)
    return rows

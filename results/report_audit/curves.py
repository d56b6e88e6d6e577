"""Test images: the learning curves of the report's Table 1 and Figure 4."""

from pathlib import Path

import numpy as np
from exact import Row
from statsmodels.stats.proportion import confint_proportions_2indep

from priorscope.report.sections.report_2021.curves import read_arm
from priorscope.stats import wilson

NAMES = {"ResNet50": "resnet50", "ViT": "vit", "Local ViT": "local_vit"}
EPOCH = 80  # of Table 1
MOST_IMAGES = 10_000  # of CIFAR-10's test set
ROUNDING = 5.1e-6  # the coarsest curve has five digits


def read_curves(paper: Path) -> list[Row]:
    """Read training loss and test accuracy, one row a model and epoch.

    Raises
    ------
    InputError : a file is missing or damaged
    """
    return [{"model": model} | row for model, arm in NAMES.items() for row in read_arm(paper, arm)]


def num_test_images(accuracy: np.ndarray) -> int:
    """Find on how many test images a curve was measured.

    Accuracies are whole numbers of images over n, rounded; n is the largest up to 10,000 that all
    epochs allow.
    """
    for n in range(MOST_IMAGES, 0, -1):
        if np.abs(accuracy - np.round(accuracy * n) / n).max() < ROUNDING:
            return n
    raise ValueError(f"no number of images up to {MOST_IMAGES} gives these accuracies")


def accuracies(curves: list[Row]) -> list[Row]:
    """Give test accuracy with Wilson's interval at epoch 80, and at the last one where it differs.

    `late_loss_change` is the relative change of the training loss over the last tenth of the
    epochs until then; `lowest` and `highest` bound the accuracy on all 10,000 images.
    """
    rows = []
    for model in NAMES:
        loss, accuracy = (
            np.array([row[key] for row in curves if row["model"] == model])
            for key in ("train_loss", "test_accuracy")
        )
        n = num_test_images(accuracy)
        for epoch in sorted({EPOCH, len(loss)}):
            right = round(accuracy[epoch - 1] * n)
            found, before = wilson(right, n), epoch - epoch // 10
            rows.append(
                {"model": model, "epoch": epoch, "num_epochs": len(loss), "right": right, "n": n}
                | {"estimate": found.estimate, "low": found.low, "high": found.high}
                | {
                    "lowest": right / MOST_IMAGES,
                    "highest": (right + MOST_IMAGES - n) / MOST_IMAGES,
                }
                | {"train_loss": float(loss[epoch - 1])}
                | {"late_loss_change": float(loss[epoch - 1] / loss[before - 1] - 1)}
                | {"best": float(accuracy.max()), "best_epoch": int(accuracy.argmax()) + 1}
            )
    return rows


def pairs(rows: list[Row]) -> list[Row]:
    """Compare test accuracies with Newcombe's interval for two independent proportions.

    The answers to single test images are not published, so the pairing is lost: where models tend
    to fail on the same images the true interval is shorter (Newcombe 1998, Stat Med 17:873).
    """
    cnn, vit, early, late = rows
    compared = []
    for a, b in ((vit, cnn), (early, cnn), (late, cnn), (early, vit)):
        low, high = confint_proportions_2indep(
            a["right"], a["n"], b["right"], b["n"], method="newcomb"
        )
        compared.append(
            {"a": a["model"], "a_epoch": a["epoch"], "b": b["model"], "b_epoch": b["epoch"]}
            | {"difference": a["estimate"] - b["estimate"]}
            | {"low": float(low), "high": float(high)}
        )
    return compared

"""What a run's model answers on probes, at the end and on the way there."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from priorscope.data import Preprocess, proportional_sample
from priorscope.errors import RunFailed
from priorscope.evaluation import Predictions, write_predictions
from priorscope.evaluation.predict import predict
from priorscope.probes import ProbeSet
from priorscope.study.plain import digest
from priorscope.training import distributed

TRAJECTORY_SCENES = 1000  # of each probe: accurate to 1.5 points, and small on disk
TRAJECTORY_STEP = (
    0.04  # of accuracy on training images: between so close points a curve is straight
)


def logits_of(
    model: nn.Module,
    images: np.ndarray,
    *,
    preprocess: Preprocess,
    device: torch.device,
    precision: str,
    rows: np.ndarray | None = None,
) -> np.ndarray:
    """Compute the logits of every image once, whatever the number of processes.

    Parameters
    ----------
    rows : int64 [n], of these images; all where it is None

    Returns
    -------
    float32 [n, num_classes], on every process
    """
    rows = np.arange(len(images)) if rows is None else rows
    own = rows[distributed.own_rows(len(rows))]
    return distributed.gather_rows(
        predict(model, images, rows=own, preprocess=preprocess, device=device, precision=precision)
    )


def write_answers(
    logits: np.ndarray, name: str, probe: ProbeSet, path: Path, rows: np.ndarray | None = None
) -> None:
    """Store what was answered on a probe, or on some rows of it; the first process writes.

    Raises
    ------
    RunFailed : a logit is not finite
    """
    if not np.isfinite(logits).all():
        raise RunFailed(f"the model's answers on probe {name} are not finite")
    if distributed.is_main():
        rows = np.arange(len(probe)) if rows is None else rows
        answers = Predictions(
            logits=logits,
            targets=probe.targets[rows],
            ids=probe.ids[rows],
            conditions={name: column[rows] for name, column in probe.conditions.items()},
            class_names=probe.class_names,
            clusters=None if probe.clusters is None else probe.clusters[rows],
        )
        write_predictions(answers, path)


def trajectory_epochs(train_accuracies: Sequence[float], num_epochs: int) -> list[int]:
    """Choose the epochs after which a few scenes are answered.

    The first, and each that has brought accuracy a step further: points that lie close in accuracy
    are what models can be compared by at equal accuracy, wherever they lie in training. The
    accuracy is that on training images, since nothing is chosen by test images. The end is not
    among them: its predictions are complete.

    Parameters
    ----------
    train_accuracies : of the epochs so far, in their order
    num_epochs : of the whole training
    """
    points: list[int] = []
    highest = -1.0
    for epoch, accuracy in enumerate(train_accuracies[: num_epochs - 1], start=1):
        if accuracy >= highest + TRAJECTORY_STEP:
            points.append(epoch)
            highest = accuracy
    return points


def rows_of_few_scenes(
    probe: ProbeSet, rng: np.random.Generator, most: int = TRAJECTORY_SCENES
) -> np.ndarray:
    """Draw scenes, every class and cluster by its share, each in all of its arms.

    Returns
    -------
    int64 [m], ascending rows of the probe
    """
    ids, first, scene = np.unique(probe.ids, return_index=True, return_inverse=True)
    # Arms need not show the same scenes: those of each set of arms get their share too.
    in_arm = np.zeros((len(ids), len(probe.arms)), dtype=bool)
    for number, arm in enumerate(probe.arms):
        in_arm[scene[probe.conditions["arm"] == arm], number] = True
    shown_in = np.unique(in_arm, axis=0, return_inverse=True)[1]
    target = np.unique(probe.targets[first], axis=0, return_inverse=True)[1]
    groups = [target.ravel(), shown_in.ravel()]
    if probe.clusters is not None:
        groups.append(np.unique(probe.clusters[first], return_inverse=True)[1])
    chosen = proportional_sample(groups, most, rng)
    return np.flatnonzero(np.isin(scene, chosen))


def fingerprint_of(probe: ProbeSet) -> str:
    """Hash everything of a probe that predictions depend on or carry."""
    parts = hashlib.sha256()
    for start in range(0, len(probe), 4096):
        parts.update(np.ascontiguousarray(probe.images[start : start + 4096]).data)
    columns = {name: column.tolist() for name, column in probe.conditions.items()}
    clusters = None if probe.clusters is None else probe.clusters.tolist()
    rest = [probe.ids.tolist(), columns, probe.targets.tolist(), clusters]
    return digest([parts.hexdigest(), rest, probe.class_names])

"""What a run's model answers on probes, at the end and on the way there."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import nn

from priorscope.data._preprocess import Preprocess
from priorscope.errors import RunFailed
from priorscope.evaluation.predict import predict
from priorscope.evaluation.predictions import Predictions, write_predictions
from priorscope.probes import ProbeSet
from priorscope.study.spec import digest
from priorscope.training import distributed

TRAJECTORY_SCENES = 1000  # of each probe: accurate to 1.5 points, and small on disk


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


def trajectory_epochs(num_epochs: int) -> list[int]:
    """Choose the epochs after which a few scenes are answered: a half, a quarter ... of training.

    Accuracy rises fastest at first, so points that halve spread over clean accuracy. The end is not
    among them: its predictions are complete.
    """
    points = {round(num_epochs / 2**halvings) for halvings in (1, 2, 3, 4)}
    return sorted(points - {0, num_epochs})


def rows_of_few_scenes(probe: ProbeSet, most: int = TRAJECTORY_SCENES) -> np.ndarray:
    """Take scenes evenly over a probe, each in all of its arms: int64 [m], ascending."""
    ids = np.unique(probe.ids)
    chosen = ids[np.unique(np.linspace(0, len(ids) - 1, min(most, len(ids)), dtype=int))]
    return np.flatnonzero(np.isin(probe.ids, chosen))


def fingerprint_of(probe: ProbeSet) -> str:
    """Hash everything of a probe that predictions depend on or carry."""
    parts = hashlib.sha256()
    for start in range(0, len(probe), 4096):
        parts.update(np.ascontiguousarray(probe.images[start : start + 4096]).data)
    columns = {name: column.tolist() for name, column in probe.conditions.items()}
    clusters = None if probe.clusters is None else probe.clusters.tolist()
    rest = [probe.ids.tolist(), columns, probe.targets.tolist(), clusters]
    return digest([parts.hexdigest(), rest, probe.class_names])

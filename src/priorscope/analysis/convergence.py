"""Whether models were trained to the end of what their schedule gives."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.errors import InputError
from priorscope.study.spec import Convergence

_LAST_PART = 0.1  # of training


@dataclass(frozen=True)
class Training:
    """How the training of a model ended, over its seeds.

    Attributes
    ----------
    loss_change : relative change of the mean training loss over the last tenth of training; None
        where there is nothing to tell it from
    train_accuracy : mean over seeds, of the last epoch
    converged : by the declared criterion
    reason : what speaks against it, as a clause; empty where it has converged
    """

    loss_change: float | None
    train_accuracy: float | None
    converged: bool
    reason: str


def judge_training(
    losses: Sequence[Sequence[float]],
    accuracies: Sequence[float],
    num_epochs: int,
    criterion: Convergence,
) -> Training:
    """Judge one model by the epochs of all its seeds.

    It has converged when every seed went through its whole schedule, and the training loss, mean
    over seeds, changed by at most `criterion.loss_change` of itself over the last tenth of
    training, or the training images are fitted to `criterion.train_accuracy`. Between epochs the
    loss is interpolated, so that the last tenth need not be whole epochs.

    What this cannot see: a schedule that lets the learning rate go to zero flattens any loss. It
    says that this schedule had nothing left to give, not that a longer one would not.

    Parameters
    ----------
    losses : for each seed its training loss by epoch
    accuracies : for each seed the training accuracy of its last epoch
    num_epochs : of the recipe
    """
    if not losses or not all(losses):
        return Training(None, None, False, "has no record of its training")
    accuracy = float(np.mean(accuracies))
    shortest = min(len(loss) for loss in losses)
    if shortest < num_epochs:
        reason = f"stopped after {shortest} of {num_epochs} epochs of its schedule"
        return Training(None, accuracy, False, reason)
    change = None
    if num_epochs > 1:
        mean = np.mean([loss[:num_epochs] for loss in losses], axis=0)
        before = np.interp(num_epochs * (1 - _LAST_PART), np.arange(1, num_epochs + 1), mean)
        change = float(abs(mean[-1] - before) / before) if before else 0.0
    if accuracy >= criterion.train_accuracy:
        return Training(change, accuracy, True, "")
    if change is None:
        return Training(None, accuracy, False, "was trained for one epoch, too few to tell")
    if change <= criterion.loss_change:
        return Training(change, accuracy, True, "")
    reason = (
        f"has not converged: its training loss still changed by {100 * change:.1f} % over the last "
        f"tenth of training (declared: at most {100 * criterion.loss_change:g} %)"
    )
    return Training(change, accuracy, False, reason)


def read_training(out: Path, record: Mapping[str, Any]) -> dict[str, Training]:
    """Judge every model of a study by the `metrics.jsonl` of its finished runs.

    Raises
    ------
    InputError : a damaged file
    """
    study = record["study"]
    criterion = Convergence(**study.get("convergence", {}))
    losses: dict[str, list[list[float]]] = {}
    accuracies: dict[str, list[float]] = {}
    for run in record["plan"]:
        folder = out / "runs" / run["run_id"]
        if not (folder / "run.json").is_file():
            continue
        epochs = _epochs(folder / "metrics.jsonl")
        losses.setdefault(run["model"], []).append([epoch["train_loss"] for epoch in epochs])
        accuracies.setdefault(run["model"], []).extend(
            epoch["train_accuracy"] for epoch in epochs[-1:]
        )
    num_epochs = study["recipe"]["epochs"]
    return {
        model: judge_training(
            losses.get(model, []), accuracies.get(model, []), num_epochs, criterion
        )
        for model in dict.fromkeys(run["model"] for run in record["plan"])
    }


def _epochs(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        lines = [json.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
        return [
            {key: float(line[key]) for key in ("train_loss", "train_accuracy")} for line in lines
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("file is not JSON lines of epochs", where=path, found=error) from None

"""Whether models were trained to the end of what their schedule gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.errors import InputError
from priorscope.study.levels import trained_name
from priorscope.study.spec import Convergence
from priorscope.study.store import read_lines, read_run

_LAST_PART = 0.1  # of training
# A network that answers fewer of its own training images is called unfitted. Augmented images
# are harder than clean ones, hence not 100 %.
FITTED_ACCURACY = 0.95


@dataclass(frozen=True)
class Training:
    """How the training of a model ended, over its seeds.

    Attributes
    ----------
    loss_change : change of the mean training loss over the last tenth of training, as a part of
        its whole fall since the first epoch; None where there is nothing to tell it from
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
    over seeds, changed over the last tenth of training by at most `criterion.loss_change` of its
    whole fall since the first epoch (and the training images are fitted, where the criterion asks
    for it). Between epochs the loss is interpolated: the last tenth need not be whole epochs.

    Why of its fall, and not of the loss that is left: a small loss still changes by large parts of
    itself. In the 2021 report's own curves, ResNet50's last tenth of 80 epochs took 10 % off a loss
    of 0.06, and 0.3 % of its fall; ViT's 5 % off 0.38, and 1.1 % of its fall.

    What this cannot see: a schedule that lets the learning rate go to zero flattens any loss. It
    says that this schedule had little left to give, not that a longer one would not.

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
    if num_epochs < 2:
        return Training(None, accuracy, False, "was trained for one epoch, too few to tell")
    mean = np.mean([loss[:num_epochs] for loss in losses], axis=0)
    before = np.interp(num_epochs * (1 - _LAST_PART), np.arange(1, num_epochs + 1), mean)
    fall = float(mean[0] - mean[-1])
    if fall <= 0:
        return Training(None, accuracy, False, "has not learnt: its training loss did not fall")
    change = float(abs(before - mean[-1])) / fall
    reason = ""
    if change > criterion.loss_change:
        reason = (
            f"has not converged: the last tenth of training still brought {100 * change:.1f} % of "
            f"the whole fall of its training loss (declared: at most "
            f"{100 * criterion.loss_change:g} %)"
        )
    elif criterion.train_accuracy is not None and accuracy < criterion.train_accuracy:
        reason = (
            f"has not fitted its training images: accuracy {100 * accuracy:.1f} % (declared: at "
            f"least {100 * criterion.train_accuracy:g} %)"
        )
    return Training(change, accuracy, not reason, reason)


def read_training(out: Path, record: Mapping[str, Any]) -> dict[str, Training]:
    """Judge every model of a study by the `metrics.jsonl` of its finished runs, cell by cell.

    Returns
    -------
    the model, with its cell in a study with factors (`levels.trained_name`) -> its training

    Raises
    ------
    InputError : a damaged file
    """
    study = record["study"]
    criterion = Convergence(**study.get("convergence", {}))
    losses: dict[str, list[list[float]]] = {}
    accuracies: dict[str, list[float]] = {}
    num_epochs: dict[str, int] = {}
    for run in record["plan"]:
        folder = out / "runs" / run["run_id"]
        if not (folder / "run.json").is_file():
            continue
        epochs = _epochs(folder / "metrics.jsonl")
        name = trained_name(run["model"], run.get("levels", {}))
        losses.setdefault(name, []).append([epoch["train_loss"] for epoch in epochs])
        accuracies.setdefault(name, []).extend(epoch["train_accuracy"] for epoch in epochs[-1:])
        recipe = read_run(folder).get("recipe", {})
        num_epochs[name] = recipe.get("epochs", study["recipe"]["epochs"])
    trained = [trained_name(run["model"], run.get("levels", {})) for run in record["plan"]]
    return {
        name: judge_training(
            losses.get(name, []), accuracies.get(name, []), num_epochs.get(name, 0), criterion
        )
        for name in dict.fromkeys(trained)
    }


def _epochs(path: Path) -> list[dict[str, Any]]:
    try:
        return [
            {key: float(line[key]) for key in ("train_loss", "train_accuracy")}
            for line in read_lines(path)
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("file is not JSON lines of epochs", where=path, found=error) from None

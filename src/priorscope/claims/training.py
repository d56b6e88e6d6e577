"""Whether each seed of a model was trained to its schedule's end, and learnt anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from scipy.stats import binomtest

ALPHA = 0.001  # of the test that a seed has learnt something
# A network that answers fewer of its own training images is called unfitted. Augmented images
# are harder than clean ones, hence not 100 %.
FITTED_ACCURACY = 0.95


@dataclass(frozen=True)
class Training:
    """How the training of a model ended, over its seeds.

    Attributes
    ----------
    num_epochs : of the schedule
    num_images : training images
    train_accuracy : mean over seeds, of the last epoch; None where nothing is recorded
    constant_accuracy : of the best constant answer on the training images; None where the study
        does not record how many there are of each class
    unfinished : seed -> why it has not gone through its schedule, as a clause
    not_learnt : seed -> its accuracy in the last epoch, where that is not above the best constant
        answer's by an exact binomial test at 0.001
    """

    num_epochs: int
    num_images: int
    train_accuracy: float | None
    constant_accuracy: float | None
    unfinished: dict[int, str]
    not_learnt: dict[int, float]

    @property
    def obstacle(self) -> str:
        """Say why verdicts on this model are withheld, as a clause; empty where they are not."""
        parts = [f"seed {seed} {why}" for seed, why in self.unfinished.items()]
        if self.not_learnt:
            listed = ", ".join(
                f"seed {seed} ({100 * accuracy:.1f} %)"
                for seed, accuracy in self.not_learnt.items()
            )
            parts.append(
                f"{listed} has not learnt: its training accuracy is not above the "
                f"{100 * (self.constant_accuracy or 0):.1f} % of the best constant answer"
            )
        return ", ".join(parts)


def judge_training(
    epochs: Sequence[tuple[int, Sequence[tuple[float, float]]]],
    *,
    num_epochs: int,
    num_images: int,
    constant_accuracy: float | None,
) -> Training:
    """Judge one model seed by seed.

    Whether a longer training would give more is not asked here: a loss that has come to rest shows
    that the schedule has ended, and nothing else. That is measured by training at a part of the
    budget (`stability` of a study).

    Parameters
    ----------
    epochs : for each seed its number, and loss and accuracy on training images by epoch
    num_epochs : of the schedule
    num_images : training images of an epoch
    constant_accuracy : of the best constant answer on them; None asks nothing of what was learnt
    """
    unfinished, not_learnt, accuracies = {}, {}, []
    for seed, of_seed in epochs:
        if not of_seed:
            unfinished[seed] = "has no record of its training"
            continue
        if len(of_seed) < num_epochs:
            unfinished[seed] = f"stopped after {len(of_seed)} of {num_epochs} epochs"
        elif not all(isfinite(loss) for loss, _ in of_seed):
            unfinished[seed] = "has a training loss that is not finite"
        accuracy = of_seed[-1][1]
        accuracies.append(accuracy)
        if constant_accuracy is None:
            continue
        right = round(min(max(accuracy, 0.0), 1.0) * num_images)
        test = binomtest(right, num_images, constant_accuracy, alternative="greater")
        if test.pvalue > ALPHA:
            not_learnt[seed] = accuracy
    mean = sum(accuracies) / len(accuracies) if accuracies else None
    return Training(num_epochs, num_images, mean, constant_accuracy, unfinished, not_learnt)

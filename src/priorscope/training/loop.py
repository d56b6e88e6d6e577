"""The training loop, read top to bottom."""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from priorscope.data import Preprocess
from priorscope.errors import RunFailed
from priorscope.training import distributed
from priorscope.training.agreement import Agreement
from priorscope.training.batches import augmented_batches
from priorscope.training.checkpoint import Checkpoints, interruption
from priorscope.training.graph import training_step
from priorscope.training.memory import out_of_memory_in
from priorscope.training.memory_format import lay_out
from priorscope.training.pool import image_pool
from priorscope.training.recipe import Recipe
from priorscope.training.single_images import SingleImage, single_image_note
from priorscope.training.state import TrainingState


@dataclass(frozen=True)
class Epoch:
    """What is known at the end of an epoch; one line of `metrics.jsonl`.

    `train_loss` and `train_accuracy` are means over the epoch's examples as they were seen,
    augmented and by weights that changed underway; `learning_rate` is that of the last step;
    `seconds` are those of training alone; `micro_batch_size` is how many examples passed through
    the model at once: the recipe's, or fewer where memory did not suffice; `num_skipped_updates`
    counts the steps whose gradients overflowed in fp16, after which weights and learning rate stay
    as they were; `how` says how steps were executed: `eager`, `graphed`, or `eager: ` and why.
    """

    epoch: int
    step: int
    train_loss: float
    train_accuracy: float
    test_accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float
    held_out_accuracy: float | None = None
    micro_batch_size: int | None = None
    num_skipped_updates: int = 0
    how: str | None = None


def train(
    model: nn.Module,
    recipe: Recipe,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    preprocess: Preprocess,
    seed: int,
    device: torch.device,
    accuracies: Callable[[nn.Module], dict[str, float]],
    on_epoch: Callable[[Epoch], None],
    checkpoints: Checkpoints | None = None,
    graphs: bool = True,
) -> None:
    """Train a model in place by the recipe, from the weights that it has or from a checkpoint.

    Parameters
    ----------
    images : uint8 [n, height, width, 3]
    labels : int64 [n]
    seed : decides the order of the examples and their augmentation, each by a stream of its own
    accuracies : gives an Epoch's accuracies on other images at its end; recorded, never used
    on_epoch : called at the end of every epoch
    checkpoints : keeps the state from time to time, at the end, and when a signal asks to stop; a
        training that finds one continues from it
    graphs : where False, no step is captured in a CUDA graph

    Raises
    ------
    RunFailed : the loss is not finite, which names the step and its learning rate; or memory ran
        out where smaller parts of a batch do not help
    KeyboardInterrupt : a signal asked to stop

    Warns
    -----
    SingleImage, SmallerMicroBatch, NotCaptured : once each time it comes up
    """
    note = single_image_note(model, recipe, len(images))
    if note is not None and distributed.is_main():
        warnings.warn(SingleImage(note), stacklevel=2)
    pool = image_pool(images, device)
    answers, num_images = torch.from_numpy(np.array(labels)), len(images)

    lay_out(model, device)
    state = TrainingState(model, recipe, num_images, seed=seed, device=device)
    if recipe.compile:
        model.compile()
    replica = distributed.replicate(model, device, preprocess.image_px)
    if checkpoints is not None and (saved := checkpoints.latest()):
        state.restore(saved)

    step = training_step(replica, state, recipe, preprocess, graphs=graphs)
    agreement = Agreement(device, min(1.0, checkpoints.every_seconds if checkpoints else 1.0))

    def keep_or_stop(*, at_end: bool = False) -> None:
        """Keep a checkpoint when it is due, and stop when a signal asked for it."""
        due = checkpoints is not None and distributed.is_main() and checkpoints.due()
        due, stopped = agreement.reached(due, stop.is_set(), at_end=at_end)
        done = state.epoch > recipe.epochs
        if checkpoints is not None and (due or stopped or done):
            saved = state.as_dict()
            if distributed.is_main():
                checkpoints.save(saved, state.num_steps)
        if stopped:
            distributed.wait_for_all()  # what one has begun to write is not cut off by another
            raise KeyboardInterrupt

    with interruption() as stop, distributed.synced_batch_norm(device):
        while state.epoch <= recipe.epochs:
            model.train()
            state.begin_drawing(seed)
            started = time.perf_counter() - state.seconds
            rows = state.rows_to_come()
            for batch in augmented_batches(
                rows, pool, answers, recipe, preprocess.image_px, state.augmentation, device
            ):
                state.seconds = time.perf_counter() - started
                keep_or_stop()
                step(batch.pixels, batch.target)
                with out_of_memory_in("the optimizer's step"):
                    state.update(batch.drawn_until)
            losses, num_correct = distributed.summed(state.losses, state.num_correct)
            _check_finite(losses, state)
            state.seconds = time.perf_counter() - started
            on_epoch(
                Epoch(
                    epoch=state.epoch,
                    step=state.num_steps,
                    train_loss=float(losses.sum()) / num_images,
                    train_accuracy=int(num_correct) / num_images,
                    **accuracies(model),
                    learning_rate=state.learning_rates[-1],
                    seconds=state.seconds,
                    images_per_second=num_images / state.seconds,
                    micro_batch_size=state.micro_batch_size,
                    num_skipped_updates=state.num_skipped_updates,
                    how=step.how,
                )
            )
            state.begin_epoch(state.epoch + 1)
            keep_or_stop(at_end=True)


def _check_finite(losses: torch.Tensor, state: TrainingState) -> None:
    finite = torch.isfinite(losses)  # reading it waits for the epoch's last step
    if not finite.all():
        first = int((~finite).nonzero()[0])
        step = (state.epoch - 1) * state.steps_per_epoch + first + 1
        raise RunFailed(
            f"the training loss is not finite at step {step}"
            f" (epoch {state.epoch}, learning rate {state.learning_rates[first]:.3g})"
        )

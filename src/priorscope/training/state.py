"""All that the rest of a training depends on: what a checkpoint holds."""

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from priorscope.training import distributed
from priorscope.training.optimize import build_optimizer, build_schedule
from priorscope.training.recipe import Recipe
from priorscope.training.streams import restore_streams, stream_states


class TrainingState:
    """Weights, optimizer, schedule, random streams, and how far the current epoch has come.

    Attributes
    ----------
    micro_batch_size : examples that pass through the model at once, fewer after memory ran out
    epoch : the current one, from 1; one more than the recipe's when training is done
    losses : float [steps of an epoch], each step's loss summed over the examples seen here
    num_correct : of the epoch's examples seen here
    learning_rates : of the epoch's steps so far, so that their number is the step to come
    num_skipped_updates : of the epoch's steps so far, how many did not change the weights, as their
        gradients overflowed in fp16
    drawn_until : where the last batch that was trained on left the generator of augmentation, which
        may be ahead
    seconds : of the epoch so far
    """

    def __init__(
        self, model: nn.Module, recipe: Recipe, num_images: int, *, seed: int, device: torch.device
    ):
        seeds = (
            int(stream.generate_state(1, np.uint64)[0] >> 1)
            for stream in np.random.SeedSequence([seed, 1]).spawn(2)
        )
        self.order = torch.Generator(device).manual_seed(next(seeds))
        # The host decides by what it drew, so it draws itself: reading it would be waiting for it.
        self.augmentation = torch.Generator().manual_seed(next(seeds))
        self.drawn_until = self.augmentation.get_state()
        self.num_images, self.batch_size = num_images, recipe.batch_size
        self.micro_batch_size = min(recipe.micro_batch_size or recipe.batch_size, recipe.batch_size)
        self.steps_per_epoch = math.ceil(num_images / recipe.batch_size)
        self.model, self.device = model, device
        self.optimizer = build_optimizer(model, recipe, device)
        self._made: list[bool] = []  # by the optimizer, since the last look
        self.optimizer.register_step_post_hook(lambda *_, made=self._made: made.append(True))
        self.schedule = build_schedule(self.optimizer, recipe, recipe.epochs * self.steps_per_epoch)
        # Does nothing unless the precision is fp16, whose small gradients would vanish unscaled.
        self.scaler = torch.amp.GradScaler(device.type, enabled=recipe.precision == "fp16")
        self.begin_epoch(1)

    @property
    def num_steps(self) -> int:
        """Count the optimizer steps since training began."""
        return (self.epoch - 1) * self.steps_per_epoch + len(self.learning_rates)

    def begin_epoch(self, epoch: int) -> None:
        """Forget the epoch before, and remember where the order of this one starts."""
        self.epoch = epoch
        # Sums stay on the device: reading one would make the host wait for it at every step.
        self.losses = torch.zeros(self.steps_per_epoch, device=self.device)
        self.num_correct = torch.zeros((), dtype=torch.int64, device=self.device)
        self.learning_rates: list[float] = []
        self.num_skipped_updates = 0
        self.seconds = 0.0
        self._order_at_start = self.order.get_state()

    def rows_to_come(self) -> torch.Tensor:
        """Draw the epoch's order, and return its rows that are still to come, on the host."""
        self.order.set_state(self._order_at_start)
        rows = torch.randperm(self.num_images, generator=self.order, device=self.device)
        return rows[len(self.learning_rates) * self.batch_size :].cpu()

    def add(self, loss: torch.Tensor, num_correct: torch.Tensor) -> None:
        """Count what a step's examples gave: their summed loss, and how many were right."""
        self.losses[len(self.learning_rates)] = loss
        self.num_correct += num_correct

    def update(self, drawn_until: torch.Tensor) -> None:
        """Let the optimizer make its step, and the schedule move if it did.

        Parameters
        ----------
        drawn_until : where the step's batch left the generator of augmentation
        """
        self.learning_rates.append(float(self.schedule.get_last_lr()[0]))
        self._made.clear()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self._made:
            self.schedule.step()
        else:  # the schedule must not run ahead of the weights
            self.num_skipped_updates += 1
        self.drawn_until = drawn_until

    def begin_drawing(self, seed: int) -> None:
        """Let each process draw its own dropout from an epoch's first step on."""
        if not self.learning_rates:  # else the stream is the checkpoint's
            distributed.seed_dropout(seed, self.epoch)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as tensors and plain values; all processes must call it together."""
        losses, num_correct = distributed.summed(self.losses, self.num_correct)
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": {"last_epoch": self.schedule.last_epoch},
            "scaler": self.scaler.state_dict(),
            "order_at_start": self._order_at_start,
            "augmentation": self.drawn_until,
            "rng": distributed.gathered(stream_states(self.device)),
            "micro_batch_size": self.micro_batch_size,
            "epoch": self.epoch,
            "losses": losses,
            "num_correct": num_correct,
            "learning_rates": self.learning_rates,
            "num_skipped_updates": self.num_skipped_updates,
            "seconds": self.seconds,
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Continue where `as_dict` was called, in the same bits on the same machine."""
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        # Learning rates and momenta are the optimizer's; the schedule only counts.
        self.schedule.last_epoch = saved["schedule"]["last_epoch"]
        self.schedule._last_lr = [group["lr"] for group in self.optimizer.param_groups]
        self.scaler.load_state_dict(saved["scaler"])
        self.micro_batch_size = saved["micro_batch_size"]
        self.begin_epoch(saved["epoch"])
        self._order_at_start = saved["order_at_start"]
        self.order.set_state(self._order_at_start)
        self.drawn_until = saved["augmentation"]
        self.augmentation.set_state(self.drawn_until)
        # Fewer processes, or more, cannot draw what those before would have drawn.
        streams = saved["rng"]
        restore_streams(streams[distributed.rank() % len(streams)], self.device)
        if distributed.is_main():  # the sums over all processes; to these each adds its own
            self.losses.copy_(saved["losses"])
            self.num_correct.copy_(saved["num_correct"])
        self.learning_rates = list(saved["learning_rates"])
        self.num_skipped_updates = saved.get("num_skipped_updates", 0)
        self.seconds = saved["seconds"]

"""A step of training as far as its gradients, computed eagerly: operation by operation."""

from typing import Protocol

import torch
from torch import nn

from priorscope.data import Preprocess, autocast_for
from priorscope.training import distributed
from priorscope.training.memory import Undo, out_of_memory_in, smaller
from priorscope.training.outputs import answers_of, loss_of
from priorscope.training.recipe import Recipe
from priorscope.training.single_images import num_parts
from priorscope.training.state import TrainingState


class Step(Protocol):
    """Leave a batch's gradients, clipped, and count its loss and correct answers in the state."""

    @property
    def how(self) -> str:
        """Say how steps are executed: `eager`, `graphed`, or `eager: ` and why not graphed."""
        ...

    def __call__(self, pixels: torch.Tensor, target: torch.Tensor) -> None:
        """Take bytes [batch, height, width, 3] and classes, int64 [batch], on the device."""
        ...


class EagerStep:
    """A `Step` that asks the device for one operation after another.

    Parameters
    ----------
    replica : what calls the model; `state.model` itself where a process is alone
    """

    def __init__(
        self, replica: nn.Module, state: TrainingState, recipe: Recipe, preprocess: Preprocess
    ):
        self.how = "eager"
        self.replica, self.state, self.recipe, self.preprocess = replica, state, recipe, preprocess
        self.undo = Undo(state.model, state.device)
        # A graph forbids the cache, which only serves weights that are used twice in a pass.
        on_cuda = state.device.type == "cuda"
        self._autocast = autocast_for(recipe.precision, state.device, cache=not on_cuda)

    def __call__(self, pixels: torch.Tensor, target: torch.Tensor) -> None:
        """Take a batch, in smaller parts from where memory runs out."""
        state = self.state
        self.undo.remember()
        while True:
            try:
                loss, num_correct = self.backward(pixels, target)
                break
            except (RuntimeError, MemoryError) as error:
                state.micro_batch_size = smaller(state.micro_batch_size, error)
                self.undo.back()
        with out_of_memory_in("the optimizer's step"):
            self.clip()
        state.add(loss, num_correct)

    def backward(
        self, pixels: torch.Tensor, target: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Leave the batch's gradients; return its summed loss and number of correct answers."""
        state, num_processes = self.state, distributed.world_size()
        state.optimizer.zero_grad(set_to_none=True)
        total = torch.zeros((), device=state.device)
        num_correct = torch.zeros((), dtype=torch.int64, device=state.device)
        parts = num_parts(len(target), state.micro_batch_size)
        splits = pixels.tensor_split(parts), target.tensor_split(parts)
        for number, (part, answer) in enumerate(zip(*splits, strict=True)):
            own, counts = distributed.own_examples(len(part))
            answer = answer[own]
            with distributed.gradients_kept(self.replica, unless=number == parts - 1):
                with self._autocast:
                    answers = answers_of(self.replica(self.preprocess(part[own])))
                # Gradients are summed over parts and averaged over processes.
                share = counts * num_processes * len(answer) / len(target)
                loss = share * loss_of(answers, answer, self.recipe.label_smoothing)
                state.scaler.scale(loss).backward()
            total += loss.detach() * (len(target) / num_processes)
            num_correct += counts * (answers.logits.detach().argmax(1) == answer).sum()
        return total, num_correct

    def clip(self) -> None:
        """Scale the gradients down to the recipe's largest norm, if it has one."""
        if self.recipe.clip_grad_norm is not None:
            self.state.scaler.unscale_(self.state.optimizer)
            nn.utils.clip_grad_norm_(self.state.model.parameters(), self.recipe.clip_grad_norm)

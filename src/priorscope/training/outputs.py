"""What a model returns: its logits, and what heads beside them give while it trains.

Models of other people return tuples, lists, mappings and dataclasses, some of them in training
only. The logits are what is called `logits`, else the first tensor. A hook on the model itself
makes them its output wherever it is called; its parts and the names of its weights stay as they
were.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

# Szegedy et al. 2014, arXiv:1409.4842, section 5, and torchvision's training of Inception v3.
AUXILIARY_WEIGHTS = {"GoogLeNetOutputs": 0.3, "InceptionOutputs": 0.4}


class Answers(NamedTuple):
    """Logits [n, num_classes], and those of auxiliary heads with their weight in the loss."""

    logits: torch.Tensor
    auxiliary: tuple[torch.Tensor, ...]
    weight: float


def answer_in_logits(model: nn.Module) -> nn.Module:
    """Let a model return its logits alone, or `Answers` while it trains auxiliary heads."""
    model.register_forward_hook(_plainly)
    return model


def answers_of(output: Any) -> Answers:
    """Find the logits in what a model returns, and the auxiliary heads whose weight is known.

    Raises
    ------
    TypeError : there is no tensor in it
    """
    if isinstance(output, Answers):
        return output
    if isinstance(output, torch.Tensor):
        return Answers(output, (), 0.0)
    tensors = list(named_tensors(output))
    if not tensors:
        raise TypeError(f"the model returns {type(output).__name__}, with no tensor in it")
    logits = next((t for name, t in tensors if name == "logits"), tensors[0][1])
    weight = AUXILIARY_WEIGHTS.get(type(output).__name__, 0.0)
    others = tuple(t for _, t in tensors if t is not logits and t.shape == logits.shape)
    return Answers(logits, others if weight else (), weight)


def named_tensors(output: Any, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """List the tensors in what a model returns, with the names of the fields that they stand in."""
    if isinstance(output, torch.Tensor):
        yield name, output
    elif isinstance(output, Mapping):
        for key, value in output.items():
            yield from named_tensors(value, str(key))
    elif hasattr(output, "_asdict"):
        yield from named_tensors(output._asdict(), name)
    elif dataclasses.is_dataclass(output):
        yield from named_tensors(vars(output), name)
    elif isinstance(output, list | tuple):
        for value in output:
            yield from named_tensors(value, name)
    elif isinstance(getattr(output, "logits", None), torch.Tensor):
        yield "logits", output.logits


def loss_of(answers: Answers, target: torch.Tensor, label_smoothing: float) -> torch.Tensor:
    """Compute the mean cross-entropy, that of auxiliary heads added by their weight."""
    loss = F.cross_entropy(answers.logits.float(), target, label_smoothing=label_smoothing)
    for logits in answers.auxiliary:
        of_head = F.cross_entropy(logits.float(), target, label_smoothing=label_smoothing)
        loss = loss + answers.weight * of_head
    return loss


def _plainly(model: nn.Module, _: Any, output: Any) -> Any:
    if isinstance(output, torch.Tensor):
        return None
    answers = answers_of(output)
    return answers if model.training and answers.auxiliary else answers.logits

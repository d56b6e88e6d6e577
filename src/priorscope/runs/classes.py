"""Outputs of a network that was trained elsewhere, told by the labels of a study's data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from priorscope.errors import InputError, did_you_mean
from priorscope.study.weights import ClassMap


@dataclass(frozen=True)
class OutputsToLabels:
    """A hook that lets a network answer in labels: those of several outputs are summed.

    The probability of a label is the sum of those of its outputs; its logit is their logsumexp, up
    to a number that is the same for all labels. Outputs of no label are left out.

    Attributes
    ----------
    outputs : of each label, in the order of the labels
    """

    outputs: tuple[tuple[int, ...], ...]

    def __call__(self, _: nn.Module, __: Any, logits: torch.Tensor) -> torch.Tensor:
        """Map logits [n, outputs] to [n, labels]."""
        if all(len(each) == 1 for each in self.outputs):
            return logits[:, [each[0] for each in self.outputs]]
        summed = [logits[:, list(each)].logsumexp(dim=1) for each in self.outputs]
        return torch.stack(summed, dim=1)


def outputs_of_labels(
    labels: Sequence[str],
    num_outputs: int,
    classes: ClassMap | None,
    written: Sequence[str] | None,
    where: str,
) -> tuple[tuple[int, ...], ...]:
    """Find the outputs of each label; the order alone tells nothing where numbers differ.

    Parameters
    ----------
    labels : of the study's data
    num_outputs : of the network
    classes : as the study states them
    written : names of the outputs in the file of weights, where it has any
    where : the model's key

    Raises
    ------
    InputError : a label has no output, an output does not exist, the head is not mapped, or the
        file names its outputs otherwise
    """
    at = f"{where}.classes"
    if isinstance(classes, tuple):
        return _by_name(labels, num_outputs, classes, at)
    if classes is not None:
        return _by_number(labels, num_outputs, classes, at)
    mapped = "{label: output or [outputs]}, or the names of all outputs, one a line of a file"
    if num_outputs != len(labels):
        raise InputError(
            "the network has another number of outputs than the data has classes, and it is not "
            "said which are which",
            where=at,
            found=f"{num_outputs} outputs, {len(labels)} classes",
            allowed=mapped,
        )
    if written is not None and [_plain(n) for n in written] != [_plain(n) for n in labels]:
        raise InputError(
            "the file of weights names its outputs otherwise than the data names its classes",
            where=at,
            found=", ".join(written),
            allowed=", ".join(labels),
            hint="state which output is which: " + mapped,
        )
    return tuple((number,) for number in range(num_outputs))


def _by_name(
    labels: Sequence[str], num_outputs: int, names: Sequence[str], where: str
) -> tuple[tuple[int, ...], ...]:
    if len(names) != num_outputs:
        raise InputError(
            "a list of class names has one for each output",
            where=where,
            found=f"{len(names)} names",
            allowed=f"{num_outputs}, for the outputs of the network in their order",
        )
    for label in labels:
        if label not in names:
            raise InputError(
                "a label is the name of no output",
                where=where,
                found=label,
                allowed=names,
                hint=did_you_mean(label, names),
            )
    return tuple((names.index(label),) for label in labels)


def _by_number(
    labels: Sequence[str], num_outputs: int, classes: Mapping[str, tuple[int, ...]], where: str
) -> tuple[tuple[int, ...], ...]:
    for name, outputs in classes.items():
        if name not in labels:
            raise InputError(
                "the data has no such label",
                where=f"{where}.{name}",
                found=name,
                allowed=labels,
                hint=did_you_mean(name, labels),
            )
        if max(outputs) >= num_outputs:
            raise InputError(
                "the network has no such output",
                where=f"{where}.{name}",
                found=max(outputs),
                allowed=f"0 .. {num_outputs - 1}",
            )
    for label in labels:
        if label not in classes:
            raise InputError(
                "a label without an output", where=where, found=label, allowed="every label once"
            )
    return tuple(classes[label] for label in labels)


def _plain(name: str) -> str:
    return name.strip().casefold()

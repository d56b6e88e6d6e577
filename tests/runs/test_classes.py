"""Outputs told by labels: sums of probabilities, and what is refused."""

import numpy as np
import pytest
import torch
from torch import nn

from priorscope.errors import InputError
from priorscope.runs.classes import OutputsToLabels, outputs_of_labels

LABELS = ("cat", "dog", "ship")


def told(num_outputs, classes=None, written=None):
    return outputs_of_labels(LABELS, num_outputs, classes, written, "models.m")


def test_probabilities_are_summed_over_the_outputs_of_a_label():
    logits = torch.randn(50, 9, generator=torch.Generator().manual_seed(0)) * 5
    outputs = told(9, {"ship": (0,), "cat": (3, 1, 8), "dog": (2, 4)})
    found = OutputsToLabels(outputs)(nn.Identity(), (), logits).softmax(1).numpy()
    p = np.exp(logits.double().numpy())
    sums = np.stack([p[:, [3, 1, 8]].sum(1), p[:, [2, 4]].sum(1), p[:, 0]], axis=1)
    assert np.allclose(found, sums / sums.sum(1, keepdims=True), atol=1e-6)


def test_names_find_the_outputs_in_any_order():
    outputs = told(5, ("ship", "a", "dog", "b", "cat"))
    assert outputs == ((4,), (2,), (0,))
    logits = torch.arange(10.0).view(2, 5)
    found = OutputsToLabels(outputs)(nn.Identity(), (), logits)
    assert found.tolist() == [[4, 2, 0], [9, 7, 5]]


def test_equal_numbers_are_the_labels_in_their_order_unless_the_file_says_otherwise():
    assert told(3) == ((0,), (1,), (2,))
    assert told(3, written=("Cat", "dog ", "ship")) == ((0,), (1,), (2,))
    with pytest.raises(InputError, match="names its outputs otherwise") as error:
        told(3, written=("dog", "cat", "ship"))
    assert "dog, cat, ship" in str(error.value)
    assert told(3, ("dog", "cat", "ship"), ("dog", "cat", "ship")) == ((1,), (0,), (2,))


@pytest.mark.parametrize(
    ("num_outputs", "classes", "words"),
    [
        (4, None, ["4 outputs, 3 classes"]),
        (2, None, ["2 outputs, 3 classes"]),
        (4, ("cat", "dog", "ship"), ["3 names", "4, for the outputs"]),
        (3, ("cat", "dogs", "ship"), ["dog", "did you mean dogs"]),
        (3, {"cat": (0,), "dog": (1,)}, ["a label without an output", "ship"]),
        (3, {"cat": (0,), "dog": (1,), "ship": (3,)}, ["classes.ship", "0 .. 2"]),
        (4, {"cat": (0,), "dog": (1,), "ship": (2,), "shop": (3,)}, ["did you mean ship"]),
    ],
)
def test_what_is_not_mapped_is_refused(num_outputs, classes, words):
    with pytest.raises(InputError) as error:
        told(num_outputs, classes)
    assert all(word in str(error.value) for word in words), str(error.value)

"""What a run warns of: a training that was another one than its recipe says."""

import pytest
from torch import nn

from priorscope.runs.doubts import training_warnings
from priorscope.training.recipe import Recipe

NORM = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten())


def epochs(*skipped):
    return [
        {"epoch": number, "step": 100 * number, "num_skipped_updates": each}
        for number, each in enumerate(skipped, start=1)
    ]


@pytest.mark.parametrize(("skipped", "warned"), [((0, 0), False), ((2, 0), False), ((2, 1), True)])
def test_skipped_updates_are_warned_of_from_more_than_one_percent_on(skipped, warned):
    said = training_warnings(NORM, Recipe(batch_size=10, precision="fp16"), 1000, epochs(*skipped))
    assert bool(said) == warned
    if warned:
        assert said[0].startswith("3 of 200 updates were skipped") and "in fp16" in said[0]


def test_epochs_of_earlier_versions_count_no_skipped_updates():
    assert training_warnings(NORM, Recipe(batch_size=10), 1000, [{"epoch": 1, "step": 100}]) == []


def test_a_batch_norm_that_sees_one_image_alone_is_warned_of():
    (said,) = training_warnings(NORM, Recipe(batch_size=10), 101, epochs(0))
    assert "moments from one image alone" in said and "batch_size" in said
    without = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten())
    assert training_warnings(without, Recipe(batch_size=10), 101, epochs(0)) == []

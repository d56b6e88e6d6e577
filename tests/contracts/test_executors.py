"""Every executor lists itself, gives a pool, and refuses what it cannot do."""

import inspect
from pathlib import Path

import pytest

from priorscope.components import listing, resolve
from priorscope.errors import InputError
from priorscope.execution._pool import Asked, Pool
from priorscope.training.recipe import Recipe

NEEDS = {"ray": "ray"}


@pytest.fixture(params=listing("executors"))
def execute(request):
    if request.param in NEEDS:
        pytest.importorskip(NEEDS[request.param], reason=f"{NEEDS[request.param]} not installed")
    return resolve("executors", request.param, base=Path())


def test_takes_what_is_asked_and_the_recipe(execute):
    assert [*inspect.signature(execute).parameters] == ["asked", "recipe"]


def test_devices_that_do_not_divide_the_batch_are_refused(execute, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    with (
        pytest.raises(InputError, match="divide the batch"),
        execute(Asked("cpu", num_devices=3), Recipe(batch_size=64)) as pool,
    ):
        assert isinstance(pool, Pool)

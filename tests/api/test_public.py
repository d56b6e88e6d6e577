"""The public names, and what importing them costs."""

import inspect
import json
import subprocess
import sys
from dataclasses import fields

import pytest

import priorscope as ps

MEASURE = """
import sys, time
started = time.perf_counter()
import priorscope
seconds = time.perf_counter() - started
heavy = {"torch", "polars", "numpy", "pydantic", "rich", "altair", "scipy", "pyarrow", "yaml"}
import json
print(json.dumps([seconds, sorted(heavy & {*sys.modules})]))
"""


def test_the_public_names_are_these_and_no_others():
    assert ps.__all__ == ["Results", "Study", "load_study", "open", "run", "score"]
    assert {*ps.__all__} <= {*dir(ps)}
    for name in ps.__all__:
        assert inspect.getdoc(getattr(ps, name)), name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ps.nothing


def test_importing_takes_a_tenth_of_a_second_and_no_library():
    found = [json.loads(subprocess.check_output([sys.executable, "-c", MEASURE])) for _ in range(3)]
    assert [heavy for _, heavy in found] == [[], [], []]
    assert min(seconds for seconds, _ in found) <= 0.1


def test_run_takes_every_option_of_the_command():
    from priorscope.api.work import Options

    options = {field.name for field in fields(Options)} - {"command"}
    assert {*inspect.signature(ps.run).parameters} == options | {"study"}

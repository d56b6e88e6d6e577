"""Callables of a notebook are known by what they do: by source and all that it refers to."""

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notebook import Notebook

import priorscope as ps
from priorscope.api.described import describe
from priorscope.components import resolve
from priorscope.errors import InputError

CELL = """
import math
WIDTH = 8
OTHER = 1
NAMES = {"b", "a", "c"}

def helper(x):
    return x + 1

class Block:
    scale = 2
    def forward(self, x):
        return helper(x) * self.scale

class Wide(Block):
    @property
    def size(self):
        return WIDTH

def make(depth, factor=3):
    def model(*, num_classes, image_px, heads=factor):
        return Wide, math.pi, depth, [helper for _ in NAMES]
    return model
"""


def digest(notebook, source=CELL, call="make(4)"):
    return describe(eval(call, vars(notebook.cell(source))), "models.a")[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x + 1", "x + 2"),
        ("WIDTH = 8", "WIDTH = 9"),
        ("scale = 2", "scale = 4"),
        ("* self.scale", "/ self.scale"),
        ("(Block)", "(Block, dict)"),
        ("return WIDTH", "return 2 * WIDTH"),
        ("factor=3", "factor=5"),
        ("math.pi", "math.e"),
        ('"c"}', '"d"}'),
        ("import math", "import cmath as math"),
        ("@property", "@staticmethod"),
    ],
)
def test_a_change_of_anything_that_it_does_is_noticed(notebook, before, after):
    assert before in CELL
    assert digest(notebook) != digest(notebook, CELL.replace(before, after))


def test_a_change_of_a_closure_is_noticed_and_of_what_it_does_not_use_is_not(notebook):
    assert digest(notebook) == digest(notebook, call="make(4)")
    assert digest(notebook) != digest(notebook, call="make(5)")
    assert digest(notebook) == digest(notebook, CELL.replace("OTHER = 1", "OTHER = 2"))
    assert digest(notebook) == digest(notebook, CELL + "\ndepth = 3\nforward = 2\n")


def test_another_process_gives_the_same_digest(notebook):
    code = (
        "import sys, linecache\n"
        "from priorscope.api.described import describe\n"
        f"source = {CELL!r}\n"
        "linecache.cache['<cell>'] = (1, None, source.splitlines(keepends=True), '<cell>')\n"
        "exec(compile(source, '<cell>', 'exec'))\n"
        "print(describe(make(4), '')[0])"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        said = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
        assert said.strip() == digest(notebook)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 2)] * 4), min_size=2, max_size=6))
def test_equal_digests_mean_equal_behaviour(all_values):
    """Of functions that refer to numbers in four ways, those with one digest do the same."""

    def made(values):
        default, closed, shared, written = values
        source = (
            f"shared = [{shared}]\n"
            "def inner(): return shared[0]\n"
            "def outer(closed, default):\n"
            f"    return lambda *, x=default: (x, closed, inner(), {written})\n"
        )
        book = Notebook()
        main = book.cell(source)
        saved = sys.modules["__main__"]
        sys.modules["__main__"] = main
        try:
            function = main.outer(closed, default)
            return describe(function, "")[0], function()
        finally:
            sys.modules["__main__"] = saved

    found = [made(values) for values in all_values]
    for one in found:
        for other in found:
            assert (one[0] == other[0]) == (one[1] == other[1])


def test_two_lambdas_of_one_line_are_two_models(notebook, small):
    small["models"] = notebook.cell(
        "models = {'a': lambda *, num_classes, image_px: 1, "
        "'b': lambda *, num_classes, image_px: 2}"
    ).models
    spec = ps.Study(**small).spec
    built = [
        resolve("models", spec.models[name].name, base=spec.base)(num_classes=2, image_px=2)
        for name in ("a", "b")
    ]
    assert built == [1, 2]


def test_study_yaml_records_the_source_and_stays_a_study(notebook, small, linear):
    study = ps.Study(**small, models={"mine": notebook.cell(linear).my_model})
    (reference,) = [model.name for model in study.spec.models.values()]
    assert reference.startswith("python:my_model.")
    for line in linear.strip().splitlines()[2:]:
        assert f"# {line}" in study.text
    wide = notebook.cell("WIDTH = 8\nclass Net(dict):\n  def size(self, *, x): return WIDTH").Net
    text = ps.Study(**small, models={"mine": wide}).text
    assert "# WIDTH = 8\n" in text and "# class Net(dict):" in text
    again = ps.Study(**small, models={"mine": notebook.cell(linear).my_model})
    assert again.spec.hash == study.spec.hash


@pytest.mark.parametrize(
    ("source", "before", "after"),
    [
        ("import torch\nt = torch.zeros(2, 1)\ndef f(): return t", "(2, 1)", "(1, 2)"),
        (
            "import torch\nt = torch.nn.Linear(1, 1)\ndef f(): return t.bias.fill_(0)",
            "l_(0)",
            "l_(1)",
        ),
        ("import numpy as np\nt = np.arange(3)\ndef f(): return t", "3", "4"),
        ("def f():\n  import own_module\n  return own_module.x", "own", "math"),
        ("def f(n=3): return f(n - 1) if n else 0", "n=3", "n=4"),
        ("from dataclasses import dataclass\n@dataclass\nclass f:\n  x: int = 3", "= 3", "= 4"),
        ("import functools\ng = functools.partial(int, base=2)\ndef f(): return g", "=2", "=3"),
        (
            "import functools\nclass f:\n  @functools.cached_property\n  def g(self): return 1",
            " 1",
            " 2",
        ),
    ],
)
def test_values_of_many_kinds_count(notebook, source, before, after):
    import torch

    torch.manual_seed(0)
    first = digest(notebook, source, "f")
    torch.manual_seed(0)
    assert digest(notebook, source, "f") == first
    torch.manual_seed(0)
    assert digest(notebook, source.replace(before, after), "f") != first


def test_a_module_of_ones_own_counts_by_its_content(notebook, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    source = "def f():\n  import own_layers\n  return own_layers.x"
    (tmp_path / "own_layers.py").write_text("x = 1")
    first = digest(notebook, source, "f")
    assert digest(notebook, source, "f") == first
    (tmp_path / "own_layers.py").write_text("x = 2")
    assert digest(notebook, source, "f") != first
    assert digest(notebook, f"import own_layers\n{source}", "f") != first


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import threading\nlock = threading.Lock()\ndef f(): return lock", "cannot be compared"),
        ("def g():\n yield\nit = g()\ndef f(): return it", "cannot be compared"),
    ],
)
def test_what_cannot_be_compared_is_refused(notebook, small, source, words):
    with pytest.raises(InputError) as error:
        ps.Study(**small, models={"mine": notebook.cell(source).f})
    for word in (words, "models.mine", "hint"):
        assert word in str(error.value)


def test_a_callable_without_source_is_refused_with_what_to_do(notebook, small):
    exec("def f(*, num_classes, image_px): ...", vars(notebook.main))
    with pytest.raises(InputError) as error:
        ps.Study(**small, models={"mine": notebook.main.f})
    for word in ("source", "models.mine", "./my_model.py:my_model"):
        assert word in str(error.value)


def test_a_value_that_changes_after_the_study_was_made_is_refused(notebook, small):
    source = "config = {'width': 8}\ndef f(*, num_classes, image_px): return config['width']"
    study = ps.Study(**small, models={"mine": notebook.cell(source).f})
    notebook.main.config["width"] = 9
    for use in (study.check, lambda: ps.run(study)):
        with pytest.raises(InputError, match="has changed since the study was made"):
            use()


def test_variables_of_a_notebook_are_no_companions(notebook):
    from priorscope.components import companion

    main = notebook.cell("chance = 5\ndef metric(predictions): ...")
    assert companion(main.metric, "chance") is None
    main.metric.chance = len
    assert companion(main.metric, "chance") is len

"""Own code: which files count, what a change of one of them does, and what is executed."""

import os
import py_compile
import shutil
import sys
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

from priorscope.components import bind, resolve
from priorscope.errors import InputError, PriorscopeWarning
from priorscope.own_code import code_digest, own_modules
from priorscope.study.plan import code_of
from priorscope.study.spec import Component

MODEL = """
import json, numpy as np
import helper_of_x
from parts_of_x import wide
def build(*, num_classes, image_px):
    from lazy_of_x import three
    return helper_of_x.value(), wide.value(), three()
"""
FILES = {
    "m.py": MODEL,
    "helper_of_x.py": "from deeper_of_x import *\n",
    "deeper_of_x.py": "def value(): return 1\n",
    "lazy_of_x.py": "import importlib\nthree = importlib.import_module('named_of_x').three\n",
    "named_of_x.py": "def three(): return 3\n",
    "parts_of_x/__init__.py": "from . import narrow\n",
    "parts_of_x/narrow.py": "two = 2\n",
    "parts_of_x/wide.py": "from .narrow import two\ndef value(): return two\n",
}
OTHERS = {"unused_of_x.py": "", "parts_of_x/unused.py": "", "m.txt": ""}


def written(folder: Path, files=FILES) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_the_files_are_those_that_pythons_own_finder_follows(tmp_path):
    written(tmp_path, FILES | OTHERS)
    finder = ModuleFinder(path=[str(tmp_path)])
    finder.run_script(str(tmp_path / "m.py"))
    finder.import_hook("named_of_x")  # it does not know of import_module
    expected = {Path(m.__file__) for m in finder.modules.values() if m.__file__}
    found = own_modules("./m.py:build", tmp_path)
    assert set(found.values()) == expected == {tmp_path / name for name in FILES}


@pytest.mark.parametrize("name", FILES)
def test_a_change_of_any_of_them_is_another_model(tmp_path, name):
    written(tmp_path / "here", FILES | OTHERS)
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    model = Component("./m.py:build")
    before = code_of(model, tmp_path / "here")
    assert code_of(model, tmp_path / "there") == before
    for other in OTHERS:
        (tmp_path / "there" / other).write_text("x = 1\n")
    assert code_of(model, tmp_path / "there") == before
    path = tmp_path / "there" / name
    path.write_text(path.read_text() + "# \n")
    assert code_of(model, tmp_path / "there") != before


def test_one_file_alone_has_the_hash_that_runs_had_before_neighbours_counted(tmp_path):
    (tmp_path / "m.py").write_text("import json\ndef build(): ...\n")
    expected = "2c95c63a33fc8fac"  # sha256sum m.py
    assert code_of(Component("./m.py:build"), tmp_path) == expected


def test_code_named_in_a_parameter_counts_and_is_relative_to_the_study(tmp_path):
    (tmp_path / "mix.py").write_text("def mix(): return 1\n")
    skeleton = Component("skeleton", {"mixer": "./mix.py:mix"})
    before = code_of(skeleton, tmp_path)
    assert before is not None

    def model(*, mixer: str = "x"):
        return resolve("mixers", mixer, base=Path("/elsewhere"))()

    given = bind(model, skeleton.parameters, where="models.m", base=tmp_path)
    assert model(**given) == 1
    (tmp_path / "mix.py").write_text("def mix(): return 2\n")
    assert code_of(skeleton, tmp_path) != before
    assert model(**given) == 2


def test_modules_on_the_path_count_unless_they_are_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    written(tmp_path, {"lab_of_x/__init__.py": "", "lab_of_x/nets.py": "import base_of_x\n"})
    (tmp_path / "base_of_x.py").write_text("def net(): ...\n")
    found = own_modules("lab_of_x.nets:net", Path("/"))
    assert [*found] == ["lab_of_x", "lab_of_x.nets", "base_of_x"]
    before = code_digest(found)
    (tmp_path / "base_of_x.py").write_text("def net(): return 1\n")
    assert code_digest(found) != before
    assert own_modules("torch.nn:Flatten", tmp_path) == {} == own_modules("json:loads", tmp_path)
    assert own_modules("timm:resnet18", tmp_path) == {} == own_modules("Verdict:x y", tmp_path)


def test_neighbours_are_imported_and_anew_when_they_change(tmp_path):
    written(tmp_path)
    shape = {"num_classes": 2, "image_px": 8}
    assert resolve("models", "./m.py:build", base=tmp_path)(**shape) == (1, 2, 3)
    assert resolve("models", "./m.py:build", base=tmp_path) is resolve(
        "models", "./m.py:build", base=tmp_path
    )
    (tmp_path / "deeper_of_x.py").write_text("def value(): return 7\n")
    (tmp_path / "named_of_x.py").write_text("def three(): return 8\n")
    assert resolve("models", "./m.py:build", base=tmp_path)(**shape) == (7, 2, 8)


def test_what_is_executed_is_what_the_file_says_not_what_was_compiled_before(tmp_path):
    written(tmp_path)
    path = tmp_path / "deeper_of_x.py"
    before = path.stat()
    py_compile.compile(str(path))
    path.write_text(path.read_text().replace("1", "9"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    build = resolve("models", "./m.py:build", base=tmp_path)
    assert build(num_classes=2, image_px=8) == (9, 2, 3)


def test_two_studies_have_helpers_of_their_own_and_one_study_not_two_of_a_name(tmp_path):
    for number, name in enumerate("ab", start=1):
        text = "import twin_of_x\ndef build(): return twin_of_x.value\n"
        written(tmp_path / name, {"m.py": text, "twin_of_x.py": f"value = {number}\n"})
    for number, name in [(1, "a"), (2, "b"), (1, "a")]:
        assert resolve("models", "./m.py:build", base=tmp_path / name)() == number
    resolve("models", "./a/m.py:build", base=tmp_path)
    with pytest.raises(InputError, match="two modules are called twin_of_x"):
        resolve("models", "./b/m.py:build", base=tmp_path)


def test_a_neighbour_that_has_the_name_of_an_installed_module_is_refused(tmp_path):
    written(tmp_path, {"m.py": "import json\ndef build(): ...\n", "json.py": ""})
    with pytest.raises(InputError, match="two modules are called json"):
        resolve("models", "./m.py:build", base=tmp_path)
    assert sys.modules["json"].__file__ != str(tmp_path / "json.py")


def test_names_that_are_put_together_at_run_time_are_warned_of(tmp_path):
    text = "import importlib\nhidden = importlib.import_module('hid' + 'den_of_x')\n"
    written(tmp_path, {"m.py": text + "def build(): ...\n", "hidden_of_x.py": ""})
    with pytest.warns(PriorscopeWarning, match=r"hidden_of_x\.py is imported by a name"):
        resolve("models", "./m.py:build", base=tmp_path)

"""Several commands on one output folder, as the tasks of a job array are."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from priorscope.api.training import TrainingOptions, train_all
from priorscope.components import resolve
from priorscope.errors import InputError
from priorscope.execution import _job
from priorscope.execution._pool import Asked
from priorscope.runs import locks
from priorscope.runs.locks import lock_run, locked
from priorscope.runs.store import open_study, set_aside
from priorscope.study.load import parse_study

from .conftest import weights


def train(small, out, capture, *, shared):
    console = Console(file=capture)
    local = resolve("executors", "local", base=Path())
    with local(Asked("cpu", num_threads=1), small.study.recipe) as pool:
        settings = TrainingOptions(out, small.flags.parent, 300.0, shared=shared)
        return train_all(console, pool, small.runs, small.checked, small.load_cell, settings)


@pytest.fixture
def opened(small, tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr("priorscope.api.training.WAIT_SECONDS", 0.0)
    out = tmp_path / "out"
    open_study(out, small.study, small.runs, about=small.checked.about())
    return out


def test_a_run_that_another_process_has_is_left_to_it(small, opened, tmp_path):
    other = lock_run(opened, small.runs[1].run_id)
    assert other is not None
    with (tmp_path / "said").open("w+") as said:
        assert not train(small, opened, said, shared=True)
        assert len(weights(opened)) == 2
        other.release()
        assert not train(small, opened, said, shared=True)
        said.seek(0)
        text = said.read()
    assert "1 of 3 runs are with other processes" in text
    assert weights(opened) == small.reference


def test_who_does_not_share_is_refused_while_another_process_trains(small, opened, tmp_path):
    other = lock_run(opened, small.runs[1].run_id)
    assert other is not None
    with (
        (tmp_path / "said").open("w") as said,
        pytest.raises(InputError, match="is working on itself seed 0") as caught,
    ):
        train(small, opened, said, shared=False)
    assert "--shared" in str(caught.value)
    with pytest.raises(InputError, match="is training a run"):
        set_aside(opened)
    other.release()
    assert set_aside(opened) is not None


def test_fresh_does_not_move_a_folder_from_under_another_process(opened):
    with locked(opened), pytest.raises(InputError, match="another process is working"):
        set_aside(opened)
    assert (opened / "study.json").is_file()


def test_files_that_a_study_names_travel_and_are_found_in_place(small, tmp_path):
    files = _job.named_files(small.study)
    assert [*files] == ["sub/mine.py"]
    job = SimpleNamespace(files=files, base=str(small.study.base))
    assert _job.base_for(job, tmp_path) == small.study.base
    for base in ("/no/such/folder", str(tmp_path)):
        unpacked = _job.base_for(SimpleNamespace(files=files, base=base), tmp_path / "scratch")
        copy = unpacked / "sub" / "mine.py"
        assert copy.read_bytes() == (small.study.base / "sub" / "mine.py").read_bytes()
        assert copy.is_relative_to(tmp_path / "scratch")


def test_what_named_files_import_from_beside_them_travels_too(tmp_path, monkeypatch):
    folder = tmp_path / "here" / "sub"
    folder.mkdir(parents=True)
    (folder / "first_of_three.py").write_text(
        "import json\n"
        "def make(*, num_classes, image_px):\n"
        "    from second_of_three import value\n"
        "    return json.dumps(value)\n"
    )
    (folder / "second_of_three.py").write_text("from third_of_three import value\n")
    (folder / "third_of_three.py").write_text("value = 3\n")
    (folder / "other.py").write_text("value = 4\n")
    study = parse_study(
        "name: three\n"
        "data: {name: synthetic}\n"
        "recipe: {epochs: 1}\n"
        "models: {mine: {name: './sub/first_of_three.py:make'}}\n",
        base=tmp_path / "here",
    )
    files = _job.named_files(study)
    names = ["first_of_three", "second_of_three", "third_of_three"]
    assert sorted(Path(name).stem for name in files) == names
    job = SimpleNamespace(files=files, base="/no/such/folder")
    base = _job.base_for(job, tmp_path / "scratch")
    monkeypatch.setattr(sys, "path", [*sys.path])
    make = resolve("models", "./sub/first_of_three.py:make", base=base)
    assert make(num_classes=2, image_px=8) == "3"
    assert str(tmp_path / "scratch") in sys.modules["third_of_three"].__file__

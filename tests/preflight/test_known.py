"""What a look found is kept while all that it depends on stays, and only then."""

import os
import subprocess
import sys
from dataclasses import fields, replace

import pytest

from priorscope.cli import run_command
from priorscope.data import cache_root
from priorscope.preflight.check_cells import check_cells
from priorscope.preflight.known import kept, look, look_key
from priorscope.runs.load_cells import cell_loader
from priorscope.study.load import parse_study


@pytest.fixture
def own_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_an_unchanged_study_is_checked_again_without_torch_and_says_the_same(
    tmp_path, tiny, capsys, own_cache_folder
):
    (tmp_path / "tiny.yaml").write_text(tiny)
    assert run_command(["check", str(tmp_path / "tiny.yaml")]) == 0
    first = capsys.readouterr().out
    code = (
        "import sys; from priorscope.cli import run_command\n"
        f"code = run_command(['check', {str(tmp_path / 'tiny.yaml')!r}])\n"
        "sys.exit(code or 'torch' in sys.modules or 'scipy' in sys.modules)"
    )
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert again.stdout == first


def test_what_is_read_back_is_what_was_found_in_every_cell(tmp_path, tiny, own_cache_folder):
    text = tiny + "factors: {train_fraction: [0.5, 1.0]}\ndeclared: {recipe: none differs}\n"
    text = text.replace("expect: greater", "expect: greater, at: {train_fraction: 1.0}")
    study = parse_study(text, base=tmp_path)
    key = look_key(study, tmp_path)
    found = check_cells(study, cell_loader(study, tmp_path))
    for load in (cell_loader(study, tmp_path), None):  # the second time no cell is made
        looked = look(study, key, load)
        for field in fields(found):
            assert getattr(looked, field.name) == getattr(found, field.name), field.name
    with pytest.raises(TypeError):
        look(study, key, None, anew=True)


def test_the_key_changes_with_the_study_its_data_and_its_code(tmp_path, tiny):
    (tmp_path / "mine.py").write_text("def model(): ...")
    for number, (split, name) in enumerate([(s, n) for s in ("train", "test") for n in "ab"]):
        (tmp_path / "photos" / split / name).mkdir(parents=True)
        (tmp_path / "photos" / split / name / f"{number}.png").write_bytes(b"x" * number)
    text = tiny.replace(
        "{name: synthetic, task: objects, num_train: 200, num_test: 100}",
        "{name: image_folder, path: photos}",
    )
    text = text.replace(
        "{name: vit_nano, embed_dim: 16, depth: 1, num_heads: 2}", "{name: './mine.py:model'}"
    )
    study = parse_study(text, base=tmp_path)
    first = look_key(study, tmp_path)
    assert first is not None
    assert look_key(study, tmp_path) == first
    changed = [look_key(replace(study, seeds=(0, 1)), tmp_path)]
    (tmp_path / "mine.py").write_text("def model(): return None")
    changed.append(look_key(study, tmp_path))
    path = tmp_path / "photos" / "test" / "a" / "2.png"
    os.utime(path, ns=(1, 1))
    changed.append(look_key(study, tmp_path))
    path.write_bytes(b"longer")
    changed.append(look_key(study, tmp_path))
    assert len({first, *changed}) == 5


def test_nothing_is_kept_of_code_whose_changes_leave_no_trace(tmp_path, tiny):
    foreign = tiny.replace(
        "name: vit_nano, embed_dim: 16, depth: 1, num_heads: 2", "name: 'torch.nn:Flatten'"
    )
    assert look_key(parse_study(foreign, base=tmp_path), tmp_path) is None
    zoo = tiny.replace(
        "name: vit_nano, embed_dim: 16, depth: 1, num_heads: 2", "name: 'timm:convnext_atto'"
    )
    assert look_key(parse_study(zoo, base=tmp_path), tmp_path) is not None


def test_a_damaged_file_and_a_cache_that_cannot_be_written_only_cost_time(
    tmp_path, own_cache_folder, monkeypatch
):
    made = []

    def make():
        made.append(len(made))
        return {"number": made[-1], "shape": (1, 2)}

    assert kept("look", "k", make) == {"number": 0, "shape": [1, 2]}
    assert kept("look", "k", make) == {"number": 0, "shape": [1, 2]}
    (path,) = (cache_root() / "known").iterdir()
    path.write_text(path.read_text().replace('"number": 0', '"number": 7'))
    assert kept("look", "k", make)["number"] == 1
    assert kept("look", "k", make, anew=True)["number"] == 2
    assert kept("look", None, make)["number"] == 3
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "file"))
    assert kept("look", "k", make)["number"] == 4

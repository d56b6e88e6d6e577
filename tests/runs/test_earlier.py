"""A study's folder whose runs are of code that has changed since."""

import json

import pytest

from priorscope.cli import run_command

STUDY = """
name: t
data: {name: synthetic, num_train: 60, num_test: 20}
recipe: {epochs: 1, batch_size: 30}
models: {a: {name: "./m.py:m"}}
seeds: [0, 1]
"""
MODEL = """
from torch import nn
import width_of_t
def m(*, num_classes: int, image_px: int) -> nn.Module:
    n = width_of_t.width()
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * image_px**2, n), nn.Linear(n, num_classes))
"""


def test_two_seeds_of_different_code_are_not_taken_together(tmp_path, capsys):
    (tmp_path / "t.yaml").write_text(STUDY)
    (tmp_path / "m.py").write_text(MODEL)
    out, sizes = tmp_path / "o", {8: 3072 * 8 + 8 + 90, 9: 3072 * 9 + 9 + 100}
    command = ["run", str(tmp_path / "t.yaml"), "--out", str(out)]
    (tmp_path / "width_of_t.py").write_text("def width(): return 8\n")
    assert run_command([*command, "--seeds", "0"]) == 0
    (tmp_path / "width_of_t.py").write_text("def width(): return 9\n")
    capsys.readouterr()
    with pytest.warns(match="1 run here is of other code, parameters or weights") as said:
        assert run_command(command) == 0
    (earlier,) = (str(w.message) for w in said if "here is of other" in str(w.message))
    runs = {p.parent.name: json.loads(p.read_text()) for p in out.glob("runs/*/run.json")}
    planned = {r["run_id"] for r in json.loads((out / "study.json").read_text())["plan"]}
    assert {runs[name]["num_parameters"] for name in planned} == {sizes[9]}
    (old,) = runs.keys() - planned
    assert old in earlier and runs[old]["num_parameters"] == sizes[8]
    history = json.loads((out / "study.json").read_text())["history"]
    assert [entry["changed"] for entry in history] == [[], ["code"]]
    assert "code of the models was changed" in (out / "report" / "index.html").read_text()
    # The old code again: its run is there.
    (tmp_path / "width_of_t.py").write_text("def width(): return 8\n")
    with pytest.warns(match="2 runs here are of other code"):
        assert run_command([*command, "--seeds", "0"]) == 0
    assert "finished already" in capsys.readouterr().out

"""`ps.run`: what it trains, shows, keeps and refuses."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import priorscope as ps
from priorscope.cli import run_command
from priorscope.data import Preprocess
from priorscope.errors import InputError, PriorscopeWarning, RunFailed
from priorscope.runs.prepare import load_data
from priorscope.runs.store import read_run

SCRIPT = """
import priorscope as ps
from torch import nn

def my_model(*, num_classes: int, image_px: int, bias: bool = True):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * image_px**2, num_classes, bias=bias))

print("the script is imported as", __name__)
GUARD:
    print("the main part is executed")
    study = ps.Study(
        name="scripted",
        data={"name": "synthetic", "num_train": 100, "num_test": 50},
        recipe={"learning_rate": 1e-3, "epochs": 1, "batch_size": 50},
        models={"mine": my_model, "bare": (my_model, {"bias": False})},
    )
    results = ps.run(study, out="OUT", jobs=JOBS)
    print(results)
"""


def run_script(folder, guard, out, jobs="None"):
    text = SCRIPT.replace("GUARD", guard).replace("OUT", out).replace("JOBS", jobs)
    (folder / "script.py").write_text(text)
    command = [sys.executable, str(folder / "script.py")]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=240, cwd=folder, check=False
    )


def with_linear(notebook, linear, keys, **models):
    return ps.Study(**keys, models={"mine": notebook.cell(linear).my_model, **models})


def test_a_notebook_trains_its_own_model_and_gets_its_network_back(notebook, small, linear, capsys):
    study = with_linear(notebook, linear, small, plain={"name": "linear"})
    results = ps.run(study, out="out")
    said = capsys.readouterr().out
    assert "[1/2] mine seed 0" in said and "epoch 2/2" in said and "img/s" in said
    assert (results.out / "study.yaml").read_text() == study.text
    assert not (results.out / "report").exists()
    assert results.report() == results.out / "report" / "index.html"
    assert results.scores["model"].to_list() == ["mine", "plain"]

    answers = results.predictions("mine", 0)
    (run,) = results.out.glob("runs/mine-*")
    about = read_run(run)
    network = results.network("mine", 0)
    images = load_data(study.spec, results.out).test.images
    see = Preprocess(
        about["image_px"], *(tuple(about["normalization"][k]) for k in ("mean", "std"))
    )
    with torch.no_grad():
        logits = network(see(torch.from_numpy(images.copy()))).numpy()
    assert not network.training
    np.testing.assert_allclose(logits, answers.logits, rtol=1e-4, atol=1e-5)

    assert ps.run(study, out="out").scores.equals(results.scores)
    assert "2 of 2 runs are finished already" in capsys.readouterr().out


def test_a_model_that_changed_is_another_run_and_not_the_old_one(notebook, small, linear, capsys):
    study = with_linear(notebook, linear, small)
    first = ps.run(study, out="out")
    changed = with_linear(notebook, linear.replace("bias=bias", "bias=False"), small)
    with pytest.warns(PriorscopeWarning, match="1 run here is of other code"):
        results = ps.run(changed, out="out")
    assert len(results.network("mine", 0).state_dict()) == 1
    assert "finished already" not in capsys.readouterr().out
    assert len([*first.out.glob("runs/*")]) == 2


def test_a_file_study_is_the_run_of_the_command(tmp_path, tiny, capsys):
    (tmp_path / "tiny.yaml").write_text(tiny)
    command = ["run", str(tmp_path / "tiny.yaml"), "--only", "vit"]
    assert run_command([*command, "--out", str(tmp_path / "command")]) == 0
    results = ps.run(tmp_path / "tiny.yaml", out=tmp_path / "python", only="vit", seeds=[0])
    by_command = ps.open(tmp_path / "command")
    assert [path.name for path in results.out.glob("runs/*")] == [
        path.name for path in by_command.out.glob("runs/*")
    ]
    for probe in ("test", "combined", "background"):
        found, wanted = (each.predictions("vit", 0, probe) for each in (results, by_command))
        np.testing.assert_array_equal(found.logits, wanted.logits)
    assert results.scores.equals(by_command.scores)
    assert len(results.missing) == 1
    with pytest.raises(InputError, match="not finished"):
        results.predictions("cnn", 0)


STOPS = """
from pathlib import Path
from torch import nn

class Stops(nn.Module):
    def __init__(self, *, num_classes: int, image_px: int):
        super().__init__()
        self.head = nn.Linear(3 * image_px**2, num_classes)

    def forward(self, images):
        begun = list(Path("out").glob("runs/*/metrics.jsonl"))
        if self.training and begun and Path("stop").exists():
            raise ERROR
        return self.head(images.flatten(1))
"""


def test_an_interrupted_call_continues_to_the_same_bits(notebook, small, tmp_path):
    main = notebook.cell(STOPS.replace("ERROR", "KeyboardInterrupt"))
    study = ps.Study(**small, models={"stops": main.Stops})
    never = ps.run(study, out="never_stopped")
    (tmp_path / "stop").touch()
    with pytest.raises(KeyboardInterrupt):
        ps.run(study, out="out", checkpoint_minutes=0)
    assert len(list((tmp_path / "out").glob("runs/*/metrics.jsonl"))) == 1
    assert "0 of 1 runs finished" in repr(ps.open("out"))
    assert "0 of 1 runs finished" in ps.open("out")._repr_html_()
    with pytest.raises(InputError, match="no run of this study has finished"):
        _ = ps.open("out").scores
    (tmp_path / "stop").unlink()
    found = ps.run(study, out="out")
    np.testing.assert_array_equal(
        found.predictions("stops", 0).logits, never.predictions("stops", 0).logits
    )


def test_a_failed_run_is_said_and_the_others_are_kept(notebook, small, tmp_path, linear):
    (tmp_path / "stop").touch()
    main = notebook.cell(STOPS.replace("ERROR", "ValueError('broken')"))
    study = ps.Study(**small, models={"stops": main.Stops, "plain": {"name": "linear"}})
    with pytest.raises(RunFailed, match="1 of 2 runs failed: stops seed 0"):
        ps.run(study, out="out")
    assert ps.open("out").scores["model"].to_list() == ["plain"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"jobs": 2}, "cannot be taken to another process"),
        ({"devices": 2}, "cannot be taken to another process"),
        ({"executor": "ray"}, "./file.py:callable"),
        ({"seeds": [7]}, "seed not in the study"),
        ({"seeds": 0}, "seeds are a list"),
        ({"seeds": [0, 0]}, "a seed stands twice"),
        ({"seeds": ["0"]}, "seeds are whole numbers"),
        ({"only": "nobody"}, "no run has that name"),
        ({"device": "gpu"}, "unknown device"),
        ({"executor": "loca"}, "did you mean local?"),
        ({"trackers": ["tensorbord"]}, "did you mean tensorboard?"),
        ({"shared": True, "fresh": True}, "would set aside"),
    ],
)
def test_options_are_refused_before_anything_is_written(
    notebook, small, linear, tmp_path, options, words
):
    study = with_linear(notebook, linear, small)
    with pytest.raises(InputError) as error:
        ps.run(study, out="out", **options)
    assert words in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_study_of_another_process_says_so(notebook, small, linear, tmp_path, capsys):
    text = with_linear(notebook, linear, small).text
    other = text.replace("python:my_model.", "python:my_model.0")
    (tmp_path / "other.yaml").write_text(other)
    assert run_command(["check", "other.yaml"]) == 2
    said = capsys.readouterr().err
    for word in ("models.mine.name", "not this one", "./file.py:callable"):
        assert word in said


def test_a_changed_file_gives_no_network(notebook, small, linear, tmp_path):
    (tmp_path / "model.py").write_text(linear)
    study = ps.Study(**small, models={"mine": {"name": "./model.py:my_model"}})
    results = ps.run(study, out="below/out")
    assert len(results.network("mine", 0).state_dict()) == 2
    (tmp_path / "model.py").write_text(linear.replace("bias=bias", "bias=False"))
    with pytest.raises(InputError, match="not those that the network was trained with"):
        ps.open("below/out").network("mine", 0)
    (tmp_path / "model.py").write_text(linear)
    assert len(ps.open("below/out").network("mine", 0).state_dict()) == 2


def test_a_script_with_a_guard_is_run_once_and_imported_by_workers(tmp_path):
    done = run_script(tmp_path, 'if __name__ == "__main__"', "out", jobs="2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the main part is executed") == 1
    assert "2 of 2 runs finished" in done.stdout
    assert "name: ./script.py:my_model" in (tmp_path / "out" / "study.yaml").read_text().replace(
        "'", ""
    )


def test_a_script_without_a_guard_is_told_to_have_one(tmp_path):
    done = run_script(tmp_path, "if True", "out")
    assert done.returncode == 1
    assert done.stdout.count("the main part is executed") == 1  # by the user, not again
    for word in ("would run a study anew", "script.py", 'under `if __name__ == "__main__":`'):
        assert word in done.stderr
    assert not (tmp_path / "out").exists()

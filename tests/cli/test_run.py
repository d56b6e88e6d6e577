"""`priorscope run` from end to end: artefacts, resuming, and refusals that lose nothing."""

import json
import os
import signal
import subprocess
import sys
import time
import zlib

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

from priorscope.cli import run_command
from priorscope.data import proportional_sample
from priorscope.errors import PriorscopeWarning
from priorscope.evaluation import read_predictions
from priorscope.runs.store import read_run
from priorscope.study.hypotheses import changed_late


def runs(out):
    return sorted(path for path in (out / "runs").iterdir())


def test_every_artefact_of_the_design_is_there(finished_once):
    out = finished_once.out
    record = json.loads((out / "study.json").read_text())
    assert (out / "study.yaml").read_text() == finished_once.study.read_text()
    assert len(record["hash"]) == 16
    assert {"versions", "hardware", "command", "created", "data"} <= set(record)
    assert [path.name for path in runs(out)] == sorted(run["run_id"] for run in record["plan"])
    for run in runs(out):
        about = json.loads((run / "run.json").read_text())
        assert about["status"] == "finished"
        epochs = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        assert [epoch["epoch"] for epoch in epochs] == [1, 2]
        assert epochs[-1]["step"] == 8
        weights = load_file(run / "model.safetensors")
        # The last line of metrics.jsonl is about the weights that were stored and predicted with.
        test = read_predictions(run / "predictions" / "test.parquet")
        accuracy = (test.logits.argmax(1) == test.targets).mean()
        assert accuracy == pytest.approx(epochs[-1]["test_accuracy"])
        assert sum(value.size for value in weights.values()) >= about["num_parameters"]
        assert {p.stem for p in (run / "predictions").iterdir()} == {
            "test",
            "combined",
            "background",
        }
    assert not list(out.rglob("*.partial"))
    assert (out / "report" / "index.html").is_file()


def test_scores_can_be_recomputed_from_predictions_alone(finished_once):
    scores = pl.read_parquet(finished_once.out / "analysis" / "scores.parquet")
    for row in scores.filter(metric="top1").iter_rows(named=True):
        (run,) = (finished_once.out / "runs").glob(f"{row['model']}-s{row['seed']}-*")
        arm = read_predictions(run / "predictions" / f"{row['probe']}.parquet").arm(row["arm"])
        assert row["value"] == pytest.approx((arm.logits.argmax(1) == arm.targets).mean())


def test_the_curve_may_be_measured_on_few_test_images(finished, tmp_path):
    finished.study.write_text(finished.study.read_text() + "\ncurve_images: 7\n")
    finished.out = tmp_path / "other"
    assert finished.again("--only", "vit") == 0
    (run,) = (finished.out / "runs").iterdir()
    answers = read_predictions(run / "predictions" / "test.parquet")
    right = answers.logits.argmax(1) == answers.targets
    assert len(right) > 7
    last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    rng = np.random.default_rng(zlib.crc32(b"test_accuracy"))
    few = proportional_sample([answers.targets], 7, rng)
    assert last["test_accuracy"] == pytest.approx(right[few].mean())
    assert "7 of the test images" in (finished.out / "report" / "index.html").read_text()


def test_attention_is_measured_on_every_head_of_the_trained_model(finished_once):
    rows = pl.read_parquet(finished_once.out / "analysis" / "measurements.parquet")
    rows = rows.filter(pl.col("partner").is_null() & (pl.col("head") > 0))
    assert set(rows["model"]) == {"vit"}
    assert set(rows.select("layer", "head").iter_rows()) == {(1, 1), (1, 2)}
    ranges = {  # an 8 x 8 grid
        "attention_mass": (0, 1),
        "attention_entropy": (0, np.log(64) + 1e-6),
        "attention_rank": (1, 64),
        "attention_distance": (1, 7 * 2**0.5),
    }
    assert set(rows["measure"]) == set(ranges)
    for row in rows.iter_rows(named=True):
        low, high = ranges[row["measure"]]
        assert low < row["value"] < high and row["n"] == 32
    for run in map(read_run, runs(finished_once.out)):
        applies = run["model"] == "vit"
        assert all(("does_not_apply" in each) != applies for each in run["measurements"].values())


def test_a_second_time_trains_nothing_and_changes_nothing(finished, capsys):
    before = {path: path.stat().st_mtime_ns for path in finished.out.glob("runs/*/*")}
    assert finished.again() == 0
    assert "2 of 2 runs are finished already" in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in finished.out.glob("runs/*/*")}


def test_the_same_seed_gives_the_same_bits(finished, tmp_path):
    other = tmp_path / "other"
    assert run_command(["run", str(finished.study), "--out", str(other), "--only", "vit"]) == 0
    (run,) = runs(other)
    folders = (finished.out / "runs" / run.name, run)
    first, again = (load_file(folder / "model.safetensors") for folder in folders)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    logits = [
        read_predictions(folder / "predictions" / "combined.parquet").logits for folder in folders
    ]
    np.testing.assert_array_equal(*logits)


def test_lost_or_stale_predictions_are_made_again_from_the_weights(finished, capsys):
    (cnn,) = finished.out.glob("runs/cnn-*")
    lost = cnn / "predictions" / "combined.parquet"
    expected = read_predictions(lost).logits
    lost.unlink()
    weights = (cnn / "model.safetensors").stat().st_mtime_ns
    finished.study.write_text(finished.study.read_text().replace("canvas_px: 64", "canvas_px: 48"))
    assert finished.again() == 0
    assert "2 of 2 runs are finished already" in capsys.readouterr().out
    np.testing.assert_allclose(read_predictions(lost).logits, expected, rtol=1e-4, atol=1e-5)
    assert (cnn / "model.safetensors").stat().st_mtime_ns == weights
    scale = read_predictions(cnn / "predictions" / "background.parquet").conditions["scale"]
    assert set(scale) == {32 / 48, 1.0}


def test_a_study_may_grow_and_its_history_says_so(finished):
    text = finished.study.read_text()
    finished.study.write_text(
        text.replace("seeds: [0]", "seeds: [0, 1]").replace("expect: greater", "expect: different")
    )
    assert finished.again() == 0
    assert len(runs(finished.out)) == 4
    record = json.loads((finished.out / "study.json").read_text())
    assert record["history"][-1]["changed"] == ["seeds", "hypotheses"]
    assert record["history"][-1]["hash"] == record["hash"] != record["history"][0]["hash"]
    assert [entry["results"] for entry in record["history"]] == [False, True]
    assert list(changed_late(record["history"])) == ["H1"]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("epochs: 2", "epochs: 3", "recipe.epochs"),
        ("num_train: 200", "num_train: 300", "data.num_train"),
        ("name: tiny", "name: other", "name (tiny, not other)"),
    ],
)
def test_the_folder_of_another_study_is_refused(finished, capsys, before, after, words):
    finished.study.write_text(finished.study.read_text().replace(before, after))
    contents = sorted(finished.out.rglob("*"))
    assert finished.again() == 2
    assert words in capsys.readouterr().err
    assert sorted(finished.out.rglob("*")) == contents


def test_fresh_sets_the_old_results_aside(finished, capsys):
    finished.study.write_text(finished.study.read_text().replace("epochs: 2", "epochs: 1"))
    assert finished.again("--fresh", "--only", "vit") == 0
    assert len(runs(finished.out)) == 1
    assert len(runs(finished.out.with_name("out.old1"))) == 2
    assert "out.old1" in capsys.readouterr().out


def test_models_with_tied_weights_are_stored_and_found_again(finished):
    finished.add_model(
        "tied",
        "from torch import nn\n"
        "class Tied(nn.Module):\n"
        "    def __init__(self, n):\n"
        "        super().__init__()\n"
        "        self.first = nn.Linear(3, 3)\n"
        "        self.second = nn.Linear(3, 3)\n"
        "        self.second.weight = self.first.weight\n"
        "        self.head = nn.Linear(3, n)\n"
        "    def forward(self, x):\n"
        "        return self.head(self.second(self.first(x.mean((2, 3))).relu()))\n"
        "def tied(*, num_classes, image_px): return Tied(num_classes)\n",
    )
    assert finished.again() == 0
    (path,) = finished.out.glob("runs/tied-*/predictions/test.parquet")
    expected = read_predictions(path).logits
    path.unlink()
    assert finished.again() == 0
    np.testing.assert_allclose(read_predictions(path).logits, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_and_run_again_ends_as_if_never_interrupted(finished_once, tmp_path, number):
    study = tmp_path / "tiny.yaml"
    study.write_text(finished_once.study.read_text())
    out = tmp_path / "out"
    command = [sys.executable, "-m", "priorscope", "run", str(study), "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(out.glob("runs/*/metrics.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "continues" in error
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    for run in runs(finished_once.out):
        expected, found = (
            load_file(folder / "model.safetensors") for folder in (run, out / "runs" / run.name)
        )
        assert all(np.array_equal(expected[name], found[name]) for name in expected)


@pytest.mark.parametrize("command", ["run", "check"])
def test_sigterm_before_anything_is_trained_is_said_too(command, tmp_path):
    (tmp_path / "slow.py").write_text(
        "import os, time\n"
        "from pathlib import Path\n"
        "Path(os.environ['HERE'], 'imported').touch()\n"
        "time.sleep(60)\n"
    )
    (tmp_path / "slow.yaml").write_text(
        "name: slow\n"
        "data: {name: synthetic, num_train: 100, num_test: 50}\n"
        "recipe: {epochs: 1}\n"
        "models: {slow: {name: './slow.py:slow'}}\n"
    )
    arguments = [command, str(tmp_path / "slow.yaml")]
    process = subprocess.Popen(
        [sys.executable, "-m", "priorscope", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HERE": str(tmp_path)},
        cwd=tmp_path,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "imported").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "continues" in error and "Traceback" not in error


def test_a_user_adds_a_model_and_a_probe_by_one_file_each(tmp_path):
    (tmp_path / "my_model.py").write_text(
        '"""A linear classifier of pixels."""\n'
        "from torch import nn\n"
        "def my_model(*, num_classes, image_px, bias: bool = True):\n"
        '    """Build it."""\n'
        "    return nn.Sequential(nn.Flatten(),"
        " nn.Linear(3 * image_px**2, num_classes, bias=bias))\n"
    )
    (tmp_path / "my_probe.py").write_text(
        '"""Images upside down."""\n'
        "import numpy as np\n"
        "from priorscope.probes import ProbeSet\n"
        "def my_probe(source, *, rng, num_images: int = 10):\n"
        '    """Turn images, and keep some as they are."""\n'
        "    rows = rng.choice(len(source), num_images, replace=False)\n"
        "    images, labels = source.images[rows], source.labels[rows]\n"
        "    arms = np.repeat(['turned', 'upright'], num_images)\n"
        "    both = np.concatenate([images[:, ::-1], images])\n"
        "    ids = np.tile(np.arange(num_images), 2)\n"
        "    return ProbeSet(both, np.tile(labels, 2), ids, {'arm': arms}, source.class_names)\n"
    )
    (tmp_path / "mine.yaml").write_text(
        "name: mine\n"
        "data: {name: synthetic, num_train: 100, num_test: 50}\n"
        "recipe: {epochs: 1}\n"
        "models: {mine: {name: './my_model.py:my_model', bias: false}}\n"
        "probes: {turned: {name: './my_probe.py:my_probe', num_images: 12}}\n"
    )
    out = tmp_path / "out"
    assert run_command(["run", str(tmp_path / "mine.yaml"), "--out", str(out)]) == 0
    estimates = pl.read_parquet(out / "analysis" / "estimates.parquet").filter(model="mine")
    assert estimates.select("probe", "arm").rows() == [
        ("test", "test"),
        ("turned", "turned"),
        ("turned", "upright"),
    ]
    assert estimates["n"].to_list() == [50, 12, 12]
    assert "turned" in (out / "report" / "index.html").read_text()


def test_damaged_predictions_are_named_and_made_again(finished):
    (path,) = finished.out.glob("runs/cnn-*/predictions/test.parquet")
    expected = read_predictions(path).logits
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.warns(PriorscopeWarning, match="test.parquet is damaged and computed anew"):
        assert finished.again() == 0
    np.testing.assert_allclose(read_predictions(path).logits, expected, rtol=1e-4, atol=1e-5)

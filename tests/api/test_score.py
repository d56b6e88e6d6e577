"""`ps.score`: arrays are scored as the files that hold them."""

import json

import numpy as np
import polars as pl
import pytest
import torch

import priorscope as ps
from priorscope.cli import run_command
from priorscope.errors import InputError
from priorscope.metrics.top1 import top1


@pytest.fixture
def answers():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    good, weak = (np.eye(4)[labels] * gain + rng.normal(size=(200, 4)) for gain in (2, 1))
    return labels, {"good": good, "weak": weak}


def test_arrays_files_and_the_command_agree(answers, tmp_path, capsys):
    labels, arrays = answers
    np.save(tmp_path / "labels.npy", labels)
    files = {name: tmp_path / f"{name}.npy" for name in arrays}
    for name, path in files.items():
        np.save(path, arrays[name])
    by_array = ps.score(labels, arrays, metric="top1")
    assert by_array.record == ps.score(tmp_path / "labels.npy", files, metric="top1").record
    command = ["score", "--labels", str(tmp_path / "labels.npy"), "--metric", "top1", "--json"]
    for name, path in files.items():
        command += ["--predictions", f"{name}={path}"]
    assert run_command(command) == 0
    assert json.loads(capsys.readouterr().out) == by_array.record
    right = {name: (rows.argmax(1) == labels).mean() for name, rows in arrays.items()}
    assert dict(by_array.models.select("model", "estimate").rows()) == pytest.approx(right)
    (pair,) = by_array.pairs.iter_rows(named=True)
    assert pair["difference"] == pytest.approx(right["good"] - right["weak"])
    assert "\n" not in repr(by_array) and "good" in by_array._repr_html_()


def test_whatever_holds_numbers_or_names_is_an_array(answers):
    labels, arrays = answers
    wanted = ps.score(labels, {"good": arrays["good"]}, metric="top1").record
    rows = arrays["good"]
    for same in (rows.tolist(), torch.tensor(rows, requires_grad=True), rows.astype(">f8")):
        assert ps.score(labels, {"good": same}, metric="top1").record == wanted
    words = np.array(["cat", "dog", "eel", "fox"], dtype=object)[labels]
    named = ps.score(words, {"a": words}, metric="top1").record
    assert named["models"]["a"]["estimate"] == 1
    assert ps.score(labels, {"a": rows.argmax(1)}, metric=top1).record["metric"] == "top1"


def my_metric(predictions):
    """Score the logit of the right class."""
    return np.take_along_axis(predictions.logits, predictions.targets[:, None], 1)[:, 0]


def test_a_metric_may_be_a_callable(answers):
    labels, arrays = answers
    found = ps.score(labels, arrays, metric=my_metric)
    means = {name: rows[np.arange(200), labels].mean() for name, rows in arrays.items()}
    assert dict(found.models.select("model", "estimate").rows()) == pytest.approx(means)


@pytest.mark.parametrize(
    ("labels", "predictions", "words"),
    [
        ([0, 1], {}, "predictions need a name"),
        ([0, 1], [[0.1, 0.9]], "predictions need a name"),
        ([0, 1], {"a": [[0.5, np.nan], [0, 1]]}, "a, row 1"),
        ([0, 1], {"a": [[1, 0], [0, 1], [0, 1]]}, "rows"),
        ([0, 1], {"a": pl.DataFrame({"id": [1, 2], "x": [0, 1]})}, ".to_numpy()"),
        ([0, 1], {"a": np.zeros((2, 2, 2))}, "[2, 2, 2]"),
        ([0, 1], {"a": [[1], [0, 1]]}, "no array"),
        ([0, 1], {"a": None}, "not an array of numbers"),
        (0, {"a": [0, 1]}, "labels"),
        ("nowhere.csv", {"a": [0, 1]}, "no such file"),
    ],
)
def test_what_cannot_be_scored_is_refused(labels, predictions, words):
    with pytest.raises(InputError) as error:
        ps.score(labels, predictions, metric="top1")
    assert words in str(error.value)

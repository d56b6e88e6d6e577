"""Measures of two networks over stored predictions: pairs, estimates, verdicts, failures."""

import json

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from priorscope.analysis import Settings, analyse
from priorscope.evaluation import read_predictions
from priorscope.metrics import Scale

QUICK = Settings(num_resamples=200)
MODELS = {"cnn": 3.0, "vit": 2.5, "local_vit": 2.4}
LIKE = {
    "id": "LIKE", "statement": "S.", "expect": "different", "measure": "errors",
    "contrast": {"a": ["local_vit", "cnn"], "b": ["local_vit", "vit"]},
}  # fmt: skip


@pytest.fixture
def make(make_out):
    def make(*hypotheses, measure="error_consistency", seeds=(0, 1, 2), **models):
        out = make_out(models or MODELS, seeds=seeds, hypotheses=list(hypotheses))
        record = json.loads((out / "study.json").read_text())
        record["study"]["measures"] = {"errors": {"name": measure}}
        scale = Scale("Error consistency, kappa", -1.0, 1.0, decimals=2)
        about = {"kind": "predictions", "scale": vars(scale), "probe": "test"}
        record["measures"] = {"errors": about}
        (out / "study.json").write_text(json.dumps(record))
        return out

    return make


def right(out, model, seed):
    (run,) = (out / "runs").glob(f"{model}-s{seed}-*")
    found = read_predictions(run / "predictions" / "test.parquet")
    return (found.logits.argmax(1) == found.targets).astype(int)


def kappa(out, a, b):
    table = np.zeros((2, 2))
    np.add.at(table, (right(out, *a), right(out, *b)), 1)
    return cohens_kappa(table).kappa


def test_every_pair_is_there_and_a_mean_leaves_out_those_of_equal_seed(make):
    out = make(LIKE)
    analysis = analyse(out, QUICK)
    rows = pl.read_parquet(out / "analysis" / "pairs" / "errors.parquet")
    assert len(rows) == 3 * 3 + 3 * 9, "of one model each pair once, of two models all"
    for row in rows.iter_rows(named=True):
        pair = (row["model"], row["seed"]), (row["partner"], row["partner_seed"])
        assert row["value"] == pytest.approx(kappa(out, *pair))
        assert row["shares_order"] == (pair[0][0] != pair[1][0] and pair[0][1] == pair[1][1])

    def mean(a, b):
        of = rows.filter(model=a, partner=b, shares_order=False)["value"]
        return of.mean(), len(of)

    for row in analysis.measures.iter_rows(named=True):
        expected, number = mean(row["model"], row["partner"])
        assert row["estimate"] == pytest.approx(expected)
        assert row["num_pairs"] == number == (3 if row["model"] == row["partner"] else 6)
        assert row["low"] < row["estimate"] < row["high"]
    (verdict,) = analysis.verdicts
    expected = mean("cnn", "local_vit")[0] - mean("vit", "local_vit")[0]
    assert verdict["estimate"] == pytest.approx(expected)
    assert verdict["num_seeds"] == 3 and verdict["contrast"] == LIKE["contrast"] | {
        "level": None, "conditions": None
    }  # fmt: skip
    assert len(verdict["predictions"]) == 9 and verdict["measure"] == "errors"
    assert set(verdict["seed_scores"]) == set(MODELS)


def test_two_seeds_speak_of_these_networks(make):
    (row,) = analyse(make(LIKE, seeds=(0, 1)), QUICK).verdicts
    assert "so few pairs do not tell how networks differ" in row["reason"]
    assert row["method"].startswith("t interval over 200 images, these trained networks only")


def test_a_missing_run_withholds_the_verdict(make):
    out = make(LIKE)
    (run,) = out.glob("runs/vit-s2-*")
    (run / "run.json").unlink()
    (row,) = analyse(out, QUICK).verdicts
    assert row["verdict"] == "inconclusive" and "vit seed 2" in row["reason"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise RuntimeError('no room')", "RuntimeError: no room"),
        ("return a.logits[:, 0] * float('nan')", "finite values"),
        ("return a.logits[:5, 0]", "a value an image"),
    ],
)
def test_a_measure_that_fails_has_no_values_and_leaves_the_rest(
    make, tmp_path, monkeypatch, body, words
):
    name = f"own_{abs(hash(body))}"
    (tmp_path / f"{name}.py").write_text(f"def own(a, b):\n    {body}\n")
    monkeypatch.syspath_prepend(tmp_path)
    analysis = analyse(make(LIKE, measure=f"{name}:own"), QUICK)
    assert words in analysis.failed["errors"]
    (row,) = analysis.verdicts
    assert row["verdict"] == "inconclusive" and words in row["reason"]
    assert not analysis.scores.is_empty()


def test_networks_without_a_kappa_withhold_the_verdicts_about_them(make):
    """Two networks that are right everywhere have no room for agreement beyond chance."""
    other = LIKE | {"id": "OTHER", "contrast": {"a": ["cnn", "vit"], "level": 0.0}}
    out = make(LIKE, other, cnn=2.0, vit=60.0, local_vit=60.0)
    like, between = analyse(out, QUICK).verdicts
    assert like["estimate"] is None or like["verdict"] == "inconclusive"
    assert "errors has no value of vit seed 0 with local_vit seed 1" in like["reason"]
    assert between["estimate"] == pytest.approx(0), "a network without errors agrees by chance"

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from priorscope.analysis import Settings, analyse
from priorscope.errors import InputError
from priorscope.evaluation import read_predictions, write_predictions
from priorscope.stats import holm, wilson

QUICK = Settings(num_resamples=500)
HYPOTHESIS = {"id": "H1", "statement": "S.", "contrast": {"a": "cnn", "b": "vit"}}
HYPOTHESIS |= {"probe": "test", "metric": "top1", "expect": "greater"}
COLUMNS = {
    "scores": "model seed probe arm metric value n",
    "estimates": "model probe arm metric estimate low high method num_seeds n",
    "comparisons": "a b probe arm metric difference low high p_value p_adjusted test few_seeds "
    "num_seeds n",
    "histograms": "model probe arm metric score fraction low high n",
    "controls": "model probe metric arm control difference low high num_seeds n",
}


def row(table, **wanted):
    found = table.filter(**wanted)
    assert len(found) == 1
    return found.row(0, named=True)


def accuracy(out, run_id, arm="test", probe="test"):
    answer = read_predictions(out / "runs" / run_id / "predictions" / f"{probe}.parquet").arm(arm)
    return np.mean(answer.logits.argmax(axis=1) == answer.targets)


def test_tables_have_the_promised_columns_and_rows(make_out):
    out = make_out({"cnn": 3.0, "vit": 2.0, "local_vit": 2.0})
    analyse(out, QUICK)
    tables = {name: pl.read_parquet(out / "analysis" / f"{name}.parquet") for name in COLUMNS}
    for name, columns in COLUMNS.items():
        assert " ".join(tables[name].columns) == columns
    arms = 1 + 3 + 3
    assert len(tables["scores"]) == 3 * 2 * arms
    assert len(tables["estimates"]) == (3 + 1) * arms
    assert len(tables["comparisons"]) == 3 * arms
    assert len(tables["histograms"]) == (3 + 1) * 5
    written = json.loads((out / "analysis" / "analysis.json").read_text())
    scales = {(row["probe"], row["arm"]): row["scale"]["symbol"] for row in written.pop("scales")}
    assert len(scales) == arms + 1, "and of error consistency"
    assert scales["combined", "mosaic"] == "of 4"
    assert written == {
        "missing": [],
        "missing_predictions": [],
        "alpha": 0.05,
        "num_resamples": 500,
        "rng_seed": 0,
        "ties": [],
    }
    assert not list((out / "analysis").glob("*.partial"))


def test_verdicts_are_written_with_the_evidence(make_out):
    out = make_out({"cnn": 4.0, "vit": 1.0}, seeds=(0, 1, 2), hypotheses=[HYPOTHESIS])
    analyse(out, QUICK)
    written = json.loads((out / "analysis" / "verdicts.json").read_text())
    (verdict,) = written["verdicts"]
    assert (verdict["id"], verdict["verdict"]) == ("H1", "supported")
    assert verdict["low"] <= verdict["estimate"] <= verdict["high"]
    assert verdict["runs"] == [f"{m}-s{s}-0000" for m in ("cnn", "vit") for s in (0, 1, 2)]
    means = {
        model: np.mean([accuracy(out, f"{model}-s{seed}-0000") for seed in (0, 1, 2)])
        for model in ("cnn", "vit")
    }
    assert verdict["estimate"] == pytest.approx(means["cnn"] - means["vit"])
    for file in verdict["predictions"]:
        assert (out / file).is_file()
    assert written["training"]["cnn"]["obstacle"] == "" and written["num_hypotheses"] == 1
    # The same study with a run that is missing: nothing is concluded, and the run is named.
    (out / "runs" / "vit-s1-0000" / "run.json").unlink()
    (verdict,) = analyse(out, QUICK).verdicts
    assert verdict["verdict"] == "inconclusive" and "vit-s1-0000" in verdict["reason"]


def test_values_are_those_of_the_predictions(make_out):
    out = make_out({"cnn": 3.0, "vit": 1.0})
    found = analyse(out, QUICK)
    runs = [accuracy(out, f"cnn-s{seed}-0000") for seed in (0, 1)]
    for seed, value in enumerate(runs):
        assert row(found.scores, model="cnn", seed=seed, probe="test")["value"] == value
    estimate = row(found.estimates, model="cnn", probe="test")
    assert estimate["estimate"] == pytest.approx(np.mean(runs))
    assert estimate["low"] < estimate["estimate"] < estimate["high"]
    assert estimate["method"].startswith("t interval over 2 seeds x 200 images, both random")
    assert (estimate["num_seeds"], estimate["n"]) == (2, 200)
    of_vit = row(found.estimates, model="vit", probe="test")["estimate"]
    comparison = row(found.comparisons, a="cnn", b="vit", probe="test")
    assert comparison["difference"] == pytest.approx(np.mean(runs) - of_vit)
    agree = (comparison["low"] > 0 or comparison["high"] < 0) == (comparison["p_value"] < 0.05)
    assert agree and comparison["test"].startswith("t test over 2 + 2 seeds")


def test_chance_stands_in_every_group(make_out):
    found = analyse(make_out({"cnn": 3.0, "vit": 1.0}), QUICK)
    chance = found.estimates.filter(model="chance")
    expected = {("combined", "mosaic"): 1.6}
    for one in chance.iter_rows(named=True):
        assert one["estimate"] == pytest.approx(expected.get((one["probe"], one["arm"]), 0.1))
        assert one["low"] is one["high"] is None
    pmf = found.histograms.filter(model="chance", arm="mosaic").sort("score")["fraction"]
    assert pmf.to_list() == pytest.approx([15 / 210, 80 / 210, 90 / 210, 24 / 210, 1 / 210])


def test_histograms_sum_to_1_and_give_the_mean(make_out):
    found = analyse(make_out({"cnn": 3.0, "vit": 1.0}), QUICK)
    histogram = found.histograms.filter(model="cnn", arm="mosaic")
    assert histogram["fraction"].sum() == pytest.approx(1)
    mean = row(found.estimates, model="cnn", arm="mosaic")["estimate"]
    assert (histogram["fraction"] * histogram["score"]).sum() == pytest.approx(mean)
    assert (histogram["low"] <= histogram["fraction"]).all()
    assert (histogram["fraction"] <= histogram["high"]).all()


def test_one_seed_gives_wilson_for_independent_proportions_only(make_out):
    out = make_out({"cnn": 3.0}, seeds=(0,))
    estimates = analyse(out, QUICK).estimates
    test = row(estimates, model="cnn", probe="test")
    expected = wilson(round(200 * accuracy(out, "cnn-s0-0000")), 200)
    assert (test["low"], test["high"]) == (expected.low, expected.high)
    assert "Wilson" in test["method"] and "one seed" in test["method"]
    mosaic = row(estimates, model="cnn", arm="mosaic")
    assert mosaic["method"] == "t interval over 200 images, these trained networks only"
    background = row(estimates, model="cnn", arm="background")
    assert background["method"].startswith("t interval over 20 clusters")


def test_two_networks_of_one_seed_are_tested_exactly(make_out):
    comparisons = analyse(make_out({"cnn": 3.0, "vit": 2.0}, seeds=(0,)), QUICK).comparisons
    tests = {one["arm"]: one["test"] for one in comparisons.iter_rows(named=True)}
    assert tests["test"] == "exact McNemar, given the trained networks"
    assert tests["mosaic"].startswith("paired permutation over 200 images, given")
    assert tests["background"].startswith("paired permutation over 20 clusters, given")


def test_equal_models_are_not_told_apart_and_holm_spans_the_table(make_out):
    comparisons = analyse(make_out({"a": 2.0, "b": 2.0}), QUICK).comparisons
    assert comparisons["p_adjusted"].min() > 0.05
    assert comparisons["p_adjusted"].to_list() == holm(comparisons["p_value"].to_numpy()).tolist()


def test_controls_are_compared_where_scores_have_the_same_range(make_out):
    out = make_out({"cnn": 3.0})
    controls = analyse(out, QUICK).controls
    assert set(controls["probe"]) == {"background"}
    grey = row(controls, control="grey", model="cnn")
    differences = [
        accuracy(out, f"cnn-s{seed}-0000", "background", "background")
        - accuracy(out, f"cnn-s{seed}-0000", "grey", "background")
        for seed in (0, 1)
    ]
    assert grey["difference"] == pytest.approx(np.mean(differences))
    assert grey["low"] <= grey["difference"] <= grey["high"] and grey["n"] == 200


def test_the_same_predictions_give_the_same_bytes(make_out):
    out = make_out({"cnn": 3.0, "vit": 1.0})
    analyse(out, QUICK)
    before = {path: path.read_bytes() for path in (out / "analysis").rglob("*.*")}
    analyse(out, QUICK)
    assert before == {path: path.read_bytes() for path in (out / "analysis").rglob("*.*")}


def test_rows_are_paired_by_id_whatever_their_order(make_out):
    out = make_out({"cnn": 3.0, "vit": 1.0})
    before = analyse(out, QUICK)
    path = out / "runs" / "vit-s0-0000" / "predictions" / "test.parquet"
    answer = read_predictions(path)
    order = np.random.default_rng(0).permutation(len(answer))
    shuffled = replace(
        answer,
        logits=answer.logits[order],
        targets=answer.targets[order],
        ids=answer.ids[order],
        conditions={"arm": answer.conditions["arm"][order]},
    )
    write_predictions(shuffled, path)
    assert analyse(out, QUICK).comparisons.equals(before.comparisons)


def test_missing_predictions_are_left_out_and_named(make_out):
    out = make_out({"cnn": 3.0, "vit": 1.0})
    (out / "runs" / "cnn-s0-0000" / "run.json").unlink()  # not finished
    (out / "runs" / "vit-s1-0000" / "predictions" / "combined.parquet").unlink()
    found = analyse(out, QUICK)
    assert found.missing == ("cnn-s0-0000", "vit-s1-0000")
    assert "runs/vit-s1-0000/predictions/combined.parquet" in found.missing_predictions
    assert row(found.estimates, model="vit", probe="test")["num_seeds"] == 2
    assert row(found.estimates, model="vit", arm="mosaic")["num_seeds"] == 1
    assert row(found.comparisons, probe="test")["num_seeds"] == 1
    assert found.comparisons["a"].unique().to_list() == ["cnn"]


@pytest.mark.parametrize("lost", ["predictions/test", "predictions/background", "trajectory"])
def test_a_lost_file_of_predictions_leaves_the_run_out_of_its_curves_only(make_out, lost):
    out = make_out({"cnn": 3.0, "vit": 1.0}, hypotheses=[HYPOTHESIS])
    for folder in (out / "runs").iterdir():  # what a run keeps along training, here of epoch 5
        for path in (folder / "predictions").iterdir():
            write_predictions(
                read_predictions(path), folder / "trajectory" / "epoch-0005" / path.name
            )
        record = json.loads((folder / "run.json").read_text())
        record |= {"trajectory": [5], "num_epochs": 10}
        (folder / "run.json").write_text(json.dumps(record))
    analyse(out, QUICK)
    whole = json.loads((out / "analysis" / "matched.json").read_text())["points"]
    assert len(whole) == 4 * 2 * 2, "runs, probes, checkpoints"
    file = "trajectory/epoch-0005/background" if lost == "trajectory" else lost
    (out / "runs" / "vit-s1-0000" / f"{file}.parquet").unlink()
    (verdict,) = analyse(out, QUICK).verdicts
    points = json.loads((out / "analysis" / "matched.json").read_text())["points"]
    without = {"background"} if lost != "predictions/test" else {"background", "combined"}
    assert points == [
        point
        for point in whole
        if not (point["model"] == "vit" and point["seed"] == 1 and point["probe"] in without)
    ]
    named = "vit-s1-0000" in verdict["reason"]
    assert named == (lost == "predictions/test"), "the hypothesis is about the test images"
    assert verdict["verdict"] == ("inconclusive" if named else "supported")


@pytest.mark.parametrize("change", ["targets", "ids", "duplicate", "arm", "nan"])
def test_runs_that_cannot_be_compared_are_refused_by_file(make_out, change):
    out = make_out({"cnn": 3.0, "vit": 1.0}, seeds=(0,))
    path = out / "runs" / "vit-s0-0000" / "predictions" / "test.parquet"
    answer = read_predictions(path)
    ids, targets, logits = answer.ids.copy(), answer.targets.copy(), answer.logits.copy()
    arms = answer.conditions["arm"]
    if change == "targets":
        targets[17] = (targets[17] + 1) % 10
    elif change == "ids":
        ids[17] = 1000
    elif change == "duplicate":
        ids[17] = 16
    elif change == "arm":
        arms = np.full(len(arms), "other")
    else:
        logits[17, 3] = np.nan
    changed = replace(answer, ids=ids, targets=targets, logits=logits, conditions={"arm": arms})
    write_predictions(changed, path)
    with pytest.raises(InputError) as error:
        analyse(out, QUICK)
    assert str(path) in str(error.value)
    if change not in {"duplicate", "nan"}:
        assert "cnn-s0-0000" in str(error.value)
    assert not (out / "analysis").exists()


def test_a_folder_without_study_or_predictions_is_refused(tmp_path, make_out):
    with pytest.raises(InputError, match="not the output folder"):
        analyse(tmp_path / "nowhere")
    out = make_out({"cnn": 3.0}, seeds=(0,))
    (out / "runs" / "cnn-s0-0000" / "run.json").unlink()
    with pytest.raises(InputError, match="no run"):
        analyse(out)


def test_needs_no_torch():
    names = "priorscope.analysis, priorscope.analysis.external, priorscope.metrics.top1"
    names += ", priorscope.metrics.top_k_matching, priorscope.cli.score"
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

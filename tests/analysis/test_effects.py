"""Effects of factors from stored predictions whose accuracies are set, cell by cell."""

import json

import numpy as np
import polars as pl
import pytest

from priorscope.analysis import Settings, analyse
from priorscope.evaluation import Predictions, write_predictions
from priorscope.study.levels import cell_name, cells_of

QUICK = Settings(num_resamples=200)
N = 400
FACTORS = {"task": ["near", "far"], "train_fraction": [0.25, 0.5, 1.0]}
SIZES = {0.25: 1000, 0.5: 2000, 1.0: 4000}
KEYS = {"task": "data.task", "distance": "data.distance", "train_fraction": "data.train_fraction"}


def accuracy(model, levels, base=0.4):
    """Local leads where the relation is near and trails by as much where it is far.

    It needs half the data of global on near, and twice as much on far: on its learning curve, a
    line over log2(size), one doubling is worth 10 points.
    """
    doublings = np.log2(SIZES[levels.get("train_fraction", 1.0)] / 1000)
    sign = {"near": 1, "far": -1}[levels.get("task", "near")]
    if "distance" in levels:  # the lead falls by 4 points a cell, and is none at 4.5
        sign = 0.4 * (4.5 - levels["distance"])
    return base + 0.1 * doublings + (0.1 * sign if model == "local" else 0)


@pytest.fixture
def crossed_out(tmp_path):
    """Return a function that writes a study's folder; answers are right as often as `accuracy`."""

    def make(factors=FACTORS, seeds=(0, 1), missing=(), hypotheses=(), base=0.4):
        models = ("local", "global")
        plan, cells = [], []
        for levels in cells_of(factors):
            cell, named = cell_name(levels), dict(levels)
            data = {"train": {"num_images": SIZES[named.get("train_fraction", 1.0)]}}
            cells.append({"cell": cell, "levels": named, "samples": cell, "data": data})
            for model in models:
                for seed in seeds:
                    run = {"run_id": f"{model}-s{seed}-{cell}", "model": model, "seed": seed}
                    run |= {"levels": named}
                    plan.append(run)
                    if (model, cell) in missing:
                        continue
                    # All seeds are right on the same images: an effect varies with images alone.
                    num_right = round(N * accuracy(model, named, base))
                    right = np.random.default_rng(5).permutation(N) < num_right
                    shift = 0 if named.get("task") == "near" else 1
                    targets = (np.arange(N) + shift) % 10
                    answers = np.where(right, targets, (targets + 1) % 10)
                    logits = np.eye(10, dtype=np.float32)[answers]
                    folder = tmp_path / "runs" / run["run_id"]
                    answer = Predictions(
                        logits,
                        targets,
                        np.arange(N),
                        {"arm": np.full(N, "test")},
                        tuple("abcdefghij"),
                    )
                    write_predictions(answer, folder / "predictions" / "test.parquet")
                    (folder / "run.json").write_text(json.dumps(run))
                    right = {"train_accuracy": 1.0, "test_accuracy": 1.0}
                    lines = [
                        json.dumps(right | {"epoch": epoch, "train_loss": loss})
                        for epoch, loss in enumerate((1, 0.1, 0.1), start=1)
                    ]
                    (folder / "metrics.jsonl").write_text("\n".join(lines))
        study = {"models": {model: {"name": model} for model in models}, "probes": {}}
        study |= {"seeds": list(seeds), "hypotheses": list(hypotheses), "recipe": {"epochs": 3}}
        study["factors"] = {
            name: {"keys": [KEYS[name]], "values": values} for name, values in factors.items()
        }
        record = {"study": study, "plan": plan, "cells": cells}
        (tmp_path / "study.json").write_text(json.dumps(record))
        return tmp_path

    return make


def table(out, name):
    return pl.read_parquet(out / "analysis" / f"{name}.parquet")


def test_every_cell_has_its_own_rows_and_nothing_is_averaged_across_cells(crossed_out):
    out = crossed_out()
    analyse(out, QUICK)
    estimates = table(out, "estimates").filter(pl.col("model") != "chance")
    assert len(estimates) == 2 * 6
    for row in estimates.iter_rows(named=True):
        assert row["estimate"] == pytest.approx(accuracy(row["model"], row), abs=0.5 / N)
        assert row["cell"] == f"task={row['task']},train_fraction={row['train_fraction']:g}"
    comparisons = table(out, "comparisons")
    assert comparisons["cell"].n_unique() == len(comparisons) == 6
    assert table(out, "scores").group_by("cell", "model").len()["len"].to_list() == [2] * 12
    assert table(out, "scores").schema["train_fraction"] == pl.Float64


def test_a_crossover_is_the_difference_of_differences(crossed_out):
    out = crossed_out()
    analyse(out, QUICK)
    effects = table(out, "effects").filter(pl.col("kind") == "interaction")
    of_task = effects.filter(pl.col("factor") == "task")
    assert of_task["cell"].to_list() == [f"train_fraction={f}" for f in ("0.25", "0.5", "1")]
    for row in of_task.iter_rows(named=True):
        assert (row["a"], row["b"], row["level"], row["against"]) == (
            "local",
            "global",
            "near",
            "far",
        )
        assert row["first"] == pytest.approx(0.1, abs=1 / N)
        assert row["second"] == pytest.approx(-0.1, abs=1 / N)
        assert row["estimate"] == pytest.approx(0.2, abs=2 / N)
        assert row["low"] <= row["estimate"] <= row["high"]
        assert row["p_value"] <= row["p_adjusted"]
        assert row["train_fraction"] in (0.25, 0.5, 1.0) and row["task"] is None
    of_size = effects.filter(pl.col("factor") == "train_fraction")
    assert of_size["against"].to_list() == ["0.5", "1", "0.5", "1"]
    assert of_size["estimate"].abs().max() < 3 / N, "the lead is the same at every size"


def test_the_level_at_which_the_lead_is_none_is_found(crossed_out):
    out = crossed_out(factors={"distance": [7, 1, 3]})
    analyse(out, QUICK)
    rows = table(out, "effects").filter(pl.col("kind") == "crossing")
    (row,) = rows.iter_rows(named=True)
    assert (row["a"], row["b"], row["level"], row["against"]) == ("local", "global", "1", "7")
    assert row["first"] == pytest.approx(0.14, abs=1 / N)
    assert row["second"] == pytest.approx(-0.1, abs=1 / N)
    assert row["estimate"] == pytest.approx(4.5, abs=0.1)
    assert (row["low"], row["high"]) == (3, 7) and 3 < row["estimate"] < 7
    two = crossed_out(factors={"distance": [1, 7]})
    analyse(two, QUICK)
    assert "crossing" not in table(two, "effects")["kind"].to_list()


def test_data_multipliers_are_those_of_the_curves_that_were_drawn(crossed_out):
    out = crossed_out()
    analyse(out, QUICK)
    rows = table(out, "effects").filter(pl.col("kind") == "data_multiplier")
    found = {
        (r["task"], r["a"], r["num_images"]): (r["estimate"], r["bound"])
        for r in rows.iter_rows(named=True)
    }
    # On near, global needs twice the data of local; from 4,000 images on that was not tried.
    assert found["near", "local", 2000] == (pytest.approx(2, rel=0.03), "exact")
    assert found["near", "local", 4000] == (1.0, "above")
    assert found["near", "global", 4000] == (pytest.approx(0.5, rel=0.03), "exact")
    # On far it is the other way round.
    assert found["far", "global", 2000] == (pytest.approx(2, rel=0.03), "exact")
    assert found["far", "global", 4000] == (1.0, "above")
    assert set(rows["cell"]) == {"task=near", "task=far"}


def test_what_is_not_above_chance_cannot_be_reached(crossed_out):
    """Chance is 0.1: global has 0.0 and 0.1 of 1,000 and 2,000 images, and 0.2 of 4,000."""
    out = crossed_out({"train_fraction": FACTORS["train_fraction"]}, base=0.0)
    analyse(out, QUICK)
    rows = table(out, "effects").filter(pl.col("kind") == "data_multiplier")
    reached = {(row["a"], row["num_images"]) for row in rows.iter_rows(named=True)}
    assert reached == {("local", 2000), ("local", 4000), ("global", 4000)}


def test_variance_goes_to_the_interaction_and_to_the_number_of_images(crossed_out):
    out = crossed_out()
    analyse(out, QUICK)
    rows = {row["term"]: row for row in table(out, "variance").iter_rows(named=True)}
    # Sums of squares over 2 models x 2 tasks x 3 sizes: 12 * 0.05^2, and 12 * 0.1^2 * 2 / 3.
    interaction, size = 0.05**2, 0.1**2 * 2 / 3
    task = 0.05**2  # local's mean over models is 5 points higher on near
    total = interaction + size + task
    assert rows["model:task"]["share"] == pytest.approx(interaction / total, abs=0.02)
    assert rows["train_fraction"]["share"] == pytest.approx(size / total, abs=0.02)
    assert rows["task"]["share"] == pytest.approx(task / total, abs=0.02)
    assert rows["model"]["share"] < 0.01
    assert sum(row["share"] for row in rows.values()) == pytest.approx(1)
    assert rows["seed"]["df"] == 12
    assert rows["model:task"]["source"] == "architecture x factor"


def test_a_crossing_with_a_hole_has_no_variance_table_but_all_else(crossed_out):
    hole = ("global", "task=far,train_fraction=1")
    out = crossed_out(missing=[hole])
    analysis = analyse(out, QUICK)
    assert len(table(out, "variance")) == 0
    effects = table(out, "effects")
    lost = effects.filter((pl.col("factor") == "task") & (pl.col("cell") == "train_fraction=1"))
    assert len(lost) == 0
    assert (
        len(effects.filter((pl.col("kind") == "data_multiplier") & (pl.col("task") == "far"))) == 0
    )
    assert len(analysis.missing) == 2


@pytest.mark.parametrize("factors", [{"task": ["near", "far"]}, {"train_fraction": [0.5, 1.0]}])
def test_one_factor_has_no_other_levels_to_name(crossed_out, factors):
    out = crossed_out(factors, seeds=(0,))
    analyse(out, QUICK)
    assert set(table(out, "effects")["cell"]) == {""}
    assert table(out, "variance")["p_value"].is_null().all(), "one seed has no noise"


HYPOTHESIS = {
    "id": "H",
    "statement": "Local wins.",
    "contrast": {"a": "local", "b": "global"},
    "probe": "test",
    "metric": "top1",
    "expect": "greater",
}


@pytest.mark.parametrize(
    ("more", "estimate", "verdict", "runs"),
    [
        ({"at": {"train_fraction": 1, "task": "near"}}, 0.1, "supported", 6),
        ({"at": {"task": "far", "train_fraction": 1}}, -0.1, "refuted", 6),
        (
            {
                "at": {"train_fraction": 0.5},
                "contrast": {"a": "local", "b": "global", "between": {"task": ["near", "far"]}},
            },
            0.2,
            "supported",
            12,
        ),
        (
            {
                "at": {"task": "near"},
                "contrast": {"a": "global", "between": {"train_fraction": [1.0, 0.25]}},
            },
            0.2,
            "supported",
            6,
        ),
    ],
)
def test_hypotheses_are_judged_at_their_levels(crossed_out, more, estimate, verdict, runs):
    """The order in which a hypothesis names factors does not matter, nor whether 1 is 1.0."""
    out = crossed_out(seeds=(0, 1, 2), hypotheses=[HYPOTHESIS | more])
    analyse(out, QUICK)
    (row,) = json.loads((out / "analysis" / "verdicts.json").read_text())["verdicts"]
    assert row["estimate"] == pytest.approx(estimate, abs=2 / N)
    assert row["verdict"] == verdict, row["reason"]
    assert len(row["runs"]) == runs
    assert row["bootstrap_low"] <= row["estimate"] <= row["bootstrap_high"]


def test_a_missing_run_elsewhere_does_not_hold_up_a_verdict(crossed_out):
    hole = ("global", "task=far,train_fraction=1")
    at = {"at": {"train_fraction": 1.0, "task": "near"}}
    out = crossed_out(seeds=(0, 1, 2), missing=[hole], hypotheses=[HYPOTHESIS | at])
    analyse(out, QUICK)
    (row,) = json.loads((out / "analysis" / "verdicts.json").read_text())["verdicts"]
    assert row["verdict"] == "supported"

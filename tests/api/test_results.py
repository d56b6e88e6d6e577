"""What is read from an output folder, against what lies there."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import priorscope as ps
from priorscope.errors import InputError
from priorscope.report import build

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    out = tmp_path_factory.mktemp("results") / "plain"
    shutil.copytree(GOLDEN / "plain", out)
    return ps.open(out)


@pytest.fixture(scope="module")
def factors(tmp_path_factory):
    out = tmp_path_factory.mktemp("results") / "factors"
    shutil.copytree(GOLDEN / "factors", out)
    return ps.open(str(out))


def test_scores_follow_from_the_predictions(plain):
    scores = plain.scores.filter(metric="top1")
    assert len(scores) > 6
    for row in scores.iter_rows(named=True):
        arm = plain.predictions(row["model"], row["seed"], row["probe"]).arm(row["arm"])
        assert row["value"] == pytest.approx((arm.logits.argmax(1) == arm.targets).mean())


def test_tables_are_those_that_the_report_is_made_of(plain):
    for name in ("scores", "estimates", "comparisons", "measurements", "measures"):
        stored = pl.read_parquet(plain.out / "analysis" / f"{name}.parquet")
        assert getattr(plain, name).equals(stored)
    rows = json.loads((plain.out / "analysis" / "verdicts.json").read_text())["verdicts"]
    assert len(rows) == len(plain.verdicts) > 3
    for found, wanted in zip(plain.verdicts.iter_rows(named=True), rows, strict=True):
        for key in ("id", "verdict", "reason", "estimate", "low", "p_adjusted", "n", "method"):
            assert found[key] == wanted[key]
        assert json.loads(found["contrast"]) == wanted["contrast"]


def test_tables_become_those_of_pandas(plain):
    pytest.importorskip("pandas")
    assert plain.verdicts.to_pandas()["id"].tolist() == plain.verdicts["id"].to_list()


def test_pairs_are_measured_as_their_predictions_say(plain):
    rows = plain.measurements.filter(measure="error_consistency")
    assert len(rows) == 15 and rows["shares_order"].sum() == 6, "6 networks, of 3 models"
    for row in rows.iter_rows(named=True):
        a, b = (
            (answers.logits.argmax(1) == answers.targets)
            for answers in (
                plain.predictions(row["model"], row["seed"]),
                plain.predictions(row["partner"], row["partner_seed"]),
            )
        )
        by_chance = a.mean() * b.mean() + (~a).mean() * (~b).mean()
        assert row["value"] == pytest.approx(((a == b).mean() - by_chance) / (1 - by_chance))
    counted = (
        rows.filter(~pl.col("shares_order"))
        .group_by("model", "partner")
        .agg(pl.col("value").mean(), pl.len().alias("num_pairs"))
    )
    found = plain.measures.join(counted, on=["model", "partner"], suffix="_wanted")
    assert len(found) == len(plain.measures) == 6
    assert found["num_pairs"].equals(found["num_pairs_wanted"].cast(pl.Int64).alias("num_pairs"))
    np.testing.assert_allclose(found["estimate"], found["value"])


def test_a_study_without_hypotheses_or_measures_has_empty_tables(plain, tmp_path):
    shutil.copytree(plain.out, tmp_path / "out")
    path = tmp_path / "out" / "study.json"
    record = json.loads(path.read_text())
    record["study"]["hypotheses"] = []
    record["measures"] = {}
    record.pop("digest")
    path.write_text(json.dumps(record))
    results = ps.open(tmp_path / "out")
    assert results.verdicts.shape == (0, len(plain.verdicts.columns))
    assert results.verdicts.schema == plain.verdicts.schema
    assert results.measurements.is_empty() and results.measures.is_empty()
    assert results.measures.schema == plain.measures.schema
    assert "verdicts" not in results._repr_html_()


def test_figures_are_those_of_the_page(plain, factors):
    page = build(plain.findings).read_text()
    spec = plain.figure("verdicts").to_dict()
    for row in plain.verdicts.iter_rows(named=True):
        if row["estimate"] is not None:
            assert f"{row['id']}: " in json.dumps(spec) and row["id"] in page
    names = {path.stem for path in plain.out.glob("report/figures/*.svg")}
    with pytest.raises(InputError) as error:
        plain.figure("verdict")
    assert "did you mean verdicts?" in str(error.value)
    listed = {*re.search(r"allowed +(.*)", str(error.value))[1].split(", ")}
    assert listed == names
    assert factors.figure("learning-curves").to_dict()["concat"]


def test_predictions_of_a_study_with_factors_need_its_levels(factors):
    plan = json.loads((factors.out / "study.json").read_text())["plan"]
    for run in plan:
        found = factors.predictions(run["model"], run["seed"], at=run["levels"])
        path = factors.out / "runs" / run["run_id"] / "predictions" / "test.parquet"
        stored = pl.read_parquet(path)["logits"].to_numpy()
        np.testing.assert_array_equal(found.logits, stored)
    for at, words in (
        (None, "at which level"),
        ({"image": 200}, "did you mean images?"),
        ({"images": 201, "pixels": "none"}, "images=200,pixels=none"),
    ):
        with pytest.raises(InputError) as error:
            factors.predictions("cnn", 0, at=at)
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cn", 0), "did you mean cnn?"),
        (("cnn", 7), "0, 1"),
        (("cnn", 0, "combine"), "did you mean combined?"),
        (("cnn", 0, "test", {"size": 3}), "unknown factor: size"),
        ((7, 0), "unknown model: 7"),
    ],
)
def test_names_that_do_not_exist_are_refused(plain, arguments, words):
    with pytest.raises(InputError) as error:
        plain.predictions(*arguments)
    assert words in str(error.value)


def test_a_folder_that_is_no_study_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match="no study lies there"):
            ps.open(folder)
    (tmp_path / "study.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        ps.open(tmp_path)


def test_a_network_without_weights_is_refused(plain):
    with pytest.raises(InputError) as error:
        plain.network("cnn", 0)
    assert "model.safetensors" in str(error.value)


def test_a_report_sees_runs_that_finished_since(plain, tmp_path):
    shutil.copytree(plain.out, tmp_path / "out")
    plan = json.loads((plain.out / "study.json").read_text())["plan"]
    (planned,) = [run for run in plan if (run["model"], run["seed"]) == ("vit", 1)]
    run = tmp_path / "out" / "runs" / planned["run_id"]
    (run / "run.json").rename(tmp_path / "run.json")
    results = ps.open(tmp_path / "out")
    assert results.missing == (run.name,)
    assert results.scores.filter(model="vit")["seed"].unique().to_list() == [0]
    (tmp_path / "run.json").rename(run / "run.json")
    assert results.report().is_file()
    assert results.missing == ()
    assert results.scores.equals(plain.scores)


def test_what_a_notebook_shows_is_short_and_safe(plain):
    assert "\n" not in repr(plain) and "6 of 6 runs finished" in repr(plain)
    page = plain._repr_html_()
    for row in plain.verdicts.iter_rows(named=True):
        assert row["verdict"] in page
    assert page.count("<tr>") == 2 + len(plain.verdicts) + len(plain.estimates)
    from priorscope.api.tables import as_html

    said = as_html("<b>", {"<i>": pl.DataFrame({"<u>": ["<script>"]})}, ["<p>"])
    assert not re.search("<(b|i|u|script)>", said) and "&lt;script&gt;" in said

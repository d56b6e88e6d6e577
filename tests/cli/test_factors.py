"""A study with factors from end to end: cells, records, resuming, and the page."""

import json

import polars as pl
import pytest

from priorscope.cli import run_command
from priorscope.evaluation import read_predictions

STUDY = """
name: crossed
data: {name: synthetic, task: objects, num_train: 80, num_test: 40}
recipe: {learning_rate: 1e-3, batch_size: 40, epochs: 2}
models:
  near: &vit {name: local_vit_nano, window_size: 3, embed_dim: 8, depth: 1, num_heads: 1}
  wider: {<<: *vit, window_size: 5}
  widest: {<<: *vit, window_size: 7}
factors:
  pixels: {key: data.intervention, levels: [none, permute_pixels]}
  train_fraction: [0.5, 1]
seeds: [0]
hypotheses:
  - id: H1
    statement: Without order there is nothing for a near window to see.
    contrast: {a: near, b: widest, between: {pixels: [none, permute_pixels]}}
    at: {train_fraction: 1}
    probe: test
    metric: top1
    expect: greater
"""


@pytest.fixture(scope="module")
def crossed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crossed")
    (folder / "study.yaml").write_text(STUDY)
    assert run_command(["run", str(folder / "study.yaml"), "--out", str(folder / "out")]) == 0
    return folder


def test_every_run_records_its_levels_and_lies_in_a_folder_that_names_them(crossed):
    records = [json.loads(path.read_text()) for path in crossed.glob("out/runs/*/run.json")]
    assert len(records) == 12
    for record in records:
        cell = f"pixels={record['levels']['pixels']},train_fraction="
        assert f"{record['model']}-s0-{cell}" in record["run_id"]
        assert ("intervention" in record["data"]) == (record["levels"]["pixels"] != "none")
    moved = {record["data"].get("intervention") for record in records}
    assert len(moved) == 2, "one permutation for all models and sizes"
    assert len({record["data"]["test"] for record in records}) == 1
    plan = json.loads((crossed / "out" / "study.json").read_text())
    assert [entry["data"]["train"]["num_images"] for entry in plan["cells"]] == [40, 80, 40, 80]


def test_models_differ_between_cells(crossed):
    logits = [
        read_predictions(path).logits.tobytes()
        for path in crossed.glob("out/runs/near-*/predictions/test.parquet")
    ]
    assert len(set(logits)) == 4


def test_the_tables_of_effects_are_there(crossed):
    effects = pl.read_parquet(crossed / "out" / "analysis" / "effects.parquet")
    interactions = effects.filter(pl.col("kind") == "interaction")
    assert len(interactions) == 3 * (2 + 2), "pairs x (sizes for pixels, pixels for sizes)"
    terms = pl.read_parquet(crossed / "out" / "analysis" / "variance.parquet")["term"].to_list()
    assert terms[-2:] == ["model:pixels:train_fraction", "seed"]
    verdicts = json.loads((crossed / "out" / "analysis" / "verdicts.json").read_text())
    assert len(verdicts["verdicts"][0]["runs"]) == 4


def test_the_page_says_what_the_factors_do_and_shows_every_cell(crossed):
    page = (crossed / "out" / "report" / "index.html").read_text()
    for words in (
        "What the factors do",
        "At pixels none, train fraction 0.5",
        "At pixels permute pixels, train fraction 1",
        "at four combinations of levels (pixels none and permute pixels; train fraction 0.5 and 1)",
    ):
        assert words in page
    figures = {path.stem for path in (crossed / "out" / "report" / "figures").glob("*.svg")}
    assert {"interactions", "learning-curves", "dial-window_size-widest"} <= figures
    tables = {path.stem for path in (crossed / "out" / "report" / "tables").glob("*.csv")}
    assert {"cells", "interactions", "variance", "cell-data"} <= tables
    csv = pl.read_csv(crossed / "out" / "report" / "tables" / "cells.csv")
    estimates = pl.read_parquet(crossed / "out" / "analysis" / "estimates.parquet")
    assert csv["estimate"].sort().to_list() == pytest.approx(estimates["estimate"].sort().to_list())


def test_check_prints_factors_and_all_runs(crossed, capsys):
    assert run_command(["check", str(crossed / "study.yaml")]) == 0
    said = capsys.readouterr().out
    for words in (
        "factor   pixels: none, permute_pixels  [data.intervention]",
        "factor   train_fraction: 0.5, 1\n",
        "cells    4, of 40 to 80 training images each",
        "3 models x 1 seeds x 4 cells",
    ):
        assert words in said
    claim = "pixels none minus pixels permute_pixels, at train_fraction 1, top1 on test"
    assert f"near against widest, {claim}" in " ".join(said.split())

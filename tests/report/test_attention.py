"""How far attention looks, on the page of a study that was run."""

import json
from dataclasses import replace

import numpy as np
import pytest

from priorscope.analysis import read_findings
from priorscope.report import build
from priorscope.report.sections.attention import attention_figure, attention_table

HEADS = [  # model, seed, layer, head, distance, mass, entropy, rank
    ("cnn", 0, 1, 1, 1.0, 0.5, 0.2, 3.0),
    ("cnn", 0, 1, 2, 3.0, 0.7, 0.4, 5.0),
    ("cnn", 0, 2, 1, 4.0, 0.1, 0.6, 7.0),
    ("cnn", 0, 2, 2, 6.0, 0.3, 0.8, 9.0),
    ("cnn", 1, 1, 1, 2.0, 0.6, 0.3, 4.0),
    ("cnn", 1, 2, 1, 5.0, 0.2, 0.7, 8.0),
]
COLUMNS = ("layer", "head", "mean_distance", "mass_within", "entropy", "effective_rank")


@pytest.fixture
def results(study_output):
    found = read_findings(study_output())
    runs = [
        run
        | {
            "attention": [
                dict(zip(COLUMNS, row[2:], strict=True))
                for row in HEADS
                if row[:2] == (run["model"], run["seed"])
            ]
        }
        for run in found.runs
    ]
    return replace(found, runs=runs)


def test_means_over_heads_and_seeds_and_the_range_of_layers(results):
    table = attention_table(results)
    (record,) = table.records  # models without attention are not listed
    for column, place in ("mean_distance", 4), ("entropy", 6), ("effective_rank", 7):
        layers = [np.mean([row[place] for row in HEADS if row[2] == layer]) for layer in (1, 2)]
        assert record[column] == pytest.approx(np.mean(layers))
        assert [record[f"{column}_layer_{n}"] for n in (1, 2)] == pytest.approx(layers)
    ((*row,),) = table.rows
    assert row == ["cnn", "3.50 [2.00, 5.00]", "40.0 [20.0, 60.0]", "0.50 [0.30, 0.70]",
                   "6.0 [4.0, 8.0]"]  # fmt: skip


def test_every_head_is_drawn(results):
    figure = attention_figure(results)
    drawn = [panel.to_dict() for panel in figure.panels]
    for spec in drawn:
        rows = next(iter(spec["datasets"].values())) if "datasets" in spec else None
        assert rows is not None and len(rows) == len(HEADS)
    assert [spec["title"] for spec in drawn][1] == "Mass within one patch"


def test_a_page_has_the_section_only_where_something_was_measured(study_output):
    out = study_output()
    assert "How far attention looks" not in build(read_findings(out)).read_text()
    (run,) = out.glob("runs/m0-s0-*/run.json")
    record = json.loads(run.read_text())
    record["attention"] = [dict(zip(COLUMNS, HEADS[0][2:], strict=True))]
    run.write_text(json.dumps(record))
    assert "How far attention looks" in build(read_findings(out)).read_text()

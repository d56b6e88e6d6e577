"""The measures that a study declares, on its page."""

from dataclasses import asdict, replace

import polars as pl
import pytest

from priorscope.analysis import read_findings
from priorscope.metrics import Scale
from priorscope.report.sections.error_consistency import ERROR_CONSISTENCY
from priorscope.report.sections.measures import measures
from priorscope.study.measures import asked_as, measures_of

PIXELS = Scale("Reach", 1.0, None, "px", "pixels", 1.0, 0)


def row(model, arm, estimate, layer, partner=None):
    values = {"measure": "looks", "model": model, "partner": partner, "arm": arm}
    return values | {"estimate": estimate, "low": estimate - 1, "high": estimate + 1} | {
        "num_seeds": 2, "num_pairs": None, "n": 50, "method": "t", "layer": layer,
        "value": estimate,
    }  # fmt: skip


def drawn_rows(figure):
    (rows,) = figure.panels[0].to_dict()["datasets"].values()
    return rows


@pytest.fixture
def results(study_output):
    found = read_findings(study_output())
    declared = {"looks": {"name": "effective_receptive_field", "num_images": 50}}
    about = {"looks": {"kind": "network", "scale": asdict(PIXELS), "probe": "test"}}
    record = found.record | {"study": found.study | {"measures": declared}, "measures": about}
    rows = [
        row(model, arm, base + layer, layer)
        for model, base in (("cnn", 40.0), ("vit", 90.0))
        for arm, layer in (("half", 0), ("layer 1", 1), ("layer 2", 2), ("layer 3", 3))
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return replace(found, record=record, measures=frame, measurements=frame)


def test_a_declared_measure_has_a_table_and_a_curve_of_its_parts(results):
    (part,) = measures(results).parts
    assert part.title == "looks: effective receptive field"
    table, figure = part.blocks
    assert table.header == ("Model", *(f"{a}\nReach,\N{NO-BREAK SPACE}px" for a in
                            ("half", "layer 1", "layer 2", "layer 3")))  # fmt: skip
    assert table.rows[0] == ("cnn", "40 [39, 41]", "41 [40, 42]", "42 [41, 43]", "43 [42, 44]")
    assert "no value of local_vit" in table.caption
    drawn = drawn_rows(figure)
    assert [(each["x"], each["estimate"]) for each in drawn[:3]] == [(1, 41), (2, 42), (3, 43)]


def test_many_parts_are_drawn_and_not_listed(results):
    many = pl.DataFrame(
        [
            row("cnn", "half", 40.0, 0),
            *(row("cnn", f"layer {n}", 40.0 + n, n) for n in range(1, 13)),
        ],
        infer_schema_length=None,
    )
    (part,) = measures(replace(results, measures=many, measurements=many)).parts
    assert len(part.blocks[0].header) == 2 and "12 parts" in part.blocks[0].caption
    assert len(drawn_rows(part.blocks[1])) == 12


def test_what_every_study_is_asked_is_measured_once_under_the_name_that_it_declares(results):
    plain = {"measures": {"errors": {"name": ERROR_CONSISTENCY}}}
    assert ERROR_CONSISTENCY not in measures_of(plain)
    assert asked_as(plain, ERROR_CONSISTENCY) == "errors"
    assert asked_as({}, ERROR_CONSISTENCY) == ERROR_CONSISTENCY
    other = {"measures": {"errors": {"name": ERROR_CONSISTENCY, "probe": "combined"}}}
    assert {"errors", ERROR_CONSISTENCY} <= measures_of(other).keys()

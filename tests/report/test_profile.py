"""The profile on the page: biases as rows, models as columns, control models as marks."""

from dataclasses import asdict, replace

import polars as pl
import pytest

from priorscope.analysis import read_findings
from priorscope.analysis.files import MEASURE_SCHEMAS
from priorscope.bias import Bias, plain_biases
from priorscope.metrics import Scale
from priorscope.report.sections.profile import profile

PIXELS = Scale("Reach", 1.0, None, "px", "pixels", 1.0, 0)


def row(place, source, family, model, estimate, *, declared=False):
    ends = {"low": None, "high": None, "all_low": None, "all_high": None}
    if estimate is not None:
        spread = 0.1 if family else 5.0
        ends = {"low": estimate - spread, "high": estimate + spread}
        ends |= {"all_low": estimate - 2 * spread, "all_high": None}
    return {
        "bias": place, "source": source, "family": family,
        "kind": "probe" if family else "measure", "model": model, "estimate": estimate, **ends,
        "num_seeds": 2, "n": 50, "declared": declared,
        "reason": "" if estimate is not None else "the control is not clearly above chance",
    }  # fmt: skip


@pytest.fixture
def results(study_output):
    found = read_findings(study_output())
    models = dict(list(found.study["models"].items())[:2]) | {"set": {"name": "pixel_set_mlp"}}
    bias = Bias("Patches trade places", "it needs order", "it needs none", "No more than that.")
    biases = {
        "cues": plain_biases({"shuffle": bias}, ""),
        "looks": plain_biases(Bias("Reach", "near", "far", "Not what decides."), ""),
    }
    record = found.record | {"study": found.study | {"models": models}, "biases": biases}
    rows = [
        row(0, "cues", "shuffle", "cnn", 0.4, declared=True),
        row(0, "cues", "shuffle", "vit", None, declared=True),
        row(0, "cues", "shuffle", "set", 1.0, declared=True),
        *(row(1, "looks", "", model, at) for model, at in (("cnn", 90), ("vit", 50), ("set", 1))),
    ]
    scale = {"cell": "", "probe": "looks", "arm": "half", "metric": "", "scale": asdict(PIXELS)}
    return replace(
        found,
        record=record,
        profile=pl.DataFrame(rows, MEASURE_SCHEMAS["profile"]),
        scales=[*found.scales, {**scale, "chance": ""}],
    )


def test_rows_are_biases_and_columns_are_models(results):
    text, (figure, table), (meanings,) = (
        part.paragraphs or part.blocks for part in profile(results).parts
    )
    assert table.header == ("Bias", "cnn", "vit", "set")
    assert table.rows == [
        ("Patches trade places, %", "40 [30, 50]", "\N{EN DASH}", "100 [90, 110]"),
        ("Reach *, px", "90 [85, 95]", "50 [45, 55]", "1 [\N{MINUS SIGN}4, 6]"),
    ]
    assert "not clearly above chance" in table.caption and "seeds and images" in table.caption
    assert list(meanings.rows[0][2:]) == ["it needs order", "it needs none", "No more than that."]
    ((_, said),) = text
    assert "Control models: set." in said
    assert "One row marked * no hypothesis declared" in said
    assert "Grey marks are control models" in figure.caption


def test_a_row_goes_from_chance_to_the_control_or_over_all_models(results):
    _, (figure, _), _ = (part.paragraphs or part.blocks for part in profile(results).parts)
    (drawn,) = figure.panels[0].to_dict()["datasets"].values()
    dots = {(r["model"], r["bias"]): r.get("estimate") for r in drawn if "band" in r}
    assert dots == {
        ("cnn", "Patches trade places"): pytest.approx(0.4),
        ("vit", "Patches trade places"): None,
        ("cnn", "Reach *"): pytest.approx(1.0),
        ("vit", "Reach *"): pytest.approx(49 / 89, rel=1e-4),
    }
    marks = {(r["model"], r["bias"]): r["control"] for r in drawn if "control" in r}
    assert marks["vit", "Patches trade places"] == 1 and marks["cnn", "Reach *"] == 0


def test_a_study_whose_probes_say_nothing_has_no_profile(study_output):
    assert profile(read_findings(study_output())) is None

"""Controls: what they must score, cell by cell, and what the page says when they do not."""

import json

import pytest

from priorscope.analysis import Settings, analyse
from priorscope.analysis.control_models import check_control_models
from priorscope.errors import InputError
from priorscope.study.load import parse_study

QUICK = Settings(num_resamples=100)
FACTORS = {"task": {"keys": ["data.task"], "values": ["near", "far"]}}


def row(model, cell, estimate, arm="test", metric="top1"):
    return {"model": model, "cell": cell, "probe": "test", "arm": arm, "metric": metric} | {
        "estimate": estimate,
        "low": estimate - 0.01,
        "high": estimate + 0.01,
    }


def checked(controls, estimates, factors=FACTORS):
    return check_control_models({"study": {"controls": controls, "factors": factors}}, estimates)


def test_a_control_is_checked_in_every_cell_that_it_is_about():
    estimates = [row("linear", "task=near", 0.34), row("linear", "task=far", 0.40)]
    declared = {"model": "linear", "within": [0.30, 0.37]}
    everywhere = checked([declared], estimates)
    assert [(r["cell"], r["status"]) for r in everywhere] == [
        ("task=near", "met"),
        ("task=far", "violated"),
    ]
    only = checked([declared | {"at": {"task": "near"}}], estimates)
    assert [(r["cell"], r["estimate"]) for r in only] == [("task=near", 0.34)]


@pytest.mark.parametrize(
    ("estimate", "status"),
    [(0.2999, "violated"), (0.3, "met"), (0.37, "met"), (0.3701, "violated")],
)
def test_both_ends_of_the_range_are_within_it(estimate, status):
    declared = {"model": "linear", "within": [0.30, 0.37]}
    assert checked([declared], [row("linear", "", estimate)], {})[0]["status"] == status


def test_what_was_not_measured_is_said_and_not_passed():
    declared = {"model": "linear", "within": [0, 1]}
    assert checked([declared], [row("other", "", 0.5)], {})[0]["status"] == "not measured"
    of_arm = declared | {"condition": "grey"}
    found = checked([of_arm], [row("linear", "", 0.5), row("linear", "", 0.2, arm="grey")], {})
    assert found[0]["estimate"] == 0.2


def test_controls_of_a_finished_study_are_part_of_its_analysis(make_out):
    out = make_out({"cnn": 3.0, "vit": 0.0})
    record = json.loads((out / "study.json").read_text())
    record["study"]["controls"] = [
        {"model": "vit", "within": [0.0, 0.2]},
        {"model": "cnn", "within": [0.0, 0.2], "statement": "It must not learn."},
    ]
    (out / "study.json").write_text(json.dumps(record))
    analysis = analyse(out, QUICK)
    assert [each["status"] for each in analysis.control_models] == ["met", "violated"]
    stored = json.loads((out / "analysis" / "analysis.json").read_text())["control_models"]
    assert stored == analysis.control_models


def test_the_metric_that_only_a_control_names_is_measured(make_out):
    out = make_out({"cnn": 3.0, "vit": 0.0})
    record = json.loads((out / "study.json").read_text())
    record["study"]["controls"] = [{"model": "vit", "within": [0, 1], "metric": "top_k_matching"}]
    (out / "study.json").write_text(json.dumps(record))
    (found,) = analyse(out, QUICK).control_models
    del record["study"]["controls"][0]["metric"]
    (out / "study.json").write_text(json.dumps(record))
    (accuracy,) = analyse(out, QUICK).control_models
    assert (found["metric"], accuracy["metric"]) == ("top_k_matching", "top1")
    assert found["estimate"] == accuracy["estimate"]  # one class present: the same question


@pytest.mark.parametrize(
    ("control", "where", "words"),
    [
        ("{model: vti, within: [0, 1]}", "controls.0.model", "did you mean vit?"),
        ("{model: vit, within: [0.5, 0.2]}", "controls.0.within", "low to high"),
        ("{model: vit, within: [0.5]}", "controls.0.within", "missing"),
        ("{model: vit}", "controls.0.within", "missing"),
        ("{model: vit, within: [0, 1], probe: combind}", "probe", "did you mean combined?"),
        ("{model: vit, within: [0, 1], metric: top2}", "metric", "did you mean top1?"),
        ("{model: vit, within: [0, 1], arm: grey}", "controls.0.arm", "unknown key"),
        ("{model: vit, within: [0, 1], at: {task: far}}", "controls.0.at.task", "unknown factor"),
    ],
)
def test_a_control_that_nothing_could_meet_is_refused(tiny, tmp_path, control, where, words):
    with pytest.raises(InputError) as caught:
        parse_study(f"{tiny}\ncontrols: [{control}]\n", base=tmp_path)
    assert where in str(caught.value.where)
    assert words in str(caught.value)

"""Hypotheses in a study file: every form of contrast, and how what cannot be meant is refused."""

import json

import numpy as np
import pytest

from priorscope.claims import claim_of
from priorscope.errors import InputError
from priorscope.preflight.conditions import check_conditions
from priorscope.probes import ProbeSet
from priorscope.study.hypotheses import changed_late, digests
from priorscope.study.load import parse_study
from priorscope.study.spec import Contrast
from priorscope.study.yaml_text import read_yaml

BASE = {"id": "H", "statement": "S.", "contrast": {"a": "cnn", "b": "vit"}}
BASE |= {"probe": "background", "metric": "top1", "expect": "greater"}
PAIR = ["background", "grey"]


def study_with(tiny, tmp_path, **changes):
    content = read_yaml(tiny)
    content["hypotheses"] = [{k: v for k, v in (BASE | changes).items() if v is not None}]
    return parse_study(json.dumps(content), base=tmp_path)


def probe_set(arms: dict[str, int | range], *, classes_of=None) -> ProbeSet:
    """Show scenes in arms; `classes_of` gives an arm more than one class present."""
    ids = np.concatenate(
        [np.arange(n) if isinstance(n, int) else np.array(n) for n in arms.values()]
    )
    names = np.repeat(list(arms), [n if isinstance(n, int) else len(n) for n in arms.values()])
    targets = ids % 10
    if classes_of is not None:
        targets = np.arange(10) < np.array([classes_of[name] for name in names])[:, None]
    images = np.zeros((len(ids), 8, 8, 3), dtype=np.uint8)
    classes = tuple("abcdefghij")
    return ProbeSet(images, targets, ids, {"arm": names}, classes)


PROBES = {
    "test": probe_set({"test": 20}),
    "background": probe_set({"background": 20, "grey": 20, "other": range(50, 60)}),
    "combined": probe_set({"mosaic": 20, "tile": 20}, classes_of={"mosaic": 4, "tile": 1}),
}


@pytest.mark.parametrize(
    ("contrast", "expected", "models"),
    [
        ({"a": "cnn", "b": "vit"}, Contrast(a="cnn", b="vit"), ("cnn", "vit")),
        ({"a": "cnn", "b": "chance"}, Contrast(a="cnn", b="chance"), ("cnn",)),
        ({"a": "cnn", "level": 0.6}, Contrast(a="cnn", level=0.6), ("cnn",)),
        (
            {"a": "cnn", "conditions": PAIR},
            Contrast(a="cnn", conditions=("background", "grey")),
            ("cnn",),
        ),
        (
            {"a": "cnn", "b": "vit", "conditions": PAIR},
            Contrast(a="cnn", b="vit", conditions=("background", "grey")),
            ("cnn", "vit"),
        ),
    ],
)
def test_every_form_of_contrast_is_read(tiny, tmp_path, contrast, expected, models):
    study = study_with(tiny, tmp_path, contrast=contrast)
    assert study.hypotheses[0].contrast == expected
    assert claim_of(study.hypotheses[0]).models == models
    assert study.hypotheses[0].alpha == 0.05
    check_conditions(study, PROBES)
    assert json.loads(json.dumps(study.as_dict()))["hypotheses"][0]["contrast"]["a"] == "cnn"


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"expect": "similar"}, "expect", "'equivalent'"),
        ({"expect": "lesser"}, "expect", "did you mean less?"),
        ({"expect": "equivalent"}, "margin", "needs a margin"),
        ({"expect": "equivalent", "margin": -0.1}, "margin", "greater than 0"),
        ({"expect": "equivalent", "margin": 0}, "margin", "greater than 0"),
        ({"expect": "less", "margin": 0.1}, "margin", "has no margin"),
        ({"alpha": 0.5}, "alpha", "less than 0.5"),
        ({"alpha": 0}, "alpha", "greater than 0"),
        ({"statement": ""}, "statement", "at least 1"),
        ({"probe": "backgroun"}, "probe", "did you mean background?"),
        ({"metric": "top2"}, "metric", "did you mean top1?"),
        ({"metric": "./m.py:mine"}, "metric", "importable"),
        ({"contrast": {"a": "cnm", "b": "vit"}}, "contrast.a", "did you mean cnn?"),
        ({"contrast": {"a": "cnn", "b": "chanc"}}, "contrast.b", "did you mean chance?"),
        ({"contrast": {"a": "chance", "b": "cnn"}}, "contrast.a", "chance stands second"),
        ({"contrast": {"a": "cnn", "b": "cnn"}}, "contrast", "compared with itself"),
        ({"contrast": {"a": "cnn"}}, "contrast", "something to compare with"),
        ({"contrast": {"b": "cnn"}}, "contrast.a", "missing key"),
        ({"contrast": {"a": "cnn", "c": "vit"}}, "contrast.c", "unknown key"),
        ({"contrast": {"a": "cnn", "b": "vit", "level": 0.5}}, "contrast.level", "beside b"),
        ({"contrast": {"a": "cnn", "b": "chance", "conditions": PAIR}}, "contrast.b", "chance"),
        ({"contrast": {"a": "cnn", "conditions": ["grey"]}}, "contrast.conditions", "missing"),
        ({"contrast": {"a": "cnn", "conditions": ["grey"] * 2}}, "contrast.conditions", "itself"),
        (
            {"contrast": {"a": "cnn", "conditions": PAIR}, "condition": "grey"},
            "condition",
            "leave `condition` out",
        ),
        ({"contrast": {"a": {"cnn": 0.5, "vit": 0.4}, "b": "vit"}}, "contrast.a", "sum of 0.9"),
        ({"contrast": {"a": {"cnn": 1.5, "vit": -0.5}, "b": "vit"}}, "contrast.a", "above 0"),
        ({"contrast": {"a": {"cnn": 0.5, "vti": 0.5}, "b": "vit"}}, "contrast.a", "vit?"),
        ({"contrast": {"a": {}, "b": "vit"}}, "contrast.a", "weights {model: 0.5"),
        ({"contrast": {"a": ["cnn"], "b": "vit"}}, "contrast.a", "a pair [model, model]"),
        ({"contrast": {"a": ["cnn", "vit"], "b": ["cnn", "cnn"]}}, "contrast.a", "measure of two"),
        ({"contrast": {"a": {"vit": 1.0}, "b": "vit"}}, "contrast", "compared with itself"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_path(tiny, tmp_path, changes, where, words):
    with pytest.raises(InputError) as caught:
        study_with(tiny, tmp_path, **changes)
    assert str(caught.value.where).startswith(f"hypotheses.0.{where}")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"condition": "gray"}, "condition", "did you mean grey?"),
        (
            {"contrast": {"a": "cnn", "conditions": ["background", "gray"]}},
            "contrast.conditions.1",
            "did you mean grey?",
        ),
        (
            {"contrast": {"a": "cnn", "conditions": ["background", "other"]}},
            "contrast.conditions",
            "no scene in common",
        ),
        (
            {
                "contrast": {"a": "cnn", "conditions": ["mosaic", "tile"]},
                "probe": "combined",
                "metric": "top_k_matching",
            },
            "contrast.conditions",
            "mosaic: top-4 matching, 0 .. 4, tile: top-1 accuracy, 0 .. 1",
        ),
        ({"probe": "combined"}, "metric", "does not apply to multi-hot"),
        ({"contrast": {"a": "cnn", "level": 60}}, "contrast.level", "0 .. 1"),
        ({"metric": "json:dumps"}, "metric", "the component fails"),
        ({"expect": "equivalent", "margin": 5}, "margin", "above 0, below 1: top1"),
        ({"expect": "equivalent", "margin": 1}, "margin", "no difference can exceed"),
        (
            {"expect": "different", "margin": 2}
            | {"contrast": {"a": "cnn", "b": "vit", "conditions": PAIR}},
            "margin",
            "below 2",
        ),
        (
            {"probe": "combined", "metric": "top_k_matching", "expect": "different", "margin": 4},
            "margin",
            "below 4",
        ),
    ],
)
def test_what_a_probe_cannot_answer_is_refused(tiny, tmp_path, changes, where, words):
    study = study_with(tiny, tmp_path, **changes)
    with pytest.raises(InputError) as caught:
        check_conditions(study, PROBES)
    assert caught.value.where == f"hypotheses.0.{where}"
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"within": [28, 39]}, "within", "not percent: [0.28, 0.39]"),
        ({"within": [0.2, 101]}, "within", "0 .. 1 (top1 on test)"),
        ({"probe": "combined", "within": [1, 4.5]}, "within", "0 .. 4 (top_k_matching on"),
        ({"probe": "background", "condition": "gray"}, "condition", "did you mean grey?"),
        ({"probe": "combined", "metric": "top1"}, "metric", "does not apply to multi-hot"),
    ],
)
def test_a_control_that_its_probe_cannot_answer_is_refused(tiny, tmp_path, changes, where, words):
    content = read_yaml(tiny)
    control = {"model": "vit", "within": [0, 1]} | changes
    content["controls"] = [{"model": "cnn", "within": [0, 1]}, control]
    study = parse_study(json.dumps(content), base=tmp_path)
    with pytest.raises(InputError) as caught:
        check_conditions(study, PROBES)
    assert caught.value.where == f"controls.1.{where}"
    assert words in str(caught.value)


def test_controls_that_a_probe_can_answer_pass(tiny, tmp_path):
    content = read_yaml(tiny)
    content["controls"] = [
        {"model": "vit", "probe": "combined", "within": [0, 4]},
        {"model": "vit", "probe": "background", "condition": "grey", "within": [0, 1]},
        {"model": "vit", "metric": "top_k_matching", "within": [0.1, 1]},
    ]
    check_conditions(parse_study(json.dumps(content), base=tmp_path), PROBES)


def test_a_second_hypothesis_of_the_same_id_is_named_with_the_first(tiny, tmp_path):
    content = read_yaml(tiny)
    content["hypotheses"] = [BASE | {"id": name} for name in ("G", "H", "H")]
    with pytest.raises(InputError) as caught:
        parse_study(json.dumps(content), base=tmp_path)
    assert caught.value.where == "hypotheses.2.id"
    assert "hypotheses.1 has it first" in str(caught.value)


def test_a_margin_that_a_difference_can_exceed_is_accepted(tiny, tmp_path):
    both = {"contrast": {"a": "cnn", "b": "vit", "conditions": PAIR}}
    for changes in ({"margin": 0.99}, {"margin": 1.9} | both):
        study = study_with(tiny, tmp_path, expect="equivalent", **changes)
        check_conditions(study, PROBES)


def test_history_tells_what_was_changed_once_results_existed():
    first = [{"id": "H1", "margin": 1}, {"id": "H2", "margin": 1}, {"id": "H3"}]
    second = [{"id": "H1", "margin": 2}, {"id": "H2", "margin": 1}, {"id": "H4"}]
    history = [
        {"date": "2026-11-22T10:00:00", "results": False, "hypotheses": digests(first)},
        {"date": "2026-11-23T10:00:00", "results": True, "hypotheses": digests(second)},
    ]
    assert changed_late(history) == {
        "H1": "changed on 2026-11-23",
        "H3": "withdrawn on 2026-11-23",
        "H4": "added on 2026-11-23",
    }
    history[1]["results"] = False
    assert changed_late(history) == {}, "before any run began, a hypothesis is free to change"
    assert changed_late(history[:1]) == {}

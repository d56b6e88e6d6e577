"""Measures that cannot be asked are refused when the study is planned, with the key's path."""

import json

import pytest

from priorscope.errors import InputError
from priorscope.preflight.check_cells import check_cells
from priorscope.preflight.checked import as_plain, from_plain
from priorscope.preflight.measures import check_measures
from priorscope.runs.load_cells import cell_loader
from priorscope.runs.prepare_models import build_models
from priorscope.study.load import parse_study
from priorscope.study.yaml_text import read_yaml

OWN = {
    "nan": "return images.mean((1, 2, 3)) * float('nan')",
    "short": "return images.mean((1, 2, 3))[:-1]",
    "raises": "raise RuntimeError('no such layer')",
    "text": "return 'far'",
}
TWO = """
import numpy as np
def lopsided(a, b):
    return a.logits[:, 0] - b.logits[:, 0]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("own")
    for name, body in OWN.items():
        text = f"def {name}(network, images, *, rng, depth: int = 1):\n    {body}\n"
        (made / f"{name}.py").write_text(text)
    (made / "two.py").write_text(TWO)
    (made / "alone.py").write_text("def alone(features_a, features_b):\n    return 1.0\n")
    (made / "odd.py").write_text("def odd(model, pictures):\n    return 1.0\n")
    return made


@pytest.fixture(scope="module")
def ask(tiny, folder):
    kept = {}

    def ask(measures, hypothesis=None):
        content = read_yaml(tiny) | {"measures": measures, "hypotheses": [], "seeds": [0, 1]}
        if hypothesis is not None:
            base = {"id": "H", "statement": "S.", "expect": "greater"}
            content["hypotheses"] = [base | hypothesis]
        study = parse_study(json.dumps(content), base=folder)
        if not kept:
            kept["cell"] = cell = cell_loader(study, folder)(())
            kept["models"] = build_models(study, cell.data)
        return check_measures(study, kept["cell"].probes, kept["models"], kept["cell"].data)

    return ask


DISTANCE = {"name": "attention_distance"}
LOOKS, ERRORS = {"looks": DISTANCE}, {"errors": {"name": "error_consistency"}}


def test_what_can_be_asked_is_described(ask):
    both = {"a": ["vit", "cnn"], "b": ["vit", "vit"]}
    about = ask(LOOKS | ERRORS, {"contrast": both, "measure": "errors"})
    assert about["looks"]["kind"] == "network" and about["errors"]["kind"] == "predictions"
    assert about["errors"]["scale"]["high"] == 1
    assert {"attention_rank", "attention_mass"} <= set(about), "which every study has"
    assert "error_consistency" not in about, "it is declared, as errors"


@pytest.mark.parametrize(
    ("measures", "hypothesis", "where", "words"),
    [
        ({"m": {"name": "attention_distanc"}}, None, "measures.m.name", "attention_distance?"),
        ({"test": DISTANCE}, None, "measures.test", "has this name already"),
        ({"m": DISTANCE | {"probe": "tets"}}, None, "measures.m.probe", "did you mean test?"),
        ({"m": DISTANCE | {"num_images": 0}}, None, "measures.m.num_images", "at least 1"),
        ({"m": DISTANCE | {"state": "untraind"}}, None, "measures.m.state", "mean untrained?"),
        ({"m": DISTANCE | {"num_images": 101}}, None, "measures.m.num_images", "at most 100"),
        ({"m": DISTANCE | {"radius": 2}}, None, "measures.m.radius", "num_images, probe, state"),
        ({"m": {"name": "attention_mass", "radius": -1}}, None, "measures.m.radius", "greater"),
        ({"m": {"name": "./nan.py:nan"}}, None, "measures.m", "finite values"),
        ({"m": {"name": "./short.py:short"}}, None, "measures.m", "shape [7]"),
        ({"m": {"name": "./raises.py:raises"}}, None, "measures.m", "no such layer"),
        ({"m": {"name": "./text.py:text"}}, None, "measures.m", "a number, or numbers"),
        ({"m": {"name": "./odd.py:odd"}}, None, "measures.m", "by these names"),
        ({"m": {"name": "./alone.py:alone"}}, None, "measures.m.name", "features(network, images"),
        ({"m": {"name": "cka", "module": "stemm"}}, None, "measures.m.module", "stem"),
        ({"m": {"name": "cka", "num_images": 4}}, None, "measures.m", "at least 5"),
        ({"m": {"name": "cka"}}, {"contrast": {"a": "cnn", "b": "vit"}, "measure": "m"},
         "hypotheses.0.contrast.a", "measure of two networks"),
        ({"m": {"name": "./two.py:lopsided"}}, None, "measures.m.name", "importable"),
        (
            {"e": {"name": "error_consistency", "num_images": 5}},
            None,
            "measures.e.num_images",
            "all answers",
        ),
        (
            {"e": {"name": "error_consistency", "probe": "combined"}},
            None,
            "measures.e",
            "multi-hot",
        ),
        (LOOKS, {"contrast": {"a": "cnn", "b": "vit"}, "measure": "looks"},
         "hypotheses.0.contrast", "does not apply to cnn"),
        (LOOKS, {"contrast": {"a": ["cnn", "vit"], "level": 0}, "measure": "looks"},
         "hypotheses.0.contrast.a", "measure of one network"),
        (ERRORS, {"contrast": {"a": "cnn", "b": "vit"}, "measure": "errors"},
         "hypotheses.0.contrast.a", "measure of two networks"),
        (ERRORS, {"contrast": {"a": ["cnn", "vit"], "level": 2}, "measure": "errors"},
         "hypotheses.0.contrast.level", "-1 .. 1"),
        (LOOKS, {"contrast": {"a": "vit", "conditions": ["layer 1", "layer 9"]},
                 "measure": "looks"}, "hypotheses.0.contrast.conditions.1", "layer 1"),
        (LOOKS, {"contrast": {"a": "vit", "level": 1}, "measure": "look"},
         "hypotheses.0.measure", "did you mean looks?"),
        (LOOKS, {"contrast": {"a": "vit", "level": 1}, "measure": "looks", "metric": "top1"},
         "hypotheses.0.metric", "in place of"),
        (LOOKS, {"contrast": {"a": "vit", "b": "chance"}, "measure": "looks"},
         "hypotheses.0.contrast.b", "no chance"),
        ({}, {"contrast": {"a": "vit", "b": "cnn"}}, "hypotheses.0.probe", "missing key"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_its_path(ask, measures, hypothesis, where, words):
    with pytest.raises(InputError) as caught:
        ask(measures, hypothesis)
    assert str(caught.value.where).startswith(where)
    assert words in str(caught.value)


def test_a_measure_of_two_that_hangs_on_which_comes_first_is_refused(ask, folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    with pytest.raises(InputError, match="which comes first"):
        ask({"m": {"name": "two:lopsided"}})


def test_a_model_of_which_a_measure_has_no_value_is_named(ask, tiny, folder):
    about = ask(LOOKS | ERRORS)
    assert list(about["looks"]["does_not_apply"]) == ["cnn"]
    assert about["errors"]["does_not_apply"] == about["attention_rank"]["does_not_apply"] == {}
    study = parse_study(json.dumps(read_yaml(tiny) | {"measures": LOOKS}), base=folder)
    checked = check_cells(study, cell_loader(study, folder))
    reason = "the network has no attention that tells its weights"
    assert checked.warnings == [f"cnn: measure looks has no value of it: {reason}"]
    assert from_plain(study, json.loads(json.dumps(as_plain(checked)))).warnings == checked.warnings


def test_a_measure_that_applies_to_no_model_is_refused(tiny, folder):
    content = read_yaml(tiny) | {"measures": LOOKS, "hypotheses": []}
    del content["models"]["vit"]
    study = parse_study(json.dumps(content), base=folder)
    cell = cell_loader(study, folder)(())
    with pytest.raises(InputError, match="none of the models"):
        check_measures(study, cell.probes, build_models(study, cell.data), cell.data)


def test_an_augmentation_that_overlaps_with_a_probe_is_named(tiny, folder):
    content = read_yaml(tiny) | {"hypotheses": []}
    content["probes"] = {"moved": {"name": "translation", "num_images": 5}}
    study = parse_study(json.dumps(content), base=folder)
    checked = check_cells(study, cell_loader(study, folder))
    (line,) = checked.warnings
    assert line.startswith(
        "probe moved: the recipe's random_crop trains on what this probe changes"
    )
    assert checked.about()["overlaps"]["moved"] == [line.removeprefix("probe moved: ")]
    assert from_plain(study, json.loads(json.dumps(as_plain(checked)))).warnings == [line]

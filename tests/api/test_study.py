"""Studies that are written in Python: the same keys, checks and words as in a file."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import priorscope as ps
from priorscope.api.callables import name_callable
from priorscope.components import resolve
from priorscope.errors import InputError
from priorscope.metrics.top1 import top1
from priorscope.models.resnet_nano import resnet_nano
from priorscope.studies import packaged_studies
from priorscope.study.load import parse_study
from priorscope.study.yaml_text import read_yaml, write_yaml

words = st.text(max_size=8) | st.sampled_from(
    [
        "1e-3",
        "no",
        "~",
        "null",
        "0o7",
        "<<",
        "=",
        "1:30",
        ".5",
        "-",
        "# no",
        "a: b",
        "2026-01-01",
        "\x85",
        "a\nb\n",
        " ",
        "\u2028x",
    ]
)
scalars = words | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none()
plain_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3)
)


def my_model(*, num_classes: int, image_px: int, width: int = 8):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * image_px**2, num_classes))


class MyModel(nn.Linear):
    def __init__(self, *, num_classes: int, image_px: int):
        super().__init__(3 * image_px**2, num_classes)


@pytest.mark.parametrize("name", packaged_studies())
def test_the_keys_of_a_file_make_the_same_study(name):
    text = packaged_studies()[name].read_text()
    found, wanted = ps.Study(**read_yaml(text)).spec, ps.load_study(name).spec
    assert (found.name, found.hash) == (wanted.name, wanted.hash)
    assert found.as_dict() == wanted.as_dict()
    again = parse_study(found.text, base=found.base)
    assert again.as_dict() == wanted.as_dict()


@settings(max_examples=300, deadline=None)
@given(plain_values)
def test_what_is_written_is_read_again(value):
    found = read_yaml(write_yaml({"value": value}))["value"]
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": {"epochs": 0}},
        {"recipe": {"epoch": 3}},
        {"modles": {"a": {"name": "linear"}}},
        {"models": {}},
        {"models": {"a": "linear"}},
        {"models": {"a b": {"name": "linear"}}},
        {"seeds": [0, 0]},
        {"seeds": [0.5]},
        {"name": ""},
        {"hypotheses": [{"id": "H", "statement": "s", "contrast": {"a": "b"}}]},
    ],
)
def test_refusals_have_the_words_of_a_file(small, change):
    keys = {**small, "models": {"a": {"name": "linear"}}, **change}
    with pytest.raises(InputError) as in_file:
        parse_study(write_yaml(keys), base=None)
    with pytest.raises(InputError) as in_python:
        ps.Study(**keys)
    assert str(in_python.value) == str(in_file.value)


def test_values_of_numpy_and_ranges_are_plain_ones(small):
    small["recipe"]["learning_rate"] = np.float32(0.5)
    study = ps.Study(**small, models={"a": {"name": "linear"}}, seeds=range(3)).spec
    assert (study.recipe.learning_rate, study.seeds) == (0.5, (0, 1, 2))
    assert ps.Study(**small, models={"a": {"name": "linear"}}, seeds=np.arange(3)).spec == study


def test_callables_are_named_as_in_a_file(small):
    here = f"{my_model.__module__}:my_model"
    study = ps.Study(
        **small,
        models={
            "alone": my_model,
            "parts": functools.partial(my_model, width=4),
            "pair": (my_model, {"width": 5}),
            "named": {"name": my_model, "width": 6},
            "both": {"name": functools.partial(my_model), "width": 7},
            "of_class": MyModel,
            "packaged": resnet_nano,
            "timm": {"name": "timm:resnet18"},
        },
        probes={"p": {"name": "mosaic", "num_images": 8}},
    )
    plain = study.spec.as_dict()["models"]
    assert plain["alone"] == {"name": here}
    assert [plain[name]["width"] for name in ("parts", "pair", "named", "both")] == [4, 5, 6, 7]
    assert {plain[name]["name"] for name in ("parts", "pair", "named", "both")} == {here}
    assert plain["of_class"] == {"name": f"{MyModel.__module__}:MyModel"}
    assert plain["packaged"] == {"name": "resnet_nano"}
    assert resolve("models", here, base=study.spec.base) is my_model
    assert "# python:" not in study.text  # nothing of this process only


def test_callables_stand_elsewhere_too(small):
    probe = {"name": "mosaic", "num_images": 8}
    hypothesis = {"id": "H", "statement": "s", "contrast": {"a": "a", "b": "chance"}}
    hypothesis |= {"probe": "test", "metric": top1, "expect": "greater"}
    study = ps.Study(
        **small, models={"a": {"name": "linear"}}, probes={"p": probe}, hypotheses=[hypothesis]
    )
    assert study.spec.hypotheses[0].metric == "top1"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (nn.Linear(2, 2), ["models.a", "a network", "give Linear itself"]),
        (functools.partial(my_model, 8), ["models.a", "positional"]),
        ((my_model, 8), ["models.a", "{name: value}"]),
        (object(), ["models.a", "no study file can hold"]),
        ({"name": object()}, ["models.a.name", "no study file can hold"]),
        ({"name": functools.partial(my_model, width=4), "width": 5}, ["models.a.width"]),
        (my_model.__call__, ["models.a", "no callable that a study can name"]),
        ({"name": "resnet_nan"}, None),
    ],
)
def test_what_is_no_component_is_refused(small, value, words):
    with pytest.raises(InputError) as error:
        ps.Study(**small, models={"a": value}).check()
    for word in words or ["models.a.name", "did you mean resnet_nano?"]:
        assert word in str(error.value)


def test_a_module_beside_the_study_is_named_as_a_file(tmp_path, monkeypatch):
    (tmp_path / "beside_the_study.py").write_text("def net(*, num_classes, image_px): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    import beside_the_study

    named = name_callable(beside_the_study.net, tmp_path, relative=True, where="")
    assert named == ("./beside_the_study.py:net", {})
    named = name_callable(beside_the_study.net, tmp_path / "below", relative=True, where="")
    assert named == ("../beside_the_study.py:net", {})
    named = name_callable(beside_the_study.net, tmp_path, relative=False, where="")
    assert named == (f"{tmp_path}/beside_the_study.py:net", {})


def test_a_study_says_in_one_line_what_it_is():
    said = repr(ps.load_study("quickstart"))
    assert "\n" not in said
    for word in ("quickstart", "cnn, vit, local_vit", "0, 1, 2", "hypotheses: 7"):
        assert word in said

"""Reading studies: what is accepted, and how what is wrong is refused."""

import json

import pytest

from priorscope.errors import InputError
from priorscope.studies import packaged_studies
from priorscope.study.load import load_study, parse_study
from priorscope.study.yaml_text import read_yaml


def parse(text, tmp_path):
    return parse_study(text, base=tmp_path)


def changed(text: str, path: str, value) -> str:
    content = read_yaml(text)
    *parents, last = path.split(".")
    node = content
    for key in parents:
        node = node[int(key)] if isinstance(node, list) else node[key]
    node[last] = value
    return json.dumps(content)


def test_a_study_is_resolved_with_every_default(tiny, tmp_path):
    study = parse(tiny, tmp_path)
    assert study.recipe.learning_rate == 1e-3, "YAML 1.1 would read 1e-3 as a string"
    assert study.recipe.augment == ("random_crop", "horizontal_flip")
    assert study.as_dict()["recipe"]["label_smoothing"] == 0.0
    assert study.as_dict()["data"]["train_fraction"] == 1.0
    assert study.models["cnn"].parameters == {"width": 8, "num_blocks": [1, 1, 1]}


@pytest.mark.parametrize("name", packaged_studies())
def test_packaged_studies_load_and_say_how_to_run_them(name):
    study = load_study(name)
    assert study.name == name
    assert f"priorscope run {name}" in study.text


@pytest.mark.parametrize(
    ("path", "value", "where", "words"),
    [
        ("recipes", {}, "recipes", "did you mean recipe?"),
        ("recipe.batch_sise", 3, "recipe.batch_sise", "did you mean batch_size?"),
        ("recipe.batch_size", "64", "recipe.batch_size", "valid integer"),
        ("recipe.batch_size", 0, "recipe.batch_size", "greater than 0"),
        ("recipe.batch_size", 64.0, "recipe.batch_size", "valid integer"),
        ("recipe.learning_rate", -1, "recipe.learning_rate", "greater than 0"),
        ("recipe.learning_rate", True, "recipe.learning_rate", "valid number"),
        ("recipe.optimizer", "lion", "recipe.optimizer", "'adam', 'adamw' or 'sgd'"),
        ("recipe.augment", ["crop"], "recipe.augment.0", "'random_crop'"),
        ("recipe.augment", "random_crop", "recipe.augment", "array"),
        ("data.train_fraction", 0, "train_fraction", "greater than 0"),
        ("data.train_fraction", 1.5, "train_fraction", "less than or equal to 1"),
        ("models", {}, "models", "at least 1"),
        ("models", [], "models", "object"),
        ("models.cnn", {"width": 8}, "models.cnn.name", "missing"),
        ("models.c/n", {"name": "resnet_nano"}, "models", "match"),
        ("models.chance", {"name": "resnet_nano"}, "models.chance", "chance level"),
        ("models.CNN", {"name": "resnet_nano"}, "models.CNN", "case"),
        ("probes.test", {"name": "mosaic"}, "probes.test", "taken"),
        ("seeds", [0, 0], "seeds", "twice"),
        ("seeds", [], "seeds", "at least 1"),
        ("seeds", [-1], "seeds.0", "greater than or equal to 0"),
        ("seeds", 3, "seeds", "array"),
        ("convergence", {"loss_change": 0.1}, "convergence", "stability: {budget: 0.5"),
        ("stability", {"budget": 0.5, "margins": 0.1}, "stability.margins", "margin?"),
        ("stability", {"budget": 1.0, "margin": 0.1}, "stability.budget", "less than 1"),
        ("stability", {"budget": 0.95, "margin": 0.1}, "stability.budget", "fewer epochs"),
        ("name", "../out", "name", "match"),
        ("reproduces", {"vit": "vitt"}, "reproduces.vit", "did you mean vit?"),
        ("reproduces", {"resnet": "cnn"}, "reproduces.resnet", "did you mean resnet50?"),
        ("reproduces", {"resnet50": "vit", "vit": "vit"}, "reproduces.vit", "stands for one arm"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(tiny, tmp_path, path, value, where, words):
    with pytest.raises(InputError) as caught:
        parse(changed(tiny, path, value), tmp_path)
    assert where in str(caught.value.where)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words",
        "- a\n- b",
        "a: [1, 2",
        "a: !!python/object/apply:os.system ['true']",
        "name: x\nname: y",
        "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]"
        "\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d]",
        "[" * 5000,
        "{a: " * 30 + "1" + "}" * 30,
        "x" * 2_000_000,
        "name: \x00",
        "? [a, b]\n: 1",
        "seeds: [" + "9" * 400 + "]",
    ],
)
def test_what_is_no_study_is_refused(text, tmp_path):
    with pytest.raises(InputError):
        parse(text, tmp_path)


def test_the_file_is_named_in_the_message(tmp_path, tiny):
    path = tmp_path / "mine.yaml"
    path.write_text(changed(tiny, "recipe.epoch", 3))
    with pytest.raises(InputError, match="unknown key") as caught:
        load_study(str(path))
    assert f"{path}: recipe.epoch" in str(caught.value)


@pytest.mark.parametrize("name", ["mine", "mine.yaml"])
def test_a_folder_is_said_to_be_one(name, tmp_path):
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match="the study is not a file") as caught:
        load_study(str(tmp_path / name))
    assert "a folder" in str(caught.value)
    with pytest.raises(InputError, match="the study is not a file"):
        load_study("/dev/null")


def test_unknown_packaged_study_offers_the_nearest():
    with pytest.raises(InputError) as caught:
        load_study("quickstrat")
    assert "did you mean quickstart?" in str(caught.value)

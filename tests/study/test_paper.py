"""The report's recipe, as its Table 1 has it."""

import pytest

from priorscope.study.load import load_study


@pytest.mark.parametrize(("name", "learning_rate"), [("paper", 1e-5), ("paper_code", 1e-4)])
def test_the_recipe_is_that_of_table_1(name, learning_rate):
    recipe = load_study(name).recipe
    assert recipe.learning_rate == learning_rate
    assert (recipe.epochs, recipe.batch_size, recipe.weight_decay) == (80, 64, 5e-4)
    assert (recipe.optimizer, recipe.schedule, recipe.image_px) == ("adam", "one_cycle", 224)
    assert recipe.precision == "bf16"  # Table 1's fp16 without its loss scaling, see the header
    assert (recipe.augment, recipe.resize) == (("autoaugment_cifar10",), "before_augment")


def test_the_two_differ_in_the_learning_rate_alone():
    paper, code = (load_study(name).as_dict() for name in ("paper", "paper_code"))
    paper["recipe"].pop("learning_rate")
    code["recipe"].pop("learning_rate")
    assert paper == code


def test_every_local_arm_is_asked_what_the_reports_was():
    study = load_study("paper").as_dict()
    asked = {}
    for hypothesis in study["hypotheses"]:
        for arm in ("local_vit_dwnet", "local_vit_swin", "local_vit"):
            if hypothesis["contrast"].get("a") == arm:
                same = {k: v for k, v in hypothesis.items() if k not in {"id", "statement"}}
                same["contrast"] = {**hypothesis["contrast"], "a": "an arm"}
                asked.setdefault(arm, []).append(same)
    assert asked["local_vit_dwnet"] == asked["local_vit_swin"] == asked["local_vit"]
    assert len(asked["local_vit"]) == 5

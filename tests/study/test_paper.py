"""The report's recipe, as its Table 1 has it."""

import pytest

from priorscope.study.load import load_study


@pytest.mark.parametrize(("name", "learning_rate"), [("paper", 1e-5), ("paper_code", 1e-4)])
def test_the_recipe_is_that_of_table_1(name, learning_rate):
    recipe = load_study(name).recipe
    assert recipe.learning_rate == learning_rate
    assert (recipe.epochs, recipe.batch_size, recipe.weight_decay) == (80, 64, 5e-4)
    assert (recipe.optimizer, recipe.schedule, recipe.image_px) == ("adam", "one_cycle", 224)
    assert (recipe.augment, recipe.resize) == (("autoaugment_cifar10",), "before_augment")


def test_the_two_differ_in_the_learning_rate_alone():
    paper, code = (load_study(name).as_dict() for name in ("paper", "paper_code"))
    paper["recipe"].pop("learning_rate")
    code["recipe"].pop("learning_rate")
    assert paper == code

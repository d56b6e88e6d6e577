"""Factors: how they are read or refused, and what a run is at a level of each."""

import numpy as np
import pytest

from priorscope.errors import InputError
from priorscope.preflight.check_cells import check_cells
from priorscope.runs.load_cells import cell_loader
from priorscope.study.cells import cells, study_at
from priorscope.study.levels import cell_name
from priorscope.study.load import parse_study
from priorscope.study.plan import plan, select

BASE = """
name: crossed
data: {name: synthetic, num_train: 120, num_test: 40}
recipe: {batch_size: 50, epochs: 1}
models:
  cnn: {name: resnet_nano, width: 4, num_blocks: [1, 1, 1]}
  vit: {name: vit_nano, embed_dim: 8, depth: 1, num_heads: 1}
seeds: [0, 1]
"""
CROSSED = f"""{BASE.replace(", epochs: 1", "")}
factors:
  task: [near_relation, far_relation]
  size:
    key: [data.train_fraction, recipe.epochs]
    levels: {{small: [0.1, 4], large: [1, 2]}}
  pixels:
    key: data.intervention
    levels: {{none: none, blocks: {{name: permute_patches, patch_px: 8, seed: 3}}}}
"""


def study(tmp_path, factors=None, hypothesis=None):
    text = BASE if factors is None else f"{BASE}factors: {factors}\n"
    text += "" if hypothesis is None else f"hypotheses: [{hypothesis}]\n"
    return parse_study(text, base=tmp_path)


def hypothesis(more, contrast="{a: cnn, b: vit}"):
    return (
        f"{{id: H, statement: s, contrast: {contrast}, probe: test, metric: top1, "
        f"expect: less, {more}}}"
    )


def test_every_combination_of_levels_is_a_cell_and_a_study_of_its_own(tmp_path):
    crossed = parse_study(CROSSED, base=tmp_path)
    names = [cell_name(levels) for levels in cells(crossed)]
    assert len(set(names)) == 8
    assert names[0] == "task=near_relation,size=small,pixels=none"
    last = study_at(crossed, cells(crossed)[-1])
    assert last.data.parameters == {"num_train": 120, "num_test": 40, "task": "far_relation"}
    assert (last.split.train_fraction, last.recipe.epochs) == (1.0, 2)
    assert last.split.intervention.as_dict() == {
        "name": "permute_patches",
        "patch_px": 8,
        "seed": 3,
    }
    assert last.factors == ()
    assert crossed.split.train_fraction == 1, "the study itself is left as it was"


def test_a_cell_is_the_study_that_would_have_been_written_without_factors(tmp_path):
    """Its runs have the same weights, so they have the same hash."""
    crossed = study(tmp_path, "{train_fraction: [0.5, 1]}")
    plain = parse_study(
        BASE.replace("num_test: 40}", "num_test: 40, train_fraction: 0.5}"), base=tmp_path
    )
    of_cell = [run for run in plan(crossed) if run.levels == (("train_fraction", 0.5),)]
    assert [run.run_id for run in plan(plain)] == [
        f"{run.model}-s{run.seed}-{run.run_id.rpartition('-')[2]}" for run in of_cell
    ]
    assert of_cell[0].run_id.startswith("cnn-s0-train_fraction=0.5-")


def test_runs_are_crossed_with_all_models_and_seeds(tmp_path):
    runs = plan(parse_study(CROSSED, base=tmp_path))
    assert len(runs) == len({run.run_id for run in runs}) == 2 * 2 * 8
    seeds = [run.seed for run in runs]
    assert seeds == sorted(seeds), "an interrupted study has whole comparisons first"
    assert len(select(runs, only="vit")) == 16
    assert len(select(runs, only="task=far_relation")) == 16
    assert len(select(runs, only="*size=large*")) == 16
    assert len(select(runs, only="cnn-s1-task=far_relation,*pixels=blocks")) == 2
    with pytest.raises(InputError, match="no run has that name") as caught:
        select(runs, only="task=near")
    assert "task=near_relation" in caught.value.allowed


@pytest.mark.parametrize(
    ("factors", "where", "words"),
    [
        ("[train_fraction]", "factors", "object"),
        ("{train_fraction: 0.5}", "factors.train_fraction", "at least two levels"),
        ("{train_fraction: [0.5]}", "factors.train_fraction", "at least two levels"),
        ("{train_fraction: [0.5, 1, 0.5]}", "train_fraction.levels.2", "stands twice"),
        ("{train_fraction: [1, 1.0]}", "train_fraction.levels.1", "stands twice"),
        ("{train_fraction: [0.5, 1.5]}", "train_fraction.levels.1", "less than or equal to 1"),
        ("{train_fraction: [0.5, half]}", "train_fraction.levels.1", "valid number"),
        ("{train_fracton: [0.5, 1]}", "factors.train_fracton", "did you mean train_fraction?"),
        ("{task: [objects, near_relaton]}", "factors.task.levels.1", "'near_relation'"),
        ("{seed: [0, 1]}", "factors.seed", "column of the tables"),
        ("{model: {key: data.task, levels: [objects, far_relation]}}", "factors.model", "column"),
        ("{num_test: [10, 20]}", "factors.num_test.key", "set twice"),
        ("{epochs: [1, 2]}", "factors.epochs", "did you mean recipe.epochs?"),
        ("{e: {key: recipe.epochs, levels: [1, 2]}}", "factors.e.key", "set twice"),
        ("{e: {key: recipe.learning_rat, levels: [1, 2]}}", "factors.e.key", "learning_rate?"),
        ("{e: {key: recipe.learning_rate, levels: [1, x]}}", "factors.e.levels.1", "valid number"),
        ("{w: {key: models.cnn.width, levels: [4, 8]}}", "factors.w.key", "all models share"),
        ("{w: {key: [data.task], levels: [objects, x]}}", "factors.w.levels.0", "one value a key"),
        ("{w: {keys: data.task, levels: [objects, x]}}", "factors.w.keys", "did you mean key?"),
        ("{w: {key: data.task}}", "factors.w.levels", "missing key"),
        (
            "{crop: {key: recipe.augment, levels: [[], [random_crop]]}}",
            "crop.levels.0",
            "needs a name",
        ),
        (
            "{aug: {key: recipe.augment, levels: {plain: [], crop: [random_crops]}}}",
            "factors.aug.levels.crop.0",
            "'random_crop'",
        ),
        (
            "{one: {key: data.task, levels: [objects, b]}, task: [objects, b]}",
            "factors.task.key",
            "two factors set the same key",
        ),
        ("{Task: {key: data.task, levels: [a, b]}, task: [a, b]}", "factors.task", "case"),
        ("{intervention: [none, permute_pixel]}", "levels.1", "did you mean permute_pixels?"),
        (
            "{y: {key: data.intervention, levels: {a: none, b: {name: permute_patches, px: 8}}}}",
            "factors.y.levels.1.px",
            "patch_px",
        ),
    ],
)
def test_what_is_no_factor_is_refused_with_its_path(tmp_path, factors, where, words):
    with pytest.raises(InputError) as caught:
        study(tmp_path, factors)
    assert where in str(caught.value.where)
    assert words in str(caught.value)


@pytest.mark.parametrize("seed", ["{train: 0, test: 1}", "[0, 1]", "-1", "true", "0.5"])
def test_an_intervention_has_one_seed_for_train_and_test(tmp_path, seed):
    text = f"{{name: permute_pixels, seed: {seed}}}"
    for where, spoilt in (
        (
            "data.intervention",
            BASE.replace("num_test: 40}", f"num_test: 40, intervention: {text}}}"),
        ),
        (
            "factors.y.levels.b",
            f"{BASE}factors: {{y: {{key: data.intervention, levels: {{a: none, b: {text}}}}}}}",
        ),
    ):
        with pytest.raises(InputError, match="value not allowed") as caught:
            parse_study(spoilt, base=tmp_path)
        assert where in str(caught.value.where)
        assert "one `seed`" in str(caught.value)
    with pytest.raises(InputError, match="unknown parameter"):
        spoilt = "{name: permute_pixels, seed: 0, test_seed: 1}"
        study(tmp_path, f"{{y: {{key: data.intervention, levels: {{a: none, b: {spoilt}}}}}}}")


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        (hypothesis("margin: null"), "hypotheses.0.at", "task: one of near_relation, far_relation"),
        (hypothesis("at: {taks: far_relation}"), "at.taks", "did you mean task?"),
        (hypothesis("at: {task: far_relatoin}"), "at.task", "did you mean far_relation?"),
        (
            hypothesis("at: {task: far_relation}", "{a: cnn, b: vit, between: {task: [a, b]}}"),
            "contrast.between.task",
            "no such level",
        ),
        (
            hypothesis(
                "at: {task: far_relation}",
                "{a: cnn, between: {task: [far_relation, near_relation]}}",
            ),
            "hypotheses.0.at.task",
            "between two levels",
        ),
        (hypothesis("margin: null", "{a: cnn}"), "contrast", "needs something to compare with"),
        (
            hypothesis(
                "margin: null",
                "{a: cnn, level: 0.5, between: {task: [far_relation, near_relation]}}",
            ),
            "contrast",
            "level",
        ),
    ],
)
def test_a_hypothesis_says_at_which_levels_it_holds(tmp_path, text, where, words):
    with pytest.raises(InputError) as caught:
        study(tmp_path, "{task: [near_relation, far_relation]}", text)
    assert where in str(caught.value.where)
    assert words in str(caught.value)


def test_levels_of_hypotheses_that_exist_are_accepted(tmp_path):
    factors = "{task: [near_relation, far_relation]}"
    study(tmp_path, factors, hypothesis("at: {task: far_relation}"))
    between = "between: {task: [far_relation, near_relation]}"
    found = study(tmp_path, factors, hypothesis("margin: null", f"{{a: cnn, b: vit, {between}}}"))
    assert found.hypotheses[0].contrast.between == {"task": ("far_relation", "near_relation")}
    both = f"{{a: cnn, b: vit, conditions: [x, y], {between}}}"
    assert study(tmp_path, factors, hypothesis("margin: null", both)).hypotheses[0].contrast.between
    with pytest.raises(InputError, match="unknown factor"):
        study(tmp_path, None, hypothesis("at: {task: far_relation}"))


def test_cells_share_what_their_levels_leave_alone(tmp_path):
    """Probes are made from test images: once a task, however many levels of anything else."""
    crossed = parse_study(CROSSED, base=tmp_path)
    load = cell_loader(crossed, tmp_path)
    made = {cell_name(levels): load(levels) for levels in cells(crossed)}
    near = [cell for name, cell in made.items() if "near" in name]
    far = [cell for name, cell in made.items() if "far" in name]
    assert len({id(cell.probes) for cell in near}) == len({id(cell.probes) for cell in far}) == 1
    assert len({cell.data.test.fingerprint for cell in made.values()}) == 2
    assert {len(cell.data.train) for cell in near} == {12, 120}
    recorded = {tuple(cell.data.fingerprints().values()) for cell in made.values()}
    assert len(recorded) == 8, "a run's record tells every cell from the others"


def test_every_cell_is_checked_before_anything_is_trained(tmp_path):
    """20 images of a class, of which 0.01 leave none: found, with the cell that it is found in."""
    crossed = study(tmp_path, "{train_fraction: [1, 0.01], task: [far_relation, near_relation]}")
    with pytest.raises(InputError, match="no image of class") as caught:
        check_cells(crossed, cell_loader(crossed, tmp_path))
    assert "train_fraction=0.01,task=far_relation" in str(caught.value.where)


def test_models_are_built_for_the_classes_and_the_size_of_their_cell(tmp_path):
    crossed = study(
        tmp_path,
        "{kinds: {key: data.num_kinds, levels: [2, 5]}, task: [far_relation, near_relation]}",
    )
    checked = check_cells(crossed, cell_loader(crossed, tmp_path))
    sizes = [sizes["vit"].num_parameters for sizes in checked.sizes.values()]
    assert np.unique(sizes).tolist() == [min(sizes), min(sizes) + 3 * (8 + 1)]
    assert [entry["cell"] for entry in checked.about()["cells"]] == [
        cell_name(levels) for levels in cells(crossed)
    ]

"""Weights beside a model: what a study may say of them, and which runs they make."""

import pytest

from priorscope.errors import InputError
from priorscope.study.load import parse_study
from priorscope.study.plan import plan

STUDY = """
name: t
data: {{name: synthetic, num_train: 60, num_test: 20}}
{recipe}
models:
  given: {{name: linear, {beside}}}
{more}
seeds: [3, 5]
"""
RECIPE = "recipe: {epochs: 4}"
TRAINED = "  own: {name: resnet_nano}"


def parsed(tmp_path, beside, *, recipe="", more=""):
    return parse_study(STUDY.format(beside=beside, recipe=recipe, more=more), base=tmp_path)


@pytest.fixture
def files(tmp_path):
    for seed in (3, 5):
        (tmp_path / f"w{seed}.pt").write_bytes(b"%d" % seed)
    return tmp_path


def by_model(study):
    return [(run.model, run.seed, run.budget) for run in plan(study)]


def test_files_are_in_the_order_of_the_seeds(files):
    listed = plan(parsed(files, "weights: [w3.pt, w5.pt]"))
    assert [run.run_id for run in listed] == [
        run.run_id for run in plan(parsed(files, 'weights: "w{seed}.pt"'))
    ]
    assert [(run.model, run.seed, run.is_given) for run in listed] == [
        ("given", 3, True),
        ("given", 5, True),
    ]
    assert len({run.weights for run in listed}) == 2


def test_one_file_is_one_network_and_has_no_budget(files):
    stability = f"{RECIPE}\nstability: {{budget: 0.5, margin: 0.1}}"
    study = parsed(files, "weights: w3.pt", recipe=stability, more=TRAINED)
    assert by_model(study) == [
        ("given", 3, 1.0),
        ("own", 3, 1.0),
        ("own", 3, 0.5),
        ("own", 5, 1.0),
        ("own", 5, 0.5),
    ]
    assert (study.num_networks("given"), study.num_networks("own")) == (1, 2)


def test_another_file_is_another_run_and_another_place_is_not(files):
    def run_id(beside="weights: w3.pt"):
        return plan(parsed(files, beside))[0].run_id

    first = run_id()
    (files / "sub").mkdir()
    (files / "w3.pt").rename(files / "sub/moved.pt")
    assert run_id("weights: sub/moved.pt") == first
    (files / "sub/moved.pt").write_bytes(b"4")  # of the same length
    assert run_id("weights: sub/moved.pt") != first
    (files / "sub/moved.pt").write_bytes(b"3")
    assert run_id("weights: sub/moved.pt") == first
    assert run_id("weights: sub/moved.pt, preprocess: {image_px: 16}") != first
    assert run_id("weights: sub/moved.pt, classes: {a: 0}") != first


def test_what_a_recipe_says_of_training_is_no_part_of_a_network_that_is_given(files):
    runs = [
        plan(parsed(files, "weights: w3.pt", recipe=f"recipe: {{{keys}}}"))[0].run_id
        for keys in ("epochs: 2", "epochs: 9, augment: [random_crop]", "precision: bf16")
    ]
    assert runs[0] == runs[1] != runs[2]


def test_initial_weights_are_part_of_the_runs_of_all_seeds(files):
    runs = [
        plan(parsed(files, beside, recipe=RECIPE))
        for beside in ("bias_key: 1", "initial_weights: w3.pt", "initial_weights: w5.pt")
    ]
    assert [len(each) for each in runs] == [2, 2, 2]
    assert len({run.run_id for each in runs for run in each}) == 6
    assert not any(run.is_given for each in runs for run in each)


def test_studies_of_before_keep_their_hashes_and_runs(tmp_path):
    """Taken from the tree before a model could have weights."""
    study = parse_study(
        "name: t\ndata: {name: synthetic, num_train: 60}\nrecipe: {epochs: 3}\n"
        "models: {a: {name: linear}}\nseeds: [1]\n",
        base=tmp_path,
    )
    assert (study.hash, plan(study)[0].run_id) == ("3c84ccec3de20fb4", "a-s1-367e7423")


def test_the_same_file_for_two_seeds_is_no_sample(files):
    (files / "w5.pt").write_bytes(b"3")
    for beside in ("weights: [w3.pt, w5.pt]", "weights: [w3.pt, w3.pt]", 'weights: "w{seed}.pt"'):
        with pytest.raises(InputError, match="the same network") as error:
            plan(parsed(files, beside))
        assert "models.given.weights" in str(error.value)
    assert len(plan(parsed(files, "initial_weights: [w3.pt, w3.pt]", recipe=RECIPE))) == 2


@pytest.mark.parametrize(
    ("beside", "where", "words"),
    [
        ("weights: [w3.pt]", "models.given.weights", "1 files"),
        ("weights: []", "models.given.weights", "value not allowed"),
        ("weights: 3", "models.given.weights", "found    3"),
        ("weights: null", "models.given.weights", "None"),
        ('weights: ""', "models.given.weights", "value not allowed"),
        ('weights: ["w{seed}.pt", b.pt]', "models.given.weights", "single path"),
        ("weights: 'hf-hub:timm/resnet18'", "models.given.weights", "hf download timm/resnet18"),
        ("weights: 'https://x.org/w.pt'", "models.given.weights", "nothing is downloaded"),
        ("weights: w3.pt, initial_weights: w3.pt", "models.given", "but not both"),
        ("initial_weights: w3.pt, classes: {a: 0}", "models.given.classes", "leave `classes` out"),
        ("initial_weights: w3.pt, preprocess: {}", "models.given.preprocess", "leave `preprocess`"),
        ("weights: w3.pt, preprocess: {imge_px: 3}", "preprocess.imge_px", "did you mean image_px"),
        ("weights: w3.pt, preprocess: {image_px: 0}", "preprocess.image_px", "found    0"),
        ("weights: w3.pt, preprocess: {crop_fraction: 1.5}", "crop_fraction", "less than or equal"),
        ("weights: w3.pt, preprocess: {std: [0, 1, 1]}", "preprocess.std.0", "greater than 0"),
        ("weights: w3.pt, preprocess: {mean: [128, 1, 1]}", "preprocess.mean.0", "less than"),
        ("weights: w3.pt, preprocess: {interpolation: cubic}", "interpolation", "'bicubic'"),
        ("weights: w3.pt, preprocess: 3", "models.given.preprocess", "found    3"),
        ("weights: w3.pt, classes: {a: -1}", "models.given.classes.a", "found    -1"),
        ("weights: w3.pt, classes: {a: 1.0}", "models.given.classes.a", "found    1.0"),
        ("weights: w3.pt, classes: {a: []}", "models.given.classes.a", "found    []"),
        ("weights: w3.pt, classes: {a: 1, b: [0, 1]}", "given.classes", "stands twice"),
        ("weights: w3.pt, classes: [a, b, a]", "models.given.classes", "stands twice"),
        ("weights: w3.pt, classes: [1, 2]", "models.given.classes", "value not allowed"),
        ("weights: w3.pt, classes: names.txt", "models.given.classes", "names.txt"),
    ],
)
def test_what_cannot_be_meant_is_refused(files, beside, where, words):
    with pytest.raises(InputError) as error:
        plan(parsed(files, beside, recipe=RECIPE))
    assert where in str(error.value)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [("none.pt", "no such file of weights"), ("folder", "a file, not a folder")],
)
def test_what_is_no_file_is_refused(files, name, words):
    (files / "folder").mkdir()
    with pytest.raises(InputError, match=words) as error:
        plan(parsed(files, f"weights: {name}"))
    assert str(files / name) in str(error.value)


def test_a_recipe_is_needed_where_anything_is_trained(files):
    with pytest.raises(InputError, match="missing key") as error:
        parsed(files, "weights: w3.pt", more=TRAINED)
    assert (error.value.where, "own has none" in str(error.value)) == ("recipe", True)
    for beside in ("initial_weights: w3.pt", "width: 3"):
        with pytest.raises(InputError, match="missing key"):
            parsed(files, beside)


def test_factors_and_interventions_are_refused_beside_networks_that_are_given(files):
    factors = f"{RECIPE}\nfactors: {{train_fraction: [0.5, 1.0]}}"
    with pytest.raises(InputError, match="the same at every level") as error:
        parsed(files, "weights: w3.pt", recipe=factors)
    assert error.value.where == "factors"
    assert len(plan(parsed(files, "initial_weights: w3.pt", recipe=factors))) == 4
    text = STUDY.format(beside="weights: w3.pt", recipe="", more="")
    with pytest.raises(InputError, match="pixels were moved"):
        parse_study(text.replace("20}", "20, intervention: permute_pixels}"), base=files)


@pytest.mark.parametrize(
    ("beside", "seeds", "pair", "words"),
    [
        ("weights: w3.pt", "[3, 5]", "[given, given]", "one network is no pair"),
        ("weights: w3.pt", "[3]", "[given, given]", "two seeds"),
        ("weights: w3.pt", "[3]", "[own, own]", "two seeds"),
        ("weights: w3.pt", "[3]", "[given, own]", None),
        ("weights: [w3.pt, w5.pt]", "[3, 5]", "[given, given]", None),
    ],
)
def test_pairs_need_two_networks_that_share_nothing(files, beside, seeds, pair, words):
    text = STUDY.format(beside=beside, recipe=RECIPE, more=TRAINED).replace("[3, 5]", seeds)
    text += "measures: {errs: {name: error_consistency}}\nhypotheses: [{id: H, statement: s, "
    text += f"measure: errs, expect: greater, contrast: {{a: {pair}, level: 0.1}}}}]\n"
    if words is None:
        assert plan(parse_study(text, base=files))
        return
    with pytest.raises(InputError, match=words):
        parse_study(text, base=files)


def test_names_of_outputs_are_read_from_a_file(files):
    (files / "names.txt").write_text("one\ntwo words\n\n")
    study = parsed(files, "weights: w3.pt, classes: names.txt")
    assert study.weights["given"].classes == ("one", "two words")

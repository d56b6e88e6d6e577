"""The rows of a profile, from scores whose shares are known."""

import numpy as np
import pytest

from priorscope.analysis.profile import control_models, family_of, profile_rows
from priorscope.bias import Bias, plain_biases
from priorscope.claims import ArmScores, Settings
from priorscope.errors import InputError
from priorscope.metrics import Chance, Scale

SHARE = Scale("top-1", 0.0, 1.0, "%", "pp", 100.0, 1)
IDS = np.arange(100)


def arm(probe, name, scores, *, metric="top1", chance=0.1):
    of = {"a": np.asarray(scores, dtype=float)}
    return ArmScores(
        probe, name, metric, IDS, None, Chance(chance, words=""), SHARE, of, {"a": (0, 1, 2)}
    )


def answers(rng, *shares):
    """Return right answers of three seeds, nested: who is right at a share is right above it."""
    drawn = rng.random((3, 100))
    return [(drawn < share).astype(float) for share in shares]


@pytest.fixture
def record():
    probe = {"drop": Bias("Dropped", "l", "h", "c")}
    return {
        "study": {"hypotheses": []},
        "biases": {
            "cues": plain_biases(probe, ""),
            "looks": plain_biases(Bias("Looks", "l", "h", "c"), ""),
        },
    }


def test_a_row_is_the_mean_share_of_what_is_above_chance(record):
    intact, most, some = answers(np.random.default_rng(0), 0.9, 0.7, 0.4)
    arms = [arm("cues", "drop_1", most), arm("cues", "drop_2.5", some)]
    arms += [arm("cues", "other", some), arm("cues", "intact", intact)]
    arms.append(arm("looks", "half", 5 + intact, metric="", chance=np.nan))
    rows = profile_rows(arms, record, Settings())
    probe, measure = rows
    expected = ((most.mean() + some.mean()) / 2 - 0.1) / (intact.mean() - 0.1)
    assert probe["estimate"] == pytest.approx(expected)
    assert measure["estimate"] == pytest.approx(5 + intact.mean())
    assert [row["bias"] for row in rows] == [0, 1] and measure["kind"] == "measure"
    assert probe["all_low"] < probe["low"] < expected < probe["high"] < probe["all_high"]
    # Of two rows together: each at 97.5 %.
    half = profile_rows(arms, record, Settings(alpha=0.025))[0]
    assert (half["low"], half["high"]) == pytest.approx((probe["all_low"], probe["all_high"]))


def test_no_share_of_a_score_at_chance(record):
    (at_chance,) = answers(np.random.default_rng(1), 0.1)
    arms = [arm("cues", "drop_1", at_chance), arm("cues", "intact", at_chance)]
    (row,) = profile_rows(arms, record, Settings())
    assert row["estimate"] is None and "not clearly above chance" in row["reason"]


@pytest.mark.parametrize(
    ("hypothesis", "declared"),
    [
        ({"probe": "cues", "contrast": {"conditions": ["intact", "drop_1"]}}, True),
        ({"probe": "cues", "contrast": {}}, True),  # the first arm
        ({"probe": "cues", "condition": "other", "contrast": {}}, False),
        ({"probe": "test", "contrast": {}}, False),
        ({"measure": "looks", "contrast": {}}, False),
    ],
)
def test_rows_that_no_hypothesis_speaks_of_are_exploratory(record, hypothesis, declared):
    intact, some = answers(np.random.default_rng(2), 0.9, 0.4)
    arms = [arm("cues", "drop_1", some), arm("cues", "other", some), arm("cues", "intact", intact)]
    record["study"]["hypotheses"] = [hypothesis]
    (row,) = profile_rows(arms, record, Settings())
    assert row["declared"] is declared


def test_a_finished_study_of_before_has_no_profile():
    assert profile_rows([arm("cues", "drop_1", np.ones((3, 100)))], {"study": {}}, Settings()) == []


def test_families_and_control_models():
    names = {"drop_2.5": "drop", "patch_shuffle_4": "patch_shuffle", "grey": "grey"}
    assert {name: family_of(name) for name in names} == names
    models = {"p": {"name": "pixel_set_mlp"}, "n": {"name": "skeleton", "mixer": "identity"}}
    models["v"] = {"name": "skeleton", "mixer": "global_attention"}
    assert control_models(models) == ["p", "n"]


@pytest.mark.parametrize("wrong", ["words", {"drop": "words"}, [Bias("", "", "", "")]])
def test_what_a_profile_says_must_be_a_bias(wrong):
    with pytest.raises(InputError, match="is a Bias"):
        plain_biases(wrong, "probes.cues")

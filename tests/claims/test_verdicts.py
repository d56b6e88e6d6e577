"""Verdicts: each rule by a case computed by hand, by SciPy or by statsmodels."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ttest_ind, ttest_rel
from statsmodels.stats.weightstats import ttost_ind

from priorscope.claims import ArmScores, Settings
from priorscope.claims.training import Training
from priorscope.claims.verdicts import decide, judge
from priorscope.metrics import Chance, share
from priorscope.stats import crossed_contrast, paired_proportions

QUICK = Settings(num_resamples=400)
DONE = Training(10, 1000, 0.97, 0.1, {}, {})
HIGH, LOW = [0.5, 0.6, 0.7], [0.1, 0.2, 0.3]  # a trained network's score, one a seed


def flat(values, num_images=40) -> np.ndarray:
    """Score every image alike, so that seeds alone vary: a textbook two-sample t test."""
    return np.repeat(np.array(values, dtype=float)[:, None], num_images, axis=1)


def make_arm(scores, *, probe="test", arm="test", chance=0.1, clusters=None, **more) -> ArmScores:
    n = next(iter(scores.values())).shape[1]
    seeds = {model: tuple(range(len(values))) for model, values in scores.items()}
    about = (probe, arm, "top1", np.arange(n), clusters, Chance(chance), share("Top-1 accuracy"))
    return ArmScores(*about, scores, seeds, examples=f"{n} examples of {probe}", **more)


def hypothesis(contrast, expect, number=1, **more):
    base = {"id": f"H{number}", "statement": "S.", "probe": "test", "metric": "top1"}
    return base | {"contrast": contrast, "expect": expect} | more


def verdicts(arms, *declared, training=None, missing=(), **record):
    seeds = arms[0].seeds
    plan = [
        {"run_id": f"{model}-s{seed}-0", "model": model, "seed": seed}
        for model, of_model in seeds.items()
        for seed in of_model
    ]
    record = {"study": {"hypotheses": list(declared)}, "plan": plan} | record
    training = training or dict.fromkeys(seeds, DONE)
    return judge(record, arms, missing, training, QUICK)


TWO = make_arm({"a": flat(HIGH), "b": flat(LOW)})


@pytest.mark.parametrize(
    ("expect", "verdict", "words"),
    [
        (
            "greater",
            "supported",
            "a scores above b, as expected: the 90 % interval lies wholly above",
        ),
        ("less", "refuted", "The opposite holds, a scores above b"),
        ("different", "supported", "a and b differ, as expected: the 95 % interval"),
    ],
)
def test_a_direction_is_a_welch_test_over_seeds(expect, verdict, words):
    (row,) = verdicts([TWO], hypothesis({"a": "a", "b": "b"}, expect))
    sides = {"different": "two-sided"}.get(expect, expect)
    expected = ttest_ind(HIGH, LOW, equal_var=False, alternative=sides)
    level = row["confidence"]
    interval = ttest_ind(HIGH, LOW, equal_var=False).confidence_interval(level)
    assert level == pytest.approx(0.95 if expect == "different" else 0.90)
    assert row["estimate"] == pytest.approx(0.4)
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert row["verdict"] == verdict
    assert words in row["reason"]
    assert (row["num_seeds"], row["n"]) == (3, 40)


def test_no_clear_direction_is_inconclusive_and_no_refutation():
    arm = make_arm({"a": flat(HIGH), "b": flat([0.45, 0.6, 0.72])})
    for expect in ("less", "greater", "different"):
        (row,) = verdicts([arm], hypothesis({"a": "a", "b": "b"}, expect))
        assert row["verdict"] == "inconclusive"
        assert "includes 0" in row["reason"]


@pytest.mark.parametrize(
    ("margin", "verdict", "words"),
    [
        (0.9, "supported", "wholly within the margin"),
        (0.1, "refuted", "lies wholly beyond it"),
        (0.45, "inconclusive", "reaches across the margin"),
    ],
)
def test_equivalence_is_two_one_sided_tests(margin, verdict, words):
    (row,) = verdicts([TWO], hypothesis({"a": "a", "b": "b"}, "equivalent", margin=margin))
    expected, *_ = ttost_ind(HIGH, LOW, -margin, margin, usevar="unequal")
    assert row["p_value"] == pytest.approx(expected)
    beyond = ttest_ind(np.array(HIGH) - margin, LOW, equal_var=False, alternative="greater")
    assert row["p_contrary"] == pytest.approx(min(1, 2 * beyond.pvalue))
    assert row["verdict"] == verdict
    assert words in row["reason"]


def test_an_insignificant_difference_is_not_equivalence():
    arm = make_arm({"a": flat(HIGH), "b": flat([0.45, 0.6, 0.72])})
    (row,) = verdicts([arm], hypothesis({"a": "a", "b": "b"}, "equivalent", margin=0.02))
    assert row["verdict"] == "inconclusive"
    assert "no evidence of equality" in row["reason"]


def test_different_is_refuted_within_its_margin_only():
    arm = make_arm({"a": flat(HIGH), "b": flat([0.5, 0.6, 0.71])})
    with_margin = hypothesis({"a": "a", "b": "b"}, "different", margin=0.5)
    without = hypothesis({"a": "a", "b": "b"}, "different")
    assert verdicts([arm], with_margin)[0]["verdict"] == "refuted"
    assert "No difference as large as the margin" in verdicts([arm], with_margin)[0]["reason"]
    assert verdicts([arm], without)[0]["verdict"] == "inconclusive"
    assert verdicts([arm], without)[0]["p_contrary"] == 1


def test_holm_spans_all_hypotheses_of_the_study():
    """By hand: t = 2.449 on 4 degrees of freedom has one-sided p = 0.0352; three times that is no
    longer below 0.05."""
    arm = make_arm({"a": flat(HIGH), "b": flat([0.3, 0.4, 0.5])})
    claims = [hypothesis({"a": "a", "b": "b"}, "greater", number) for number in (1, 2, 3)]
    alone, together = verdicts([arm], claims[0])[0], verdicts([arm], *claims)[0]
    assert alone["p_value"] == pytest.approx(0.0352, abs=5e-5)
    assert alone["verdict"] == "supported" and alone["p_adjusted"] == alone["p_value"]
    assert together["p_adjusted"] == pytest.approx(3 * alone["p_value"])
    assert together["verdict"] == "inconclusive"
    assert "not after Holm's correction for 3 hypotheses" in together["reason"]
    # What has no estimate counts as well: a hypothesis cannot leave the family by failing.
    lost = hypothesis({"a": "a", "b": "gone"}, "greater", 2)
    assert verdicts([arm], claims[0], lost)[0]["p_adjusted"] == pytest.approx(2 * alone["p_value"])


@pytest.mark.parametrize(
    ("p", "contrary", "verdict"),
    [
        (0.049, 1, "supported"),
        (0.05, 1, "inconclusive"),
        (1, 0.049, "refuted"),
        (1, 1, "inconclusive"),
    ],
)
def test_decisions(p, contrary, verdict):
    assert decide(p, contrary, 0.05) == verdict


def test_two_given_networks_are_compared_by_mcnemars_exact_test():
    """Of ten images on which one network alone is right, b wins one: P(X <= 1) = 11/1024."""
    a = np.array([[1.0] * 9 + [0.0] + [1.0] * 5 + [0.0] * 5])
    b = np.array([[0.0] * 9 + [1.0] + [1.0] * 5 + [0.0] * 5])
    (row,) = verdicts([make_arm({"a": a, "b": b})], hypothesis({"a": "a", "b": "b"}, "greater"))
    assert row["p_value"] == pytest.approx(11 / 1024)
    assert row["p_contrary"] == pytest.approx(1023 / 1024)
    assert row["verdict"] == "supported" and "exact McNemar" in row["method"]
    assert "with one seed this speaks of these trained networks" in row["reason"]


def test_scores_that_do_not_vary_show_nothing():
    """A perfect model on 60 images may still be wrong on 4.9 % of all: 0.05 ** (1 / 60)."""
    alike = make_arm({"a": np.ones((2, 60)), "b": np.ones((2, 60))})
    declared = [
        hypothesis({"a": "a", "b": "b"}, "equivalent", margin=1e-4),
        hypothesis({"a": "a", "b": "b"}, "different", 2, margin=0.02),
        hypothesis({"a": "a", "level": 0.97}, "greater", 3),
        hypothesis({"a": "a", "b": "chance"}, "less", 4),
    ]
    for row in verdicts([alike], *declared):
        assert (row["verdict"], row["p_adjusted"]) == ("inconclusive", 1)
        assert row["p_contrary_adjusted"] == 1
        assert "no estimate of precision" in row["reason"] and "0.001" not in row["reason"]


def test_given_networks_that_do_not_vary_are_judged_by_exact_tests():
    """Two of 60 right answers: within 6.1 points by Tango, above 95.1 % by the binomial."""
    alike = make_arm({"a": np.ones((1, 60)), "b": np.ones((1, 60))})
    for contrast, expect, more, verdict in (
        ({"a": "a", "b": "b"}, "equivalent", {"margin": 0.062}, "supported"),
        ({"a": "a", "b": "b"}, "equivalent", {"margin": 0.04}, "inconclusive"),
        ({"a": "a", "level": 0.95}, "greater", {}, "supported"),
        ({"a": "a", "level": 0.97}, "greater", {}, "inconclusive"),
    ):
        (row,) = verdicts([alike], hypothesis(contrast, expect, **more))
        assert row["verdict"] == verdict, (contrast, more)


def test_one_network_right_wherever_the_other_is_wrong_is_shown_by_the_exact_test():
    arm = make_arm({"a": np.ones((1, 60)), "b": np.zeros((1, 60))})
    rows = verdicts(
        [arm],
        hypothesis({"a": "a", "b": "b"}, "greater"),
        hypothesis({"a": "a", "b": "b"}, "equivalent", 2, margin=0.5),
    )
    assert rows[0]["p_value"] == pytest.approx(0.5**60)
    assert rows[0]["verdict"] == "supported" and "exact McNemar" in rows[0]["method"]
    assert rows[1]["verdict"] == "refuted"


def test_a_margin_leaves_the_claim_of_different_to_the_exact_test():
    """Of ten images on which one network alone is right, b wins one: 2 x 11/1024, two-sided."""
    a = np.array([[1.0] * 9 + [0.0] + [1.0] * 5 + [0.0] * 5])
    b = np.array([[0.0] * 9 + [1.0] + [1.0] * 5 + [0.0] * 5])
    claim = hypothesis({"a": "a", "b": "b"}, "different", margin=0.9)
    (row,) = verdicts([make_arm({"a": a, "b": b})], claim)
    assert row["p_value"] == pytest.approx(22 / 1024)
    pair = paired_proportions(a[0], b[0])
    assert row["p_contrary"] == max(pair.tail("less", 0.9), pair.tail("greater", -0.9))
    # Flips of nine clusters cannot give small p-values: Student's t over them stands instead.
    (row,) = verdicts([make_arm({"a": a, "b": b}, clusters=np.arange(20) % 9)], claim)
    assert row["method"] == "t interval over 9 clusters, these trained networks only"
    assert row["p_value"] < 1


def test_conditions_are_paired_by_scene_within_a_network():
    rng = np.random.default_rng(0)
    first, second = rng.normal(1, 1, (1, 30)), rng.normal(0.5, 1, (1, 30))
    arms = [
        make_arm({"a": first, "b": first * 0.5}, probe="test", arm="busy"),
        make_arm({"a": second, "b": second * 0.5}, probe="test", arm="grey"),
    ]
    plain = hypothesis({"a": "a", "conditions": ["busy", "grey"]}, "equivalent", margin=5)
    both = hypothesis(
        {"a": "a", "b": "b", "conditions": ["busy", "grey"]}, "equivalent", 2, margin=5
    )
    rows = verdicts(arms, plain, both)
    paired = ttest_rel(first[0], second[0]).confidence_interval(0.9)
    assert (rows[0]["low"], rows[0]["high"]) == pytest.approx((paired.low, paired.high))
    assert rows[1]["estimate"] == pytest.approx(rows[0]["estimate"] / 2)
    assert rows[0]["verdict"] == rows[1]["verdict"] == "supported"
    assert rows[0]["arms"] == ["busy", "grey"]


def test_the_one_model_with_one_seed_is_named():
    rng = np.random.default_rng(2)
    arm = make_arm({"a": rng.random((3, 30)), "b": rng.random((1, 30))})
    (row,) = verdicts([arm], hypothesis({"a": "a", "b": "b"}, "greater"))
    assert "b has one seed" in row["reason"] and "networks" not in row["reason"]


def test_chance_and_levels_are_taken_off_the_score():
    above = hypothesis({"a": "b", "b": "chance"}, "greater")
    level = hypothesis({"a": "b", "level": 0.6}, "greater", 2)
    rows = verdicts([TWO], above, level)
    assert [row["estimate"] for row in rows] == pytest.approx([0.1, -0.4])
    assert rows[1]["verdict"] == "refuted"
    assert "b scores below the stated level" in rows[1]["reason"]


def test_missing_predictions_of_a_planned_run_are_named():
    lost = "runs/b-s2-0/predictions/test.parquet"
    (row,) = verdicts([TWO], hypothesis({"a": "a", "b": "b"}, "greater"), missing=[lost])
    assert row["verdict"] == "inconclusive" and row["p_value"] < 0.05
    assert "b seed 2 (b-s2-0)" in row["reason"]
    assert lost not in row["predictions"] and "b-s2-0" not in row["runs"]
    assert row["predictions"][0] == "runs/a-s0-0/predictions/test.parquet"


def test_a_model_of_which_a_seed_learnt_nothing_leaves_its_hypotheses_open():
    training = {"a": DONE, "b": replace(DONE, not_learnt={1: 0.11})}
    declared = [
        hypothesis({"a": "a", "b": "b"}, "greater"),
        hypothesis({"a": "a", "b": "chance"}, "greater", 2),
    ]
    rows = verdicts([TWO], *declared, training=training)
    assert rows[0]["verdict"] == "inconclusive"
    assert rows[0]["reason"].startswith("b: seed 1 (11.0 %) has not learnt")
    assert rows[1]["verdict"] == "supported", "b has no part in it"


def test_the_reason_names_what_part_of_the_training_images_was_fitted():
    declared = hypothesis({"a": "a", "b": "b"}, "greater")
    poor = {name: replace(DONE, train_accuracy=fit) for name, fit in (("a", 0.83), ("b", 0.451))}
    (row,) = verdicts([TWO], declared, training=poor)
    assert row["verdict"] == "supported"
    assert "; training images fitted: a 83 %, b 45 %; at this budget" in row["reason"]
    (row,) = verdicts([TWO], declared)
    assert "fitted" not in row["reason"], "97 % of both"


def test_an_undeclared_difference_leaves_its_hypotheses_open():
    error = {"property": "preprocessing", "values": {"a": "0 .. 1", "b": "-1 .. 1"}}
    note = {"property": "macs", "values": {"a": 1, "b": 2}, "severity": "note"}
    declared = hypothesis({"a": "a", "b": "b"}, "greater")
    (row,) = verdicts([TWO], declared, fairness=[error | {"severity": "error"}, note])
    assert row["verdict"] == "inconclusive"
    assert "differ in preprocessing, which the study does not declare" in row["reason"]
    (row,) = verdicts([TWO], declared, fairness=[error | {"severity": "note"}, note])
    assert row["verdict"] == "supported"


def test_the_bootstrap_agrees_where_images_vary_most():
    rng = np.random.default_rng(1)
    a, b = (rng.random((5, 400)) < p for p in (0.6, 0.5))
    arm = make_arm({"a": a.astype(float), "b": b.astype(float)})
    (row,) = verdicts([arm], hypothesis({"a": "a", "b": "b"}, "greater"))
    width = row["high"] - row["low"]
    assert row["bootstrap_low"] == pytest.approx(row["low"], abs=0.35 * width)
    assert row["bootstrap_high"] == pytest.approx(row["high"], abs=0.35 * width)
    assert 0 < row["standard_error"] < row["detectable"]


# The interval that is shown is the one that decides.


@pytest.mark.parametrize("family", [1, 3])
@pytest.mark.parametrize("expect", ["less", "greater", "different", "equivalent"])
def test_an_interval_says_what_the_verdict_says(expect, family):
    """Over many draws: supported and refuted exactly where the interval shown says so."""
    rng, seen = np.random.default_rng(family), set()
    for number in range(8):
        shift, spread = rng.choice([-0.3, -0.1, 0, 0.1, 0.3]), rng.choice([0.02, 0.1])
        a = flat(0.5 + shift + spread * rng.normal(size=4)) + rng.normal(0, 0.05, (4, 40))
        arm = make_arm({"a": a, "b": flat(0.5 + spread * rng.normal(size=4))})
        margin = 0.15 if expect == "equivalent" or (number % 2 and expect == "different") else None
        more = {} if margin is None else {"margin": margin}
        declared = [
            hypothesis({"a": "a", "b": "b"}, expect, place, **more) for place in range(family)
        ]
        row = verdicts([arm], *declared)[0]
        seen.add(row["verdict"])
        low, high = row["low"], row["high"]
        inside = margin is not None and -margin < low and high < margin
        beyond = margin is not None and (low > margin or high < -margin)
        claimed = {
            "less": high < 0, "greater": low > 0, "different": low > 0 or high < 0,
            "equivalent": inside,
        }[expect]  # fmt: skip
        contrary = {
            "less": low > 0, "greater": high < 0, "different": inside, "equivalent": beyond
        }[expect]  # fmt: skip
        if expect == "different" and row["verdict"] != "refuted":
            contrary = False  # by the other interval, of its own confidence
        assert (row["verdict"] == "supported") == (claimed and row["verdict"] != "refuted")
        assert (row["verdict"] == "refuted") == (contrary and row["verdict"] != "supported")
    assert len(seen) >= 2


def test_both_intervals_are_named():
    arm = make_arm({"a": flat(HIGH), "b": flat(LOW)})
    claims = [hypothesis({"a": "a", "b": "b"}, "greater", number) for number in (1, 2, 3)]
    row = verdicts([arm], *claims)[0]
    assert row["confidence"] == pytest.approx(1 - 2 * 0.05 / 3)
    assert row["unadjusted"]["confidence"] == pytest.approx(0.9)
    alone = ttest_ind(HIGH, LOW, equal_var=False).confidence_interval(0.9)
    assert row["unadjusted"]["low"] == pytest.approx(alone.low)
    assert row["low"] < row["unadjusted"]["low"]


def test_a_refuted_equivalence_has_the_95_percent_that_it_needs():
    """Two tests beyond the margin at 2.5 % each: the 90 % interval would be too short."""
    (row,) = verdicts([TWO], hypothesis({"a": "a", "b": "b"}, "equivalent", margin=0.1))
    assert (row["verdict"], row["confidence"]) == ("refuted", 0.95)
    assert row["low"] > 0.1


# Few seeds, and seeds that fall apart.


def humps(rng, accuracies, num_images=500):
    return (rng.random(num_images) < np.asarray(accuracies)[:, None]).astype(float)


def test_every_seed_is_shown_and_the_outlying_one_is_named():
    rng = np.random.default_rng(0)
    arm = make_arm({"a": humps(rng, [0.9, 0.3, 0.91]), "b": humps(rng, [0.5, 0.51, 0.5])})
    (row,) = verdicts([arm], hypothesis({"a": "a", "b": "b"}, "greater"))
    assert list(row["seed_scores"]) == ["a", "b"]
    assert row["seed_scores"]["a"]["1"] == pytest.approx(arm.scores["a"][1].mean())
    assert row["split"] == {"a": [1]} and row["few_seeds"]
    assert "seed 1 of a stands apart" in row["reason"]
    # What the effect would be with that seed alone.
    assert min(row["seed_effects"]) == pytest.approx(
        arm.scores["a"][1].mean() - arm.scores["b"].mean()
    )


def test_few_seeds_carry_no_small_p_value():
    (row,) = verdicts([TWO], hypothesis({"a": "a", "b": "b"}, "greater"))
    assert row["p_value"] < 0.01, "decisions use the p that was computed"
    assert row["few_seeds"] and "adjusted p < 0.01" in row["reason"]
    many = make_arm({"a": flat([*HIGH, 0.6, 0.6]), "b": flat([*LOW, 0.2, 0.2])})
    (row,) = verdicts([many], hypothesis({"a": "a", "b": "b"}, "greater"))
    assert not row["few_seeds"] and "p < 0.001" in row["reason"]


# The budget.

STABLE = {"budget": 0.5, "margin": 0.05}


@pytest.mark.parametrize(
    ("at_half", "status"),
    [(LOW, "budget-stable"), ([-0.1, 0.0, 0.1], "changes with the budget"), (None, "not known")],
)
def test_a_verdict_says_whether_its_claim_is_the_same_at_half_the_budget(at_half, status):
    rng = np.random.default_rng(0)
    arms = [make_arm({"a": flat(HIGH), "b": flat(LOW)})]
    if at_half is not None:  # `a` is as much worse there as `b` is
        a = flat([score + 0.4 for score in at_half]) + 0.01 * rng.normal(size=(3, 40))
        b = flat(LOW if status == "budget-stable" else [0.5, 0.5, 0.5])
        arms.append(make_arm({"a": a, "b": b}, budget=0.5))
    declared = hypothesis({"a": "a", "b": "b"}, "greater")
    more = STABLE if status != "budget-stable" else STABLE | {"margin": 0.5}
    record = {"study": {"hypotheses": [declared], "stability": more}}
    (row,) = verdicts(arms, declared, **record)
    assert row["verdict"] == "supported", "never turned into inconclusive by it"
    assert row["stability"]["status"] == status and status in row["reason"]
    if at_half is not None:
        groups = [arms[0].scores["a"], -arms[0].scores["b"]]
        groups += [-arms[1].scores["a"], arms[1].scores["b"]]
        expected = crossed_contrast(groups)
        assert row["stability"]["estimate"] == pytest.approx(expected.estimate)
        assert row["stability"]["low"] == pytest.approx(expected.low)


def test_every_verdict_says_what_budget_it_is_about():
    (row,) = verdicts([TWO], hypothesis({"a": "a", "b": "b"}, "greater"))
    assert row["reason"].endswith("; at this budget (10 epochs of 1,000 training images).")
    assert row["stability"] is None


def test_of_two_seeds_neither_is_the_outlying_one():
    rng = np.random.default_rng(0)
    arm = make_arm({"a": humps(rng, [0.9, 0.3]), "b": humps(rng, [0.5, 0.51])})
    (row,) = verdicts([arm], hypothesis({"a": "a", "b": "b"}, "greater"))
    assert "the two seeds of a lie apart: " in row["reason"] and "stands apart" not in row["reason"]


def test_a_warning_of_a_model_stands_at_its_verdicts():
    declared = hypothesis({"a": "a", "b": "b"}, "greater")
    record = {"study": {"hypotheses": [declared]}, "plan": []}
    warnings = {"b": ["answers depend on the batch"], "c": ["something else"]}
    (row,) = judge(record, [TWO], (), {}, QUICK, warnings=warnings, data_warnings=["copies"])
    assert "warning on b: answers depend on the batch" in row["reason"]
    assert row["reason"].endswith("; warning on the data: copies.")
    assert "something else" not in row["reason"]

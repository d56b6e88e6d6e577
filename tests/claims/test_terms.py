"""A claim's scores are its terms written out, whatever the contrast."""

from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from priorscope.claims import ArmScores, claim_of, claim_scores
from priorscope.claims.terms import sides_of
from priorscope.metrics import Chance, Scale, share
from priorscope.study.spec import Hypothesis

MODELS, ARMS, LEVELS = ("x", "y"), ("shown", "control"), ("near", "far")


def make_arms(rng, *, other_scenes=False):
    """Draw scores of two models on two arms at two levels of a factor."""
    arms = []
    for level, arm in product(LEVELS, ARMS):
        n = 12 if level == "far" and other_scenes else 10
        constant = rng.random(n)
        arms.append(
            ArmScores(
                probe="p",
                arm=arm,
                metric="top1",
                ids=np.arange(n),
                clusters=None,
                chance=Chance(float(constant.mean()), scores=constant),
                scale=share("S"),
                scores={model: rng.random((2 + (model == "y"), n)) for model in MODELS},
                seeds={"x": (0, 1), "y": (0, 1, 2)},
                levels=(("task", level),),
                examples=f"{n} scenes",
            )
        )
    return arms


@st.composite
def contrasts(draw):
    """Draw any contrast that a study may declare, with the levels that it then needs."""
    kind = draw(st.sampled_from(["models", "chance", "level", "conditions", "between", "mixed"]))
    a, b = draw(st.permutations(MODELS))
    contrast, at = {"a": a}, {"task": draw(st.sampled_from(LEVELS))}
    if kind in ("models", "mixed"):
        contrast["b"] = b
    if kind == "chance":
        contrast["b"] = "chance"
    if kind == "level":
        contrast["level"] = draw(st.floats(0, 1))
    if kind == "conditions" or (kind == "mixed" and draw(st.booleans())):
        contrast["conditions"] = draw(st.permutations(ARMS))
    elif kind in ("between", "mixed"):
        contrast["between"], at = {"task": draw(st.permutations(LEVELS))}, {}
    return contrast, at


@settings(max_examples=150, deadline=None)
@given(contrasts(), st.booleans(), st.integers(0, 2**16))
def test_the_scores_of_a_claim_are_the_sum_written_out(drawn, other_scenes, seed):
    contrast, at = drawn
    arms = make_arms(np.random.default_rng(seed), other_scenes=other_scenes)
    by_name = {(dict(arm.levels)["task"], arm.arm): arm for arm in arms}
    hypothesis = Hypothesis(
        id="H", statement="S.", contrast=contrast, probe="p", metric="top1", expect="greater",
        at=at or None,
    )  # fmt: skip
    models = [(1, contrast["a"])]
    if contrast.get("b") not in (None, "chance"):
        models.append((-1, contrast["b"]))
    shown = contrast.get("conditions") or ["shown"]
    levels = (contrast.get("between") or {}).get("task") or [at["task"]]
    expected = 0.0
    for (sign, model), (i, arm), (j, level) in product(models, enumerate(shown), enumerate(levels)):
        expected += sign * (-1) ** (i + j) * by_name[level, arm].scores[model].mean()
    if contrast.get("b") == "chance":
        expected -= by_name[levels[0], shown[0]].chance.scores.mean()
    expected -= contrast.get("level", 0.0)
    found = claim_scores(claim_of(hypothesis), arms)
    total = sum(float(group.mean()) for part in found.parts for group in part.signed())
    assert total == pytest.approx(expected)
    assert len(found.parts) == (2 if other_scenes and "between" in contrast else 1)
    assert np.mean(found.seed_effects()) == pytest.approx(expected), "deviations cancel"
    for name, scores in found.seed_scores().items():
        model = name.partition(" ")[0]
        assert len(scores) == (3 if model == "y" else 2)


def make_measures(rng):
    """Draw what three models were measured to be, alone and in pairs, at two levels of a factor."""
    arms, models, n = [], ("x", "y", "z"), 11
    for level, arm in product(LEVELS, ARMS):
        about = {"arm": arm, "metric": "", "ids": np.arange(n), "clusters": None}
        about |= {"chance": Chance(np.nan), "scale": Scale("K", -1.0, 1.0)}
        about |= {"seeds": dict.fromkeys(models, (0, 1, 2)), "levels": (("task", level),)}
        scores = {model: rng.random((3, n)) for model in models}
        arms.append(ArmScores(probe="looks", scores=scores, **about))
        pairs = {}
        for a, b in combinations_with_replacement(models, 2):
            keep = np.triu(np.ones((3, 3)), 1) if a == b else 1 - np.eye(3)
            pairs[a, b] = np.where(keep[:, :, None] == 1, rng.random((3, 3, n)), np.nan)
        arms.append(ArmScores(probe="errors", scores={}, pairs=pairs, **about))
    return arms


@st.composite
def sides(draw, *, pairs):
    """Draw what may stand on one side of a contrast, with its value of each arm by hand."""
    if pairs:
        pair = draw(st.lists(st.sampled_from("xyz"), min_size=2, max_size=2))
        return pair, lambda arm: np.nanmean(
            arm.pairs.get(tuple(pair), arm.pairs.get(tuple(pair[::-1])))
        )
    models = draw(st.lists(st.sampled_from("xyz"), min_size=1, max_size=3, unique=True))
    if len(models) == 1:
        return models[0], lambda arm: arm.scores[models[0]].mean()
    parts = [draw(st.floats(0.1, 1)) for _ in models]
    weights = {model: part / sum(parts) for model, part in zip(models, parts, strict=True)}
    return weights, lambda arm: sum(w * arm.scores[m].mean() for m, w in weights.items())


@settings(max_examples=150, deadline=None)
@given(st.data(), st.booleans(), st.sampled_from(["b", "level", "conditions", "between"]))
def test_weights_and_pairs_are_the_sum_written_out(data, pairs, kind):
    by_name = {}
    arms = make_measures(np.random.default_rng(data.draw(st.integers(0, 2**16))))
    name = "errors" if pairs else "looks"
    for arm in arms:
        by_name[arm.probe, dict(arm.levels)["task"], arm.arm] = arm
    (a, of_a), at = data.draw(sides(pairs=pairs)), {"task": "near"}
    contrast, first = {"a": a}, by_name[name, "near", "shown"]
    if kind == "level":
        contrast["level"] = 0.3
        expected = of_a(first) - 0.3
    else:
        b, of_b = data.draw(sides(pairs=pairs))
        contrast["b"] = b
        expected = of_a(first) - of_b(first)
    if kind == "conditions":
        contrast["conditions"] = ARMS
        other = by_name[name, "near", "control"]
        expected -= of_a(other) - of_b(other)
    if kind == "between":
        contrast["between"], at = {"task": LEVELS}, {}
        other = by_name[name, "far", "shown"]
        expected -= of_a(other) - of_b(other)
    declared = Hypothesis(
        id="H", statement="S.", contrast=contrast, measure=name, expect="greater", at=at or None
    )
    claim = claim_of(declared)
    if not claim.terms:  # both sides are the same, which a study is refused for
        assert expected == pytest.approx(0)
        return
    found = claim_scores(claim, arms)
    assert sum(part.signed()[0].mean() + sum(g.mean() for g in part.signed()[1:])
               for part in found.parts) == pytest.approx(expected)  # fmt: skip
    assert np.mean(found.seed_effects()) == pytest.approx(expected)
    names = {m for t in claim.terms for m in t.models}
    assert {name.partition(" ")[0] for name in found.seed_scores()} == names


def test_the_range_follows_from_terms_and_scale():
    def range_of(contrast, scale):
        declared = Hypothesis(
            id="H", statement="S.", contrast=contrast, probe="p", metric="top1", expect="less"
        )
        return claim_of(declared).range(scale, chance=0.1)

    whole, open_ended = Scale("S", -1.0, 1.0), Scale("S", 0.0, None)
    assert range_of({"a": "x", "b": "y"}, share("S")) == (-1, 1)
    assert range_of({"a": "x", "b": "y"}, whole) == (-2, 2)
    assert range_of({"a": "x", "b": "y", "conditions": ["c", "d"]}, share("S")) == (-2, 2)
    assert range_of({"a": "x", "level": 0.6}, share("S")) == pytest.approx((-0.6, 0.4))
    assert range_of({"a": "x", "b": "chance"}, share("S")) == pytest.approx((-0.1, 0.9))
    assert range_of({"a": "x", "b": "y"}, open_ended) == (-np.inf, np.inf)
    assert range_of({"a": "x", "level": 2.0}, open_ended) == (-2, np.inf)


def test_a_model_without_predictions_leaves_no_scores():
    declared = Hypothesis(
        id="H", statement="S.", contrast={"a": "x", "b": "gone"}, probe="p", metric="top1",
        expect="less", at={"task": "near"},
    )  # fmt: skip
    assert claim_scores(claim_of(declared), make_arms(np.random.default_rng(0))) is None


def test_the_sides_of_a_three_way_difference_are_named():
    contrast = {"a": "x", "b": "y", "conditions": ["hard", "easy"], "between": {"f": ["p", "q"]}}
    assert sides_of(contrast).within == ("(hard minus easy) at f p", "(hard minus easy) at f q")

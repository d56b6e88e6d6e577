"""What a plan could show: closed forms, and what a pilot changes."""

import json

import numpy as np
import pytest
from scipy.stats import norm

from priorscope.claims import ArmScores, claim_of
from priorscope.metrics import Chance, share
from priorscope.preflight.power import SEED_SD, plan_power, stated_components
from priorscope.probes import ProbeSet
from priorscope.stats import detection_power, equivalence_power
from priorscope.study.load import parse_study
from priorscope.study.spec import Hypothesis
from priorscope.study.yaml_text import read_yaml

N = 10_000
BASE = {"id": "H", "statement": "S.", "probe": "test", "metric": "top1", "expect": "greater"}
TWO = {"a": "cnn", "b": "vit"}


def study_of(tiny, tmp_path, seeds, *hypotheses):
    content = read_yaml(tiny) | {"seeds": seeds}
    content["hypotheses"] = [BASE | {"id": f"H{i}"} | each for i, each in enumerate(hypotheses)]
    return parse_study(json.dumps(content), base=tmp_path)


def probes(n=N, clusters=None):
    images = np.zeros((n, 2, 2, 3), dtype=np.uint8)
    arm = {"arm": np.full(n, "test")}
    names = tuple("abcdefghij")
    made = ProbeSet(images, np.arange(n) % 10, np.arange(n), arm, names, clusters)
    return {"test": made}


def test_one_seed_is_the_textbook_formula(tiny, tmp_path):
    """Two networks: half of 0.25 shared by half, and half of 0.25 each: variance 0.375 an image."""
    (plan,) = plan_power(study_of(tiny, tmp_path, [0], {"contrast": TWO}), probes())
    expected = (norm.isf(0.05) + norm.isf(0.2)) * np.sqrt(0.375 / N)
    assert plan.detectable[0] == pytest.approx(expected, rel=0.001)
    assert (plan.num_seeds, plan.num_images, plan.source) == ((1, 1), N, "stated variances")
    assert plan.seeds is plan.images is None, "no margin was declared"


def test_holm_and_sides_make_tests_harder(tiny, tmp_path):
    one = {"contrast": TWO}
    both = {"contrast": TWO, "expect": "different"}
    plans = plan_power(study_of(tiny, tmp_path, [0], one, both), probes())
    for plan, alpha in zip(plans, (0.025, 0.0125), strict=True):
        expected = (norm.isf(alpha) + norm.isf(0.2)) * np.sqrt(0.375 / N)
        assert plan.detectable[0] == pytest.approx(expected, rel=0.001)


def test_what_the_margin_needs_is_enough_and_hardly_more(tiny, tmp_path):
    declared = {"contrast": TWO, "expect": "equivalent", "margin": 0.012}
    study = study_of(tiny, tmp_path, [0, 1], declared)
    (plan,) = plan_power(study, probes())
    assert plan.detectable[0] > 0.012 and plan.seeds and plan.images is None, "seeds vary too much"
    components = stated_components(claim_of(study.hypotheses[0]), 1, 1.0)
    assert equivalence_power(0.012, components, [plan.seeds] * 2, N) >= 0.8
    assert equivalence_power(0.012, components, [plan.seeds - 1] * 2, N) < 0.8


def test_where_neither_alone_is_enough_both_are_named(tiny, tmp_path):
    declared = {"contrast": TWO, "expect": "equivalent", "margin": 0.008}
    study = study_of(tiny, tmp_path, [0, 1], declared)
    (plan,) = plan_power(study, probes(200))
    assert plan.seeds is plan.images is None and plan.together is not None
    seeds, images = plan.together
    components = stated_components(claim_of(study.hypotheses[0]), 1, 1.0)
    assert equivalence_power(0.008, components, [seeds] * 2, images) >= 0.8
    assert equivalence_power(0.008, components, [seeds] * 2, images - 100) < 0.8


@pytest.mark.parametrize(
    ("contrast", "groups", "seed", "image", "residual"),
    [
        ({"a": "cnn", "b": "chance"}, 1, 1, 0.125, 0.125),
        ({"a": "cnn", "b": "vit"}, 2, 1, 0.125, 0.125),
        ({"a": "cnn", "conditions": ["x", "y"]}, 1, 2, 0.125, 0.25),
        ({"a": "cnn", "b": "vit", "conditions": ["x", "y"]}, 2, 2, 0.25, 0.25),
    ],
)
def test_stated_variances_follow_the_contrast(contrast, groups, seed, image, residual):
    claim = claim_of(Hypothesis(**(BASE | {"contrast": contrast})))
    stated = stated_components(claim, 1, 1.0)
    assert stated.seed == pytest.approx((seed * SEED_SD**2,) * groups)
    assert stated.image == pytest.approx(image)
    assert stated.residual == pytest.approx((residual,) * groups)


def test_scenes_of_a_cluster_count_for_less(tiny, tmp_path):
    study = study_of(tiny, tmp_path, [0], {"contrast": TWO})
    clusters = np.array([f"picture {i % 20}" for i in range(2000)])
    (alone,) = plan_power(study, probes(2000))
    (clustered,) = plan_power(study, probes(2000, clusters))
    assert (clustered.num_images, clustered.num_units) == (2000, 20)
    # 1 + 99 x 0.02: the design effect of 100 scenes a picture, and 19 degrees of freedom
    assert clustered.detectable[0] / alone.detectable[0] == pytest.approx(np.sqrt(2.98), rel=0.06)


def test_a_pilot_brings_its_own_variances(tiny, tmp_path):
    rng = np.random.default_rng(0)
    scores = {"cnn": rng.normal(0, 0.1, (4, 500)), "vit": rng.normal(0, 0.1, (4, 500))}
    seeds = dict.fromkeys(scores, (0, 1, 2, 3))
    about = ("test", "test", "top1", np.arange(500), None, Chance(0.1), share("Top-1"))
    arm = ArmScores(*about, scores, seeds)
    study = study_of(tiny, tmp_path, [0], {"contrast": TWO})
    (plan,) = plan_power(study, probes(), [arm])
    assert plan.source == "variances of the pilot"
    # Noise of 0.1 that is neither the seed's nor the image's: variance 0.02 an image.
    expected = (norm.isf(0.05) + norm.isf(0.2)) * np.sqrt(0.02 / N)
    assert plan.detectable[0] == pytest.approx(expected, rel=0.15)
    assert 1 < plan.detectable[1] / plan.detectable[0] < 1.04, "one seed is planned: images alone"
    (plan,) = plan_power(study_of(tiny, tmp_path, [0, 1], {"contrast": TWO}), probes(), [arm])
    assert plan.detectable[1] > 1.05 * plan.detectable[0], "four seeds leave room for more"
    single = {model: of_model[:1] for model, of_model in scores.items()}
    lone = ArmScores(*about, single, dict.fromkeys(scores, (0,)))
    several = study_of(tiny, tmp_path, [0, 1, 2], {"contrast": TWO})
    (plan,) = plan_power(several, probes(), [lone])
    assert plan.source == "variances of the pilot, between seeds stated"
    components = stated_components(claim_of(several.hypotheses[0]), 1, 1.0)
    assert plan.detectable[0] > np.sqrt(2 * components.seed[0] / 3)
    other = study_of(tiny, tmp_path, [0], {"contrast": TWO, "probe": "combined", "metric": "top1"})
    made = probes()
    (plan,) = plan_power(other, {"combined": made["test"]}, [arm])
    assert plan.source == "stated variances", "the pilot has no such probe"


def test_detection_power_at_the_detectable_effect_is_80_percent(tiny, tmp_path):
    study = study_of(tiny, tmp_path, [0, 1, 2], {"contrast": {"a": "cnn", "b": "chance"}})
    (plan,) = plan_power(study, probes())
    components = stated_components(claim_of(study.hypotheses[0]), 1, 1.0)
    found = detection_power(plan.detectable[0], components, [3], N, alpha=0.05, sides=1)
    assert found == pytest.approx(0.8, abs=1e-4)

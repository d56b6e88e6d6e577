"""The adversary's simulation: its truths are true, its judge can fail, and it runs to its end."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binom


@pytest.fixture
def benchmark(monkeypatch):
    """Import the benchmark's modules, and return them with what runs it."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    before = set(sys.modules)
    import adversary

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["adversary.py", "--jobs", "1", *arguments])
        return adversary.main()

    yield run
    for name in set(sys.modules) - before:
        if name.startswith("adversary"):
            del sys.modules[name]


def test_a_few_rows_hold_at_a_glance(benchmark, capsys):
    only = (
        "near-normal seeds, 0/1 scores: seeds 3.3, between 1, .* images 200, |"
        "one network each, 0/1 .* images 200, .* mean 0.9,|"
        "two-humped .* seeds 3, images 200|"
        "equivalence .* seeds 3.3, between 1|"
        "equal clean accuracy: seeds 1.1, epochs 15, clusters no, scenes of others, curve gentle|"
        "zero crossing: effect (none|line to 0.12), levels 5, seeds 3|"
        "data multiplier: curve power law, sizes apart 8, .* multiplier 2, seeds 3"
    )
    assert benchmark("--studies", "40", "--only", only) == 0
    printed = capsys.readouterr().out
    assert printed.count("## ") == 8
    assert " rows fail" in printed.splitlines()[-1]


def test_the_same_seed_gives_the_same_numbers_whatever_else_is_simulated(benchmark, capsys):
    def numbers(*arguments):
        benchmark("--studies", "20", *arguments)
        lines = capsys.readouterr().out.splitlines()
        return {line for line in lines if line.startswith("| line to 0.06 | 5 | 1+1 | 0.4 ")}

    few = numbers("--only", "line to 0.06, levels 5, seeds 1")
    assert len(few) == 1
    assert numbers("--only", "line to 0.06, levels [35]") == few
    assert numbers("--only", "line to 0.06, levels 5", "--seed", "1") != few


def test_a_pattern_that_no_row_has_is_refused(benchmark):
    with pytest.raises(SystemExit, match="2"):
        benchmark("--only", "no such row")


@pytest.mark.parametrize(
    ("rate", "bound", "expected"),
    [
        (0.06, (0, 0.06), False),
        (0.09, (0, 0.06), True),
        (0.90, (0.93, 0.98), True),
        (0.995, (0.93, 0.98), True),
        (0.955, (0.93, 0.98), False),
        (1.0, (0.8, 1), False),
    ],
)
def test_a_row_fails_where_its_rate_is_clearly_out_of_bounds(benchmark, rate, bound, expected):
    from adversary_rows import fails

    assert fails(rate * 2000, 2000, bound) is expected


def test_a_row_within_its_bounds_fails_in_one_of_a_hundred_simulations(benchmark):
    from adversary_rows import fails

    counts = np.arange(2001)
    chances = binom.pmf(counts, 2000, 0.06)
    wrong = sum(p for x, p in zip(counts, chances, strict=True) if fails(x, 2000, (0, 0.06)))
    assert 0.005 < wrong <= 0.01


def test_a_rate_that_must_be_0_fails_at_the_first_study(benchmark):
    from adversary_rows import fails

    assert fails(1, 2000, (0, 0))
    assert not fails(0, 2000, (0, 0))


def test_an_interval_that_is_too_short_is_found_out(benchmark, capsys, monkeypatch):
    import adversary_contrasts

    from priorscope.stats import CrossedContrast

    def fixed(self, confidence):
        return self.estimate - 0.01, self.estimate + 0.01

    monkeypatch.setattr(CrossedContrast, "interval", fixed)
    monkeypatch.setattr(
        adversary_contrasts,
        "judged",
        lambda contrast, truth: (
            {"coverage": abs(contrast.estimate - truth) < 0.01}
            | {"type I at 0.05": contrast.p_value <= 0.05, "at 0.01": contrast.p_value <= 0.01}
        ),
    )
    only = (
        "near-normal seeds, 0/1 scores: seeds 3.3, between 4, .* images 200, clusters no, mean 0.5"
    )
    assert benchmark("--studies", "40", "--only", only) == 1
    assert "!" in capsys.readouterr().out


@pytest.mark.parametrize("num_clusters", [0, 200])
@pytest.mark.parametrize("large_are_hard", [False, True])
@pytest.mark.parametrize("metric", ["right", "found", "loss"])
def test_true_scores_are_those_of_many_images(benchmark, metric, large_are_hard, num_clusters):
    from adversary_networks import World, answers, true_score

    # Of many clusters: the mean over few whose size goes with their difficulty is biased.
    world = World(500, num_clusters, metric, large_are_hard=large_are_hard)
    rng = np.random.default_rng(0)
    means = [answers(world, [np.array([0.7])], rng).scores[0].mean() for _ in range(400)]
    error = np.std(means) / 20
    assert abs(np.mean(means) - true_score(world, 0.7)) < 3.5 * error


def test_true_scores_are_those_of_plain_sums(benchmark):
    from adversary_networks import World, true_score

    rng, n = np.random.default_rng(0), 2_000_000
    logits = 0.7 - 1.5 * (rng.gamma(2, size=n) - 2) / 2**0.5 + 0.8 * rng.normal(size=(2, n)).sum(0)
    chances = expit(logits)
    assert abs(chances.mean() - true_score(World(1), 0.7)) < 4 * chances.std() / n**0.5


@pytest.mark.parametrize("law", ["normal", "t3"])
def test_seeds_have_the_mean_and_the_spread_that_a_row_asks_for(benchmark, law):
    from adversary_networks import World, model_of, moments, true_score

    world = World(100)
    model = model_of(world, 0.8, 0.05, law)
    scores = true_score(world, model.draw(100_000, np.random.default_rng(0)))
    assert scores.mean() == pytest.approx(0.8, abs=1e-3)
    assert scores.std() == pytest.approx(0.05, rel=0.03)
    assert moments(world, model).skewness == pytest.approx(
        ((scores - scores.mean()) ** 3).mean() / scores.std() ** 3, rel=0.1
    )


def test_seeds_that_are_called_near_normal_are_little_skewed(benchmark):
    from adversary_contrasts import NEAR_NORMAL, pairs, skewness

    few = [case for case in pairs(near_normal=True) if case.world.num_images <= 1000]
    assert few
    assert all(skewness(case) < NEAR_NORMAL for case in few if case.num_seeds == (3, 3))


def test_models_meet_at_equal_clean_accuracy_where_they_should(benchmark):
    from adversary_matched import CLEAN, Case, probe_ability
    from adversary_networks import true_score

    case, ability = Case(1, 15, 20, 0.05), np.linspace(-1, 2, 7)
    alike, behind = (probe_ability(case, ability, cost) for cost in (0.0, 0.05))
    difference = true_score(case.probe, alike) - true_score(case.probe, behind)
    assert difference == pytest.approx(0.05, abs=1e-4)
    assert true_score(CLEAN, ability)[0] < 0.4 < 0.7 < true_score(CLEAN, ability)[-1]


def test_the_second_model_needs_as_many_times_more_data_as_is_said(benchmark):
    from adversary_multipliers import CURVES

    for curve in CURVES:
        scores = [curve.at(size) for size in (1, 2, 4, 8, 64, 512)]
        assert scores == sorted(scores)
        assert 0.1 < curve.at(1 / 3) < scores[-1] < 0.95

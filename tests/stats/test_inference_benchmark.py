import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "inference.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("inference_benchmark", PATH)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


def test_holds_its_level_in_simulated_studies(benchmark):
    for design in benchmark.QUICK:
        (rates,) = benchmark.measure(design, benchmark.QUICK_STUDIES, np.random.default_rng(1))
        # Bounds are 3 Monte Carlo errors wide. With three seeds at ratio 6, images alone cover
        # 26 % and z in place of t 86 %.
        assert 0.91 <= rates.cover <= 0.995, design
        assert rates.reject <= 0.09, design
        assert rates.equiv <= 0.09, design


def test_would_show_a_method_that_fails(benchmark):
    design = benchmark.Design("A - B", (3, 3), 200, 6, bootstrap=True)
    _, bootstrap = benchmark.measure(design, 100, np.random.default_rng(0))
    assert bootstrap.cover < 0.9 and bootstrap.reject > 0.08


@pytest.mark.parametrize("what", ["A - B", "A - chance", "conditions", "difference of differences"])
def test_the_truth_is_what_many_simulated_studies_average(benchmark, what):
    groups = 1 if what in ("A - chance", "conditions") else 2
    design = benchmark.Design(what, (2,) * groups, 2000, 1, objects=2, num_clusters=20)
    studies = benchmark.simulate(design, 0.1, 0.3, 150, np.random.default_rng(0))
    means = [sum(group.mean() for group in scores) for scores, _ in studies]
    error = np.std(means) / np.sqrt(len(means))
    assert np.mean(means) == pytest.approx(benchmark.truth(design, 0.1), abs=3.5 * error)


def test_seeds_vary_as_much_as_the_row_says(benchmark):
    design = benchmark.Design("A - B", (2, 2), 500, 4.0)
    rng = np.random.default_rng(0)
    sd = benchmark.seed_sd_of(design, rng)
    without = benchmark.simulate(design, 0.1, 0.0, 300, rng)
    image_se = np.std([sum(group.mean() for group in groups) for groups, _ in without])
    many = replace(design, num_seeds=(200, 1), num_images=4000)
    (groups, _) = next(benchmark.simulate(many, 0.1, sd, 1, rng))
    assert groups[0].mean(axis=1).std(ddof=1) == pytest.approx(4 * image_se, rel=0.2)

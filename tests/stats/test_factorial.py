"""Analysis of variance against statsmodels, and against numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from priorscope.stats import balanced_anova


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 5), (3, 2, 2, 3)])
def test_sums_of_squares_f_and_p_are_those_of_statsmodels(shape):
    rng = np.random.default_rng(len(shape))
    values = rng.normal(size=shape) + rng.normal(size=(shape[0], *[1] * (len(shape) - 1)))
    names = ["model", "task", "size"][: len(shape) - 1]
    index = np.indices(shape).reshape(len(shape), -1)
    table = pd.DataFrame({name: index[i] for i, name in enumerate(names)} | {"y": values.ravel()})
    formula = "y ~ " + " * ".join(f"C({name})" for name in names)
    expected = anova_lm(ols(formula, table).fit(), typ=2)
    found = balanced_anova(values, names)
    for term in found[:-1]:
        row = expected.loc[":".join(f"C({name})" for name in term.factors)]
        assert term.df == row["df"]
        np.testing.assert_allclose(
            [term.sum_sq, term.f, term.p_value], row[["sum_sq", "F", "PR(>F)"]], rtol=1e-8
        )
        total = expected["sum_sq"].sum()
        mean_noise = expected.loc["Residual", "sum_sq"] / expected.loc["Residual", "df"]
        omega = (row["sum_sq"] - row["df"] * mean_noise) / (total + mean_noise)
        assert term.share_adjusted == pytest.approx(omega)
    seeds = found[-1]
    assert (seeds.factors, seeds.df) == ((), expected.loc["Residual", "df"])
    assert seeds.sum_sq == pytest.approx(expected.loc["Residual", "sum_sq"])
    assert sum(term.share for term in found) == pytest.approx(1)
    assert sum(term.share_adjusted for term in found) == pytest.approx(1)


def test_a_pure_crossover_is_all_interaction():
    """Local 1 and 0, global 0 and 1: no main effect at all, and no noise."""
    model, task, both, seed = balanced_anova(np.array([[[1.0, 1], [0, 0]], [[0, 0], [1, 1]]]), "ab")
    assert (model.sum_sq, task.sum_sq, seed.sum_sq) == (0, 0, 0)
    assert (both.sum_sq, both.share) == (2, 1)
    assert both.p_value == 0


def test_one_seed_has_shares_but_no_tests():
    terms = balanced_anova(np.random.default_rng(0).normal(size=(3, 2, 1)), ["model", "task"])
    assert sum(term.share for term in terms) == pytest.approx(1)
    assert terms[-1].share == 0
    assert all(np.isnan(term.p_value) and np.isnan(term.share_adjusted) for term in terms)


def test_noise_alone_has_an_adjusted_share_of_zero_on_average():
    rng = np.random.default_rng(0)
    found = [balanced_anova(rng.normal(size=(3, 4, 3)), "ab") for _ in range(500)]
    raw, adjusted = (
        np.array([[getattr(term, name) for term in terms[:-1]] for terms in found])
        for name in ("share", "share_adjusted")
    )
    assert raw.mean(axis=0).min() > 0.05, "which is why the raw share is not enough"
    error = adjusted.std(axis=0) / np.sqrt(500)
    assert (np.abs(adjusted.mean(axis=0)) < 4 * error).all()
    rejected = np.mean([[term.p_value < 0.05 for term in terms[:-1]] for terms in found])
    assert abs(rejected - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 1500)


@pytest.mark.parametrize(
    ("shape", "names"), [((3, 2), "ab"), ((1, 2), "a"), ((2, 0), "a"), ((3,), "")]
)
def test_what_is_no_crossing_is_refused(shape, names):
    with pytest.raises(ValueError, match="values"):
        balanced_anova(np.zeros(shape), list(names))

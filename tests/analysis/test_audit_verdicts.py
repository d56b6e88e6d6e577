"""The audit's verdicts on H1 to H6: numbers by SciPy, and what the rules withhold."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

TABLE = Path(__file__).parents[2] / "results" / "report_audit" / "tables" / "verdicts.csv"


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def by_picture(shared_data) -> dict[str, np.ndarray]:
    """Give each model's accuracy on each of the 20 backgrounds, ten images each."""
    paper = shared_data / "paper"
    if not paper.is_dir():
        pytest.skip("no raw outputs of the report beside CIFAR-10")

    def numbers(name):
        return np.loadtxt(paper / f"background_{name}.csv")

    labels = numbers("labels").argmax(axis=1)
    answers = {
        name: numbers(f"{name}_probabilities").argmax(axis=1) for name in ("resnet50", "vit")
    }
    answers["local_vit"] = numbers("local_vit_predicted_class").ravel().astype(int)
    return {name: (given == labels).reshape(20, 10).mean(axis=1) for name, given in answers.items()}


@pytest.mark.parametrize(
    ("name", "a", "b"), [("H5", "vit", "resnet50"), ("H5_like", "local_vit", "resnet50")]
)
def test_differences_are_paired_by_background_picture(rows, by_picture, name, a, b):
    found = stats.ttest_1samp(by_picture[a] - by_picture[b], 0)
    interval = found.confidence_interval(0.9)
    row = rows[name]
    assert float(row["estimate"]) == pytest.approx((by_picture[a] - by_picture[b]).mean())
    assert float(row["low_alone"]) == pytest.approx(interval.low, rel=1e-4)
    assert float(row["high_alone"]) == pytest.approx(interval.high, rel=1e-4)


@pytest.mark.parametrize(("number", "model"), [(1, "resnet50"), (2, "vit"), (3, "local_vit")])
def test_above_chance_is_a_one_sided_t_test_over_pictures(rows, by_picture, number, model):
    expected = stats.ttest_1samp(by_picture[model], 0.1, alternative="greater").pvalue
    row = rows[f"H6_background_{number}"]
    assert float(row["p_value"]) == pytest.approx(expected, rel=1e-4)
    assert float(row["p_adjusted"]) > 0.05 and row["verdict"] == "inconclusive"


def test_what_was_not_published_or_not_declared_is_withheld(rows):
    assert [name for name, row in rows.items() if row["verdict"] == "supported"] == [
        "H6_combined_1"
    ]
    assert not any(row["verdict"] == "refuted" for row in rows.values())
    for name in ("H1", "H2", "H3", "H4"):
        assert "are missing" in rows[name]["reason"] and rows[name]["estimate"] == ""
    assert "differ in recipe, which the study does not declare" in rows["H5"]["reason"]
    assert "differ in recipe" not in rows["H5"]["reason_by_numbers"]

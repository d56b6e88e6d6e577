"""The audit of the 2021 report: its numbers by other code, and its page against what is committed.

Nothing here uses priorscope's statistics or the audit's own code, but for the last tests, which
take the audit's exact tests to small cases.
"""

import csv
import itertools
import re
from fractions import Fraction
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from audit import AUDIT, MODELS, PAIRS, holm, number, pair_rows, run, split_page, two_sided, z
from scipy import optimize, stats


@pytest.fixture(scope="module")
def paper(shared_data) -> Path:
    if not (shared_data / "paper").is_dir():
        pytest.skip("no raw outputs of the report beside CIFAR-10")
    return shared_data / "paper"


@pytest.fixture(scope="module")
def made(paper, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    assert run("--data-root", paper.parent, "--out", folder) == 0
    return folder


@pytest.fixture(scope="module")
def table(made):
    def read(name):
        with (made / "tables" / f"{name}.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture(scope="module")
def right(paper) -> dict[str, np.ndarray]:
    """Read the files again: who is right on which of the 200 images."""

    def rows(name):
        lines = (paper / f"background_{name}.csv").read_text().splitlines()
        return [[float(cell) for cell in line.split()] for line in lines]

    def argmax(name):
        return np.array([max(range(10), key=row.__getitem__) for row in rows(name)])

    labels = argmax("labels")
    answers = [argmax("resnet50_probabilities"), argmax("vit_probabilities")]
    answers.append(np.array([int(row[0]) for row in rows("local_vit_predicted_class")]))
    return {model: answer == labels for model, answer in zip(MODELS, answers, strict=True)}


def test_what_is_committed_is_what_the_outputs_give(made):
    produced = {p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file()}
    committed = {f"{k}/{p.name}" for k in ("tables", "figures") for p in (AUDIT / k).iterdir()}
    assert produced == committed | {"README.md"}
    for name in sorted(produced):
        new, old = ((f / name).read_text(encoding="utf-8") for f in (made, AUDIT))
        if name.endswith(".svg"):  # where letters are measured with another font, places move
            decimal = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
            assert re.split(decimal, new) == re.split(decimal, old), name
            places = [np.array(re.findall(decimal, text), dtype=float) for text in (new, old)]
            np.testing.assert_allclose(*places, atol=3, err_msg=name)
        elif name == "README.md":
            assert split_page(new)[0] == split_page(old)[0]
        else:
            assert new == old, name
    said = split_page((AUDIT / "README.md").read_text(encoding="utf-8"))[1]
    for part in (r"make\.py --data-root", r"numpy \d", r"priorscope \d", r"\d GiB", r"20\d\d-\d\d"):
        assert re.search(part, said), part


def test_every_figure_and_table_of_the_page_exists():
    text = (AUDIT / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)]+)\)", text)
    assert len(linked) >= 4
    assert all((AUDIT / name).exists() for name in linked)


def test_verdicts(table):
    verdicts = {row["claim"]: row["verdict"] for row in table("claims")}
    assert {claim for claim, verdict in verdicts.items() if verdict == "supported"} == {
        "The ViT is worse than the CNN on test images",
        "On Combined, every model is above chance",
    }
    assert verdicts["On Background, the Local ViT is like the CNN"] == "not supported"
    assert verdicts["On Combined, the Local ViT is like the CNN"] == "cannot be tested"
    assert all(row["reason"].endswith(".") for row in table("claims"))


def test_background_accuracies_wilson_intervals_and_chance(table, right):
    rows = {row["model"]: row for row in table("background")}
    assert [number(rows[m], "estimate") for m in MODELS] == [0.15, 0.105, 0.145]
    p_values = []
    for model in MODELS:
        n, p, squared = 200, right[model].mean(), z(0.975) ** 2
        half = sqrt(squared * p * (1 - p) / n + squared**2 / (4 * n**2)) / (1 + squared / n)
        centre = (p + squared / (2 * n)) / (1 + squared / n)
        assert number(rows[model], "low") == pytest.approx(centre - half, rel=1e-5)
        assert number(rows[model], "high") == pytest.approx(centre + half, rel=1e-5)
        p_values.append(two_sided(n, int(right[model].sum()), Fraction(1, 10)))
        assert number(rows[model], "p_binomial") == pytest.approx(p_values[-1], rel=1e-5)
    found = [number(rows[model], "p_binomial_holm") for model in MODELS]
    assert found == pytest.approx(holm(p_values), rel=1e-5)


def test_background_mcnemar_and_holm(table, right):
    rows, p_values = pair_rows(table("background_pairs")), []
    for a, b in PAIRS:
        only_a, only_b = int((right[a] & ~right[b]).sum()), int((right[b] & ~right[a]).sum())
        assert (int(rows[a, b]["only_a"]), int(rows[a, b]["only_b"])) == (only_a, only_b)
        p_values.append(two_sided(only_a + only_b, only_a, Fraction(1, 2)))
        assert number(rows[a, b], "p_mcnemar") == pytest.approx(p_values[-1], rel=1e-5)
        difference = right[a].mean() - right[b].mean()
        assert number(rows[a, b], "difference") == pytest.approx(difference)
    assert p_values == pytest.approx([0.163, 1, 0.2], abs=5e-4)
    found = [number(rows[pair], "p_mcnemar_holm") for pair in PAIRS]
    assert found == pytest.approx(holm(p_values), rel=1e-5)


def test_background_clusters_by_complete_enumeration(table, right):
    rows = pair_rows(table("background_pairs"))
    for a, b in PAIRS:
        sums = (right[a].astype(int) - right[b]).reshape(20, 10).sum(axis=1)
        distribution = {0: 1}  # of the sum over all 2 ** 20 signs
        for value in sums.tolist():
            longer: dict[int, int] = {}
            for total, ways in distribution.items():
                for signed in (total + value, total - value):
                    longer[signed] = longer.get(signed, 0) + ways
            distribution = longer
        extreme = sum(w for total, w in distribution.items() if abs(total) >= abs(sums.sum()))
        p_value = extreme / 2**20
        error = 4 * sqrt(p_value * (1 - p_value) / 10_000) + 2e-4
        assert number(rows[a, b], "p_cluster") == pytest.approx(p_value, abs=error)
        standard_error = sums.std() * sqrt(20) / 200
        width = number(rows[a, b], "cluster_high") - number(rows[a, b], "cluster_low")
        assert width == pytest.approx(2 * 1.96 * standard_error, rel=0.1)


def test_background_shuffled_within_backgrounds_by_simulation(table, paper, right):
    rng = np.random.default_rng(1)
    answers = np.loadtxt(paper / "background_resnet50_probabilities.csv").argmax(axis=1)
    hits = np.zeros(20_000, dtype=int)
    for answered in answers.reshape(20, 10):
        classes = rng.permuted(np.tile(np.arange(10), (len(hits), 1)), axis=1)
        hits += (classes == answered).sum(axis=1)
    assert hits.mean() == pytest.approx(20, abs=0.1)
    as_far = np.abs(hits - 20) >= right["ResNet50"].sum() - 20
    row = next(row for row in table("background") if row["model"] == "ResNet50")
    assert number(row, "p_shuffled") == pytest.approx(as_far.mean(), abs=0.005)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("margin", [0.02, 0.05])
def test_background_equivalence_by_numerical_maximisation(table, right, pair, margin):
    a, b = pair
    only_a, only_b = int((right[a] & ~right[b]).sum()), int((right[b] & ~right[a]).sum())

    def z_score(difference):
        low = max(0.0, -difference) + 1e-9

        def minus_log_likelihood(share_b):
            both = 1 - 2 * share_b - difference
            cells = zip((only_a, only_b, 200 - only_a - only_b),
                        (share_b + difference, share_b, both), strict=True)  # fmt: skip
            return -sum(count * np.log(share) for count, share in cells)

        fitted = optimize.minimize_scalar(
            minus_log_likelihood, bounds=(low, (1 - difference) / 2 - 1e-9), method="bounded",
            options={"xatol": 1e-12},
        )  # fmt: skip
        variance = (2 * fitted.x + difference - difference**2) / 200
        return ((only_a - only_b) / 200 - difference) / sqrt(variance)

    expected = max(stats.norm.sf(z_score(-margin)), stats.norm.cdf(z_score(margin)))
    rows = table("background_equivalence")
    row = next(r for r in rows if (r["a"], r["b"]) == pair and number(r, "margin") == margin)
    assert number(row, "p_value") == pytest.approx(expected, rel=1e-3)
    assert row["inside"] == "false"
    needed, spread = int(row["images_needed"]), sqrt((only_a + only_b) / 200)

    def power(n):
        return 2 * stats.norm.cdf(margin * sqrt(n) / spread - z(0.95)) - 1

    assert power(needed - 1) < 0.8 <= power(needed)


def test_detectable_differences_solve_connor_s_equation(table):
    for row in table("background_pairs"):
        q = number(row, "discordance")

        def excess(d, q=q):
            return d * sqrt(200) - z(0.975) * sqrt(q) - z(0.8) * sqrt(q - d * d)

        root = optimize.brentq(excess, 1e-6, sqrt(q) - 1e-9)
        assert number(row, "detectable") == pytest.approx(root, rel=1e-5)


def test_answers_by_class(table, paper, right):
    local = np.loadtxt(paper / "background_local_vit_predicted_class.csv", dtype=int)
    row = next(row for row in table("background_answers") if row["model"] == "Local ViT")
    names = [r["class"] for r in table("background_by_class")]
    assert [int(row[name]) for name in names] == [int((local == c).sum()) for c in range(10)]
    for name in ("background_by_class", "background_by_background"):
        for model in MODELS:
            assert sum(int(r[model]) for r in table(name)) == right[model].sum()


def test_combined_mean_histogram_and_chance(table, paper):
    present = np.loadtxt(paper / "combined_labels.csv")
    likely = np.loadtxt(paper / "combined_resnet50_probabilities.csv").argsort(axis=1)[:, -4:]
    hits = np.take_along_axis(present, likely, axis=1).sum(axis=1).astype(int)
    named = [len({0, 1, 2, 3} & set(c)) for c in itertools.combinations(range(10), 4)]
    chance = np.bincount(named) / 210
    assert chance @ np.arange(5) == pytest.approx(1.6)
    histogram = table("combined_histogram")
    assert [int(row["images"]) for row in histogram] == [1, 21, 49, 26, 3]
    assert np.bincount(hits).tolist() == [1, 21, 49, 26, 3]
    assert [number(row, "chance") for row in histogram] == pytest.approx(chance, rel=1e-5)
    rows = {row["model"]: row for row in table("combined")}
    assert number(rows["ResNet50"], "mean") == hits.mean() == 2.09
    half = 1.96 * hits.std(ddof=1) / 10
    assert number(rows["ResNet50"], "low") == pytest.approx(2.09 - half, abs=0.02)
    assert number(rows["ResNet50"], "high") == pytest.approx(2.09 + half, abs=0.02)
    sums = np.fft.irfft(np.fft.rfft(chance, 512) ** 100, 512)  # by its characteristic function
    p_values = [sums[sums <= sums[total] * (1 + 1e-6)].sum() for total in (209, 193, 213)]
    found = [number(rows[model], "p_value") for model in MODELS]
    assert found == pytest.approx(p_values, rel=1e-3)
    assert [number(rows[m], "p_value_holm") for m in MODELS] == pytest.approx(holm(found), rel=1e-3)


def test_combined_pairs_without_pairing(table):
    spread = 0.792579
    for row in table("combined_pairs"):
        test = stats.ttest_ind_from_stats(0, spread, 100, number(row, "difference"), spread, 100)
        assert number(row, "p_unpaired") == pytest.approx(test.pvalue, abs=0.003)
        paired = spread * sqrt(2 * (1 - number(row, "correlation_needed")) / 100)
        assert abs(number(row, "difference")) / paired == pytest.approx(1.96, abs=0.001)
        assert number(row, "detectable") == pytest.approx(2.8016 * spread * sqrt(0.02), rel=1e-3)


def test_curves_end_at_the_report_s_accuracies(table):
    found = {(r["model"], int(r["epoch"])): r for r in table("test_accuracy")}
    expected = {("ResNet50", 80): 91.84, ("ViT", 80): 74.70, ("Local ViT", 80): 88.7,
                ("Local ViT", 194): 96.4}  # fmt: skip
    assert set(found) == set(expected)
    for key, percent in expected.items():
        assert 100 * number(found[key], "estimate") == pytest.approx(percent, abs=0.05)


def test_the_local_vit_was_tested_on_9936_images(table, paper):
    accuracy = np.loadtxt(paper / "curve_local_vit_test_acc.csv")
    n = np.arange(1, 10_001)[:, None]
    # Five digits were kept, so a share of n images is met within half of the last one.
    fits = (np.abs(accuracy - np.round(accuracy * n) / n) < 5.1e-6).all(axis=1)
    assert n[fits].tolist() == [[9936]]
    assert {int(r["n"]) for r in table("test_accuracy") if r["model"] == "Local ViT"} == {9936}


def test_missing_outputs_are_refused_and_nothing_is_written(tmp_path, capsys):
    assert run("--data-root", tmp_path / "absent", "--out", tmp_path / "out") == 2
    assert "background_labels.csv" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()

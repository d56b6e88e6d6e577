"""The report's claims, each with what its published outputs allow to say."""

from exact import ALPHA, Row

from priorscope.metrics import decimal
from priorscope.report.wording import listed, p_value

SUPPORTED, NOT_SUPPORTED, UNTESTABLE = "supported", "not supported", "cannot be tested"
TEST_MARGIN = 0.02  # what "like the CNN" is taken to mean on test images
CNN, VIT, LOCAL = "ResNet50", "ViT", "Local ViT"


def judge(tables: dict[str, list[Row]]) -> list[Row]:
    """Give claim, verdict and reason; words of a verdict follow from the numbers by fixed rules.

    A difference is supported when its 95 % interval (its Holm-adjusted p-value where there is one)
    says so; "like" is supported when two one-sided tests, or the 95 % interval, put the difference
    inside the margin. What no published output bears on cannot be tested.
    """
    return [*_test_claims(tables), *_combined_claims(tables), *_background_claims(tables),
            _row("local attention", "Local attention carries the locality bias of CNNs", None,
                 f"the network called {LOCAL} has no attention (below), no arm differs from "
                 "another in locality alone, and there is one seed of each.")]  # fmt: skip


def _test_claims(tables: dict[str, list[Row]]) -> list[Row]:
    cnn, _, early, _ = tables["test_accuracy"]
    vit_cnn, early_cnn, late_cnn, _ = tables["test_pairs"]
    last = {row["model"]: row["num_epochs"] for row in tables["test_accuracy"]}
    like = all(_inside(row, TEST_MARGIN) for row in (early_cnn, late_cnn))
    epochs = listed(f"{num} ({model})" for model, num in last.items())
    return [
        _row(
            "Table 1",
            "All models were trained with the same hyperparameters, for 80 epochs",
            len(set(last.values())) == 1,
            f"the learning curves have {epochs} epochs, so {LOCAL} at epoch {early['epoch']} is "
            f"{_percent(early['epoch'] / early['num_epochs'], 0)} of the way through a longer "
            "training; the published code differs in more (below).",
        ),
        _row(
            "Table 1",
            "The CNN learns well from little data",
            None,
            f"{CNN} reaches {_estimate(cnn)}, but from one amount of data (all training images), "
            "with one seed, and nothing said beforehand what “well” and “little” are.",
        ),
        _row(
            "Table 1",
            "The ViT is worse than the CNN on test images",
            vit_cnn["high"] < 0,
            f"{VIT} − {CNN} = {_difference(vit_cnn)} for these two networks as they were tested; "
            f"the cause need not be the architecture, as {VIT} was trained without shuffling and "
            "tested on augmented images (below).",
        ),
        _row(
            "Table 1",
            f"The Local ViT is like the CNN on test images (within {_points(TEST_MARGIN)})",
            like,
            f"{LOCAL} − {CNN} = {_difference(early_cnn)} at epoch {early_cnn['a_epoch']} and "
            f"{_difference(late_cnn)} at epoch {late_cnn['a_epoch']}: "
            + (
                "both intervals lie within the margin."
                if like
                else "beyond the margin on opposite sides, so that the answer is the choice of the "
                "epoch."
                if early_cnn["high"] < -TEST_MARGIN and late_cnn["low"] > TEST_MARGIN
                else "not both intervals lie within the margin."
            ),
        ),
    ]


def _combined_claims(tables: dict[str, list[Row]]) -> list[Row]:
    means = tables["combined"]
    pairs = {(row["a"], row["b"]): row for row in tables["combined_pairs"]}
    cnn_vit, cnn_local, vit_local = pairs[CNN, VIT], pairs[CNN, LOCAL], pairs[VIT, LOCAL]
    p_values = listed(f"{p_equals(row['p_value_holm'])} ({row['model']})" for row in means)
    return [
        _row(
            "Table 2",
            "On Combined, every model is above chance",
            all(row["p_value_holm"] < ALPHA and row["mean"] > row["chance"] for row in means),
            f"exact tests against the hypergeometric, which need the means alone, give adjusted "
            f"{p_values}.",
        ),
        _row(
            "Table 2",
            "On Combined, the Local ViT is like the CNN",
            None,
            f"the outputs of {LOCAL} are not published, so the two cannot be paired; without pairs "
            f"{means[0]['n']} images find a difference of {cnn_local['detectable']:.2f} with 80 % "
            f"power, and a difference of {_signed(cnn_local['difference'])} says little.",
        ),
        _row(
            "Table 2",
            "On Combined, the CNN and the Local ViT are above the ViT",
            None,
            f"the outputs of {VIT} and {LOCAL} are not published; without pairs "
            f"{p_equals(cnn_vit['p_unpaired'])} and {p_equals(vit_local['p_unpaired'])}, so that "
            "scores of the same image would have to correlate by at least "
            f"{cnn_vit['correlation_needed']:.2f} and {vit_local['correlation_needed']:.2f} for "
            "p < 0.05 before correction.",
        ),
    ]


def _background_claims(tables: dict[str, list[Row]]) -> list[Row]:
    rows = tables["background"]
    pairs = {(row["a"], row["b"]): row for row in tables["background_pairs"]}
    cnn_vit, vit_local = pairs[CNN, VIT], pairs[VIT, LOCAL]
    like = [r for r in tables["background_equivalence"] if (r["a"], r["b"]) == (CNN, LOCAL)]
    tests = listed(f"{p_equals(r['p_value'])} within {_points(r['margin'])}" for r in like)
    binomial = listed(f"{r['p_binomial_holm']:.3f} ({r['model']})" for r in rows)
    shuffled = listed(f"{r['p_shuffled_holm']:.3f} ({r['model']})" for r in rows)
    return [
        _row(
            "Table 3",
            "On Background, the ViT is above the CNN (the report's expectation)",
            _significant(cnn_vit) and cnn_vit["difference"] < 0,
            f"{VIT} − {CNN} = {_tested(_turned(cnn_vit))}; the interval leaves {VIT} an advantage "
            f"of at most {_points(max(0.0, -cnn_vit['low']))}.",
        ),
        _row(
            "Table 3",
            "On Background, the CNN and the Local ViT are above the ViT",
            all(
                _significant(row) and sign * row["difference"] > 0
                for row, sign in ((cnn_vit, 1), (vit_local, -1))
            ),
            f"{CNN} − {VIT} = {_tested(cnn_vit)}; {LOCAL} − {VIT} = {_tested(_turned(vit_local))}; "
            f"{rows[0]['n']} images find {_points(cnn_vit['detectable'])} and "
            f"{_points(vit_local['detectable'])} with 80 % power.",
        ),
        _row(
            "Table 3",
            "On Background, the Local ViT is like the CNN",
            all(r["p_value"] < ALPHA for r in like),
            f"two one-sided tests on {rows[0]['n']} images give {tests}; to show it, equal models "
            f"would need {listed(format(r['images_needed'], ',') for r in like)} images.",
        ),
        _row(
            "Table 3",
            "On Background, every model is above chance",
            all(r["p_binomial_holm"] < ALPHA and r["estimate"] > r["chance"] for r in rows),
            f"adjusted exact binomial p = {binomial}; a sharper exact test, which shuffles the "
            f"classes within each background, gives {shuffled}.",
        ),
    ]


def _row(source: str, claim: str, holds: bool | None, reason: str) -> Row:
    verdict = UNTESTABLE if holds is None else SUPPORTED if holds else NOT_SUPPORTED
    return {"source": source, "claim": claim, "verdict": verdict}| {
        "reason": reason[0].upper() + reason[1:]
    }  # fmt: skip


def _significant(pair: Row) -> bool:
    return pair["p_mcnemar_holm"] < ALPHA


def _inside(row: Row, margin: float) -> bool:
    return -margin < row["low"] and row["high"] < margin


def _turned(row: Row) -> Row:
    return row | {"difference": -row["difference"], "low": -row["high"], "high": -row["low"]}


def _estimate(row: Row) -> str:
    return f"{_percent(row['estimate'], 2)} [{_number(row['low'])}, {_number(row['high'])}]"


def _difference(row: Row) -> str:
    low, high = (decimal(100 * row[key], 1, signed=True) for key in ("low", "high"))
    return f"{decimal(100 * row['difference'], 1, signed=True)} points [{low}, {high}]"


def _tested(row: Row) -> str:
    p = f"{p_equals(row['p_mcnemar'])}, adjusted {p_value(row['p_mcnemar_holm'])}"
    return f"{_difference(row)} ({p})"


def _percent(value: float, decimals: int) -> str:
    return f"{decimal(100 * value, decimals)} %"


def _number(value: float) -> str:
    return decimal(100 * value, 2)


def _points(value: float) -> str:
    text = f"{100 * value:.1f}".removesuffix(".0")
    return f"{text} point" if text == "1" else f"{text} points"


def _signed(value: float) -> str:
    return decimal(value, 2, signed=True)


def p_equals(p: float) -> str:
    """Write "p = 0.163", or "p < 0.001"."""
    return f"p {p_value(p)}" if p < 0.001 else f"p = {p_value(p)}"

"""The rules of the verdicts in words, for readers of the page."""

from priorscope.report.artefacts import Artefacts


def verdict_rules(artefacts: Artefacts) -> tuple[tuple[str, str], ...]:
    """Say how verdicts were given, as (what it is about, text); the numbers are the study's."""
    criterion = artefacts.judged["convergence"]
    least = criterion["train_accuracy"]
    asked = f", with an accuracy on training images of at least {100 * least:g} %" if least else ""
    alphas = sorted({row["alpha"] for row in artefacts.verdicts})
    level = " or ".join(f"{alpha:g}" for alpha in alphas)
    rules = [
        (
            "Supported",
            f"The p-value of what is claimed is below alpha = {level} after Holm's correction over "
            f"all {len(artefacts.verdicts)} hypotheses of the study. For < and > the test is "
            "one-sided; for \N{ALMOST EQUAL TO} it is two one-sided tests that the effect lies "
            "within the margin; for \N{NOT EQUAL TO} it is two-sided.",
        ),
        (
            "Refuted",
            "The contrary is shown, by a p-value corrected in the same way: the opposite direction "
            "for < and >, a difference larger than the margin for \N{ALMOST EQUAL TO}, equivalence "
            "within its margin for \N{NOT EQUAL TO} (without a margin it cannot be refuted).",
        ),
        (
            "Inconclusive",
            "Neither is shown: no evidence for a difference is no evidence of equality. So is, "
            "whatever the numbers, a hypothesis of which predictions of planned runs are missing, "
            "whose models have not converged, or whose models differ in recipe, preprocessing or "
            "data without the study declaring it.",
        ),
        (
            "Converged",
            "Every seed went through its whole schedule, and the last tenth of training brought "
            f"at most {100 * criterion['loss_change']:g} % of the whole fall of the training loss "
            f"(mean over seeds) since the first epoch{asked}.",
        ),
        (
            "Intervals and tests",
            "Seeds and scenes are both random and crossed, models are paired on scenes, and scenes "
            "that share a background count as one. With one seed, scenes alone are random: the "
            "verdict speaks of these trained networks; two of them are then compared by an exact "
            "or permutation test. A direction and \N{ALMOST EQUAL TO} are decided by a one-sided "
            "test at alpha, which agrees with the interval of confidence 1 - 2 alpha.",
        ),
    ]
    if any(row["changed_after_results"] for row in artefacts.verdicts):
        rules.append(
            (
                "Declared late",
                "A hypothesis that was added or changed when results existed may have been made "
                "to fit them: its verdict describes these data and predicts nothing. The study's "
                "history in study.json has the dates.",
            )
        )
    return tuple(rules)

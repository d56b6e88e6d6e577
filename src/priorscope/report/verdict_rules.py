"""The rules of the verdicts in words, for readers of the page."""

from priorscope.report.artefacts import Artefacts


def verdict_rules(artefacts: Artefacts) -> tuple[tuple[str, str], ...]:
    """Say how verdicts were given, as (what it is about, text); the numbers are the study's."""
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
            "of whose models a seed has not gone through its schedule or has not learnt anything, "
            "or whose models differ in recipe, preprocessing or data without the study declaring "
            "it.",
        ),
        (
            "Budget",
            "Every verdict is about the epochs and images that it names. A study with "
            "\N{LEFT DOUBLE QUOTATION MARK}stability\N{RIGHT DOUBLE QUOTATION MARK} trains every "
            "model at a part of that budget too, with a whole schedule of its own, and says of "
            "each claim whether the change is within a declared margin (budget-stable), is shown "
            "to be one (changes with the budget), or is not known. That never changes a verdict, "
            "and says nothing of longer trainings.",
        ),
        (
            "Intervals and tests",
            "Seeds and scenes are both random and crossed, models are paired on scenes, and scenes "
            "that share a background count as one. With one seed, scenes alone are random: the "
            "verdict speaks of these trained networks; two of them are then compared by an exact "
            "or permutation test. A direction and \N{ALMOST EQUAL TO} are decided by a one-sided "
            "test at alpha, which agrees with the interval of confidence 1 - 2 alpha; the interval "
            "shown has the alpha of the test\N{RIGHT SINGLE QUOTATION MARK}s step in "
            "Holm\N{RIGHT SINGLE QUOTATION MARK}s correction. A standard error over seeds and "
            "scenes is never below that of the same networks held fixed.",
        ),
        (
            "Few seeds",
            "Intervals over seeds suppose that seeds vary about normally. Where a model has fewer "
            "than five, or its seeds fall into groups, every seed is shown, seeds that stand apart "
            "are named, and no p below 0.01 is claimed. A failure that comes in a share q of "
            "trainings stays unseen by S seeds with probability (1 \N{MINUS SIGN} q)^S: one in "
            "five by three seeds in 51 % of studies.",
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

"""How verdicts were given: their rules in words, how training ended, and the precision reached."""

from dataclasses import asdict

from priorscope.analysis import Findings
from priorscope.claims.words import percent
from priorscope.metrics import NONE, Scale
from priorscope.report.section import Paragraph, Part, Section, section_of
from priorscope.report.table import PageCell, Table, table_of
from priorscope.report.verdict_words import (
    BEYOND,
    contrasted,
    cut_unadjusted,
    possible,
    verdict_scale,
)
from priorscope.report.wording import Row, count, listed
from priorscope.study.given import given_models

_PRECISION = ("id", "estimate", "low", "high", "confidence", "standard_error", "df")
_PRECISION += ("detectable_estimated", "detectable", "bootstrap_low", "bootstrap_high")
_PRECISION += ("num_seeds", "n", "method")


def rules(results: Findings) -> Section | None:
    """Set rules, trainings and precision under each other."""
    if not results.verdicts:
        return None
    blocks = [training_table(results), precision_table(results)]
    return section_of("rules", "How verdicts were given", Part(blocks, _rules(results)))


def training_table(results: Findings) -> Table | None:
    """Show how each model's training ended, and which seeds learnt nothing."""
    if not results.training:
        return None
    columns = {
        "Model": lambda row: row["model"],
        "Epochs": lambda row: count(row["num_epochs"]),
        "Training images": lambda row: count(row["num_images"]),
        "Accuracy, %": lambda row: _percent(row["train_accuracy"]),
        "Constant, %": lambda row: _percent(row["constant_accuracy"]),
        "Training": lambda row: row["obstacle"] or "every seed to its end",
    }
    caption = (
        "How training ended. Accuracy: on training images in the last epoch, as they were seen, "
        "mean over seeds. Constant: what the best answer that does not depend on the image scores "
        "there. A seed that does not exceed it (exact binomial test at 0.001) has learnt nothing, "
        "and verdicts on its model are withheld. Whether a longer training would give more cannot "
        "be seen from how a loss comes to rest: most schedules let the learning rate end at zero."
    )
    if left_out := given_models(results.study):
        caption += f" {listed(left_out)}, evaluated as given, had no training here."
    records = [
        {"model": model} | asdict(ended) | {"obstacle": ended.obstacle}
        for model, ended in results.training.items()
    ]
    return table_of(
        "training-ends", caption, records, columns, numeric={1, 2, 3, 4}, numbered=False
    )


def precision_table(results: Findings) -> Table | None:
    """Show what the study could have shown, from the variances that it measured."""
    rows, pages, records = [], [], []
    for row in results.verdicts:
        if row["estimate"] is None:
            continue
        scale = verdict_scale(row)
        alone = cut_unadjusted(row)
        check = scale.interval(row["bootstrap_low"], row["bootstrap_high"], signed=True)
        cells = (
            row["id"],
            contrasted(row),
            f"{percent(row['unadjusted']['confidence'])} "
            f"{scale.interval(alone['low'], alone['high'], signed=True)}",
            _detectable(scale, row),
            _spread(scale, row["components"]),
            f"{check} {scale.difference_symbol}".strip(),
            row["method"],
        )
        rows.append(cells)
        pages.append((PageCell(row["id"], href=f"#from-{row['id']}"), *map(PageCell, cells[1:])))
        records.append({key: row[key] for key in _PRECISION})
    if not rows:
        return None
    caption = (
        "Precision reached. Alone: the interval that a hypothesis would have if it were the only "
        "one. Detectable: the smallest effect (for \N{ALMOST EQUAL TO}, the smallest margin) that "
        "a study of this size shows with 80 % power, if it is the last of the hypotheses in "
        "Holm\N{RIGHT SINGLE QUOTATION MARK}s order: first by the variances as they were "
        "estimated, then with those between seeds and between images at their upper limits (85 % "
        "each), which so few cannot rule out. Between seeds: the standard deviation of the score "
        "of a trained network, by model, and its upper limit. Bootstrap: the interval alone by "
        "resampling seeds and scenes, as a check; it is too short for few seeds."
    )
    header = ("", "Contrast", "Alone", "Detectable", "Between seeds", "Bootstrap", "Method")
    return Table(
        "precision",
        caption,
        header,
        rows,
        records,
        {2, 3, 4, 5},
        numbered=False,
        page_header=header,
        page_rows=pages,
    )


def _detectable(scale: Scale, row: Row) -> str:
    most = max(map(abs, possible(row)))
    ends = [row["detectable_estimated"], row["detectable"]]
    said = [BEYOND if end > most else scale.amount(end) for end in ends]
    return said[0] if said[0] == said[1] else f"{said[0]}; up to {said[1]}"


def _spread(scale: Scale, components: Row) -> str:
    """Write each model's standard deviation between seeds, with what cannot be ruled out."""
    said = []
    for variance, most in zip(components["seed"], components["seed_most"], strict=True):
        if variance is None or most is None:
            said.append(NONE)
        elif variance == 0:
            said.append(f"not told from 0, at most {scale.value(most**0.5)}")
        else:
            said.append(f"{scale.value(variance**0.5)} (at most {scale.value(most**0.5)})")
    return f"{', '.join(said)} {scale.difference_symbol}".strip()


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.1f}"


def _rules(results: Findings) -> list[Paragraph]:
    """Say by what rules; the numbers are the study's."""
    alphas = sorted({row["alpha"] for row in results.verdicts})
    level = " or ".join(f"{alpha:g}" for alpha in alphas)
    rules = [
        (
            "Supported",
            f"The p-value of what is claimed is below alpha = {level} after Holm's correction over "
            f"all {len(results.verdicts)} hypotheses of the study. For < and > the test is "
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
            "Holm\N{RIGHT SINGLE QUOTATION MARK}s correction, and where neither a claim nor its "
            "contrary is shown, the wider of their two. A standard error over seeds and scenes is "
            "never below that of the same networks held fixed.",
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
    if any(row["changed_after_results"] for row in results.verdicts):
        rules.append(
            (
                "Declared late",
                "A hypothesis that was added or changed when results existed may have been made "
                "to fit them: its verdict describes these data and predicts nothing. The study's "
                "history in study.json has the dates.",
            )
        )
    return rules

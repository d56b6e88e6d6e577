"""What stands on the page and in which order; the report's figures and tables keep its numbers.

With its two probes, a study's Figures 1 to 5 and Tables 1 to 3 are those of the 2021 report: one
image a class, mosaics, backgrounds, training, Top-4 histograms; recipe, Top-4 means, background
accuracy. What priorscope adds is numbered after them.
"""

from dataclasses import dataclass

from priorscope import components
from priorscope.preflight.fairness import as_plain, check_runs
from priorscope.report.artefacts import Artefacts
from priorscope.report.attention import attention_figure, attention_table
from priorscope.report.error_consistency import error_consistency
from priorscope.report.figures import Figure
from priorscope.report.figures_histograms import matching_histograms
from priorscope.report.figures_images import class_images, probe_samples
from priorscope.report.figures_intervals import arm_intervals, differences, overview, select_arm
from priorscope.report.figures_training import training_curves
from priorscope.report.figures_verdicts import verdict_forest
from priorscope.report.matched import matched_figure, matched_paragraph, matched_table
from priorscope.report.report_2021 import beside_2021
from priorscope.report.tables import Table
from priorscope.report.tables_control_models import control_model_table
from priorscope.report.tables_fairness import (
    architecture_table,
    condition_table,
    fairness_paragraphs,
)
from priorscope.report.tables_results import (
    Column,
    comparison_table,
    control_table,
    overview_table,
    probe_table,
    seed_table,
)
from priorscope.report.tables_study import (
    data_table,
    environment_table,
    model_table,
    recipe_table,
    run_table,
)
from priorscope.report.tables_verdicts import precision_table, training_table, verdict_table
from priorscope.report.verdict_rules import verdict_rules
from priorscope.report.wording import plain, setting

_REPORT_PROBES = ("mosaic", "large_background")  # components, in the order of the 2021 report


@dataclass(frozen=True)
class Section:
    """One heading of the page with what stands under it, some of it folded away."""

    anchor: str
    title: str
    paragraphs: tuple[tuple[str, str], ...] = ()  # (what it is about, text)
    blocks: tuple[Figure | Table, ...] = ()
    folded_title: str = ""
    folded: tuple[Figure | Table, ...] = ()
    folded_paragraphs: tuple[tuple[str, str], ...] = ()


def main_columns(artefacts: Artefacts) -> list[Column]:
    """List the test images and what each probe is about, as (probe, arm, metric, heading)."""
    columns = []
    for probe in ["test", *artefacts.probes]:
        for metric in artefacts.metrics(probe)[:1]:
            arms = _scored_arms(artefacts, probe, metric)[:1]
            heading = "Test images" if probe == "test" else probe
            columns += [(probe, arm, metric, heading) for arm in arms]
    return columns


def contents(artefacts: Artefacts, columns: list[Column]) -> list[Section]:
    """Lay out the page; `columns` are those of `main_columns`."""
    ordered = [
        name
        for component in _REPORT_PROBES
        for name, probe in artefacts.probes.items()
        if probe["name"] == component
    ]
    # Only the first probe of a kind takes the number that it had in the 2021 report.
    kinds = [artefacts.probes[name]["name"] for name in ordered]
    known = [name for i, name in enumerate(ordered) if kinds.index(kinds[i]) == i]
    others = [name for name in artefacts.probes if name not in known]
    sections = [
        verdicts_section(artefacts),
        Section(
            "glance",
            "Results at a glance",
            (),
            present(
                overview_table(artefacts, columns),
                overview(artefacts, columns),
                control_model_table(artefacts),
            ),
        ),
        fairness_section(artefacts),
        Section(
            "images",
            "What the models saw",
            tuple(_description(artefacts, probe) for probe in known),
            present(
                class_images(artefacts),
                *(probe_samples(artefacts, probe, _title(artefacts, probe)) for probe in known),
            ),
        ),
        Section(
            "training",
            "Training",
            (),
            present(recipe_table(artefacts), training_curves(artefacts)),
        ),
    ]
    sections += [probe_section(artefacts, probe, with_samples=False) for probe in known]
    sections += [probe_section(artefacts, probe, with_samples=True) for probe in others]
    sections.append(Section("report-2021", "The 2021 report", *beside_2021(artefacts)))
    sections.append(comparisons_section(artefacts, columns))
    if artefacts.probes and len(artefacts.models) > 1:
        sections.append(matched_section(artefacts))
    sections.append(
        Section("error-consistency", "Consistency of errors", *error_consistency(artefacts))
    )
    sections.append(attention_section(artefacts))
    sections.append(
        Section(
            "runs",
            "Data, runs and versions",
            (),
            (
                data_table(artefacts),
                model_table(artefacts),
                run_table(artefacts),
                environment_table(artefacts),
            ),
            "Scores of each run",
            (seed_table(artefacts, columns),),
        )
    )
    return [section for section in sections if section.blocks or section.paragraphs]


def fairness_section(artefacts: Artefacts) -> Section:
    """Say what differs between the models, and what they are given."""
    differences = artefacts.record.get("fairness", [])  # folders of version 0.1.0 have none
    of_runs = as_plain(check_runs(artefacts.runs, artefacts.study.get("declared")))
    return Section(
        "fairness",
        "What differs between the models",
        fairness_paragraphs(differences, of_runs, len(artefacts.runs)),
        present(architecture_table(differences)),
        "What the models are given",
        present(condition_table(differences)),
    )


def probe_section(artefacts: Artefacts, probe: str, *, with_samples: bool) -> Section:
    """Set what a probe is about beside its controls."""
    title = _title(artefacts, probe)
    blocks: list[Figure | Table | None] = []
    if with_samples:
        blocks.append(probe_samples(artefacts, probe, title))
    for metric in artefacts.metrics(probe):
        arms = _scored_arms(artefacts, probe, metric)
        for arm in arms:
            if artefacts.is_counted(probe, arm, metric):
                heading = title if arm == arms[0] else f"{title}, {plain(arm)}"
                blocks.append(matching_histograms(artefacts, probe, arm, metric, heading))
        if arms:
            blocks.append(probe_table(artefacts, probe, metric, title))
            blocks.append(arm_intervals(artefacts, probe, metric, title))
            blocks.append(control_table(artefacts, probe, metric, title))
    paragraphs = (_description(artefacts, probe),) if with_samples else ()
    return Section(f"probe-{probe}", title, paragraphs, present(*blocks))


def comparisons_section(artefacts: Artefacts, columns: list[Column]) -> Section:
    """Compare all models in pairs; control arms are folded away."""
    controls = [
        (probe, arm, metric, f"{probe}: {plain(arm)}")
        for probe, main, *_ in columns
        for metric in artefacts.metrics(probe)
        for arm in _scored_arms(artefacts, probe, metric)
        if (probe, arm, metric) not in {column[:3] for column in columns}
    ]
    level = f"{artefacts.analysis['alpha']:g}"
    caption = (
        f"Differences between models, first minus second, with {artefacts.confidence} intervals. "
        f"Filled: clear after Holm\N{RIGHT SINGLE QUOTATION MARK}s correction "
        f"(adjusted p < {level}, and an interval without zero); hollow: not. "
    )
    return Section(
        "comparisons",
        "Differences between models",
        ()
        if artefacts.comparisons
        else (("", "There is nothing to compare: one model has finished runs."),),
        present(
            differences(artefacts, columns, "comparisons", caption.strip()),
            comparison_table(
                artefacts,
                columns,
                "comparisons",
                "on the test images and on what each probe is about",
            ),
        ),
        "Differences on the control arms",
        present(
            differences(
                artefacts, controls, "comparisons-controls", f"{caption}Control arms only."
            ),
            comparison_table(artefacts, controls, "comparisons-controls", "on the control arms"),
        ),
    )


def verdicts_section(artefacts: Artefacts) -> Section:
    """Put the verdicts first, with the rules by which they were given folded away."""
    if not artefacts.verdicts:
        nothing = "The study declares no hypotheses, so there is nothing to give a verdict on."
        return Section("verdicts", "Verdicts", (("", nothing),))
    return Section(
        "verdicts",
        "Verdicts",
        (),
        present(verdict_table(artefacts), verdict_forest(artefacts)),
        "How verdicts were given, and how precise the study was",
        present(training_table(artefacts), precision_table(artefacts)),
        verdict_rules(artefacts),
    )


def matched_section(artefacts: Artefacts) -> Section:
    """Compare models on probes at equal clean accuracy."""
    return Section(
        "matched",
        "Differences at equal clean accuracy",
        (("", matched_paragraph(artefacts)),),
        present(matched_table(artefacts), matched_figure(artefacts)),
    )


def attention_section(artefacts: Artefacts) -> Section:
    """Show how far attention looks, where a model has attention that tells its weights."""
    blocks = present(attention_table(artefacts), attention_figure(artefacts))
    return Section("attention", "How far attention looks", (), blocks)


def _title(artefacts: Artefacts, probe: str) -> str:
    kinds = {"mosaic": "mosaics of several classes", "large_background": "objects on backgrounds"}
    component = artefacts.probes[probe]["name"]
    kind = kinds.get(component)
    name = f"{plain(probe)[0].upper()}{plain(probe)[1:]}"
    return f"{name}: {kind}" if kind else name


def _description(artefacts: Artefacts, probe: str) -> tuple[str, str]:
    """Say what a probe shows; for probes that are not ours, what their file says."""
    component = artefacts.probes[probe]
    parameters = {key: value for key, value in component.items() if key != "name"}
    if component["name"] == "mosaic":
        arm, metric = _first(artefacts, probe)
        counted = bool(metric) and artefacts.is_counted(probe, arm, metric)
        most = artefacts.scale(probe, arm, metric).high if counted else None
        many = f"{most:g} " if most else ""
        text = (
            f"Each image joins {many}test images of distinct classes, and a model is "
            f"scored by how many of its {many}most likely classes are among them. Two controls "
            "show one tile of the same scene: alone on grey in its place (as small as in the "
            "mosaic), and enlarged to the whole canvas. They have one class and are scored by "
            "top-1 accuracy."
        )
    elif component["name"] == "large_background":
        text = (
            "A test image is pasted at a random place on a larger background picture. "
            "Two controls show the same object at the same place and size on plain grey, and "
            "enlarged to the whole canvas, so that a small object and a busy background can be "
            "told apart."
        )
    else:
        ours = components.listing("probes")
        summary = ours[component["name"]].summary if component["name"] in ours else ""
        text = f"Made by {component['name']}. {summary}".rstrip()
    return probe, f"{text} Parameters: {setting(parameters)}." if parameters else text


def _first(artefacts: Artefacts, probe: str) -> tuple[str, str]:
    metrics = artefacts.metrics(probe)
    arms = _scored_arms(artefacts, probe, metrics[0]) if metrics else []
    return (arms[0], metrics[0]) if arms else ("", "")


def _scored_arms(artefacts: Artefacts, probe: str, metric: str) -> list[str]:
    arms = artefacts.arms(probe)
    return [arm for arm in arms if select_arm(artefacts, probe, arm, metric)]


def present(*blocks: Figure | Table | None) -> tuple[Figure | Table, ...]:
    """Leave out what there is nothing of."""
    return tuple(block for block in blocks if block is not None)

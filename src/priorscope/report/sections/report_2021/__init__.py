"""The 2021 report: a study that reproduces it, set beside what was published."""

from priorscope.analysis import Findings
from priorscope.report.section import Paragraph, Part, Section, section_of
from priorscope.report.sections.report_2021.curves import FOLDER, curve_files, kept_curves
from priorscope.report.sections.report_2021.figures import curves_2021, histograms_2021
from priorscope.report.sections.report_2021.published import ARMS
from priorscope.report.sections.report_2021.setup import (
    Line,
    deviations_table,
    recipe_lines,
    setup_lines,
)
from priorscope.report.sections.report_2021.tables import counterparts, results_2021
from priorscope.report.wording import APOSTROPHE, Row, listed


def report_2021(results: Findings) -> Section | None:
    """Set a study beside the report; None where the study does not say that it reproduces it.

    Raises
    ------
    InputError : the kept learning curves are damaged
    """
    if not counterparts(results):
        return None
    if results.factors:
        text = (
            "The study says that it reproduces the report, and has factors, which the report had "
            "not: none of its cells is set beside the report."
        )
        return section_of("report-2021", "The 2021 report", Part(paragraphs=[("", text)]))
    curves = kept_curves(results.out)
    recipe, setup = recipe_lines(results), setup_lines(results)
    paragraphs: list[Paragraph] = [
        ("", _who_stands_for_whom(results)),
        ("Deviations", _deviations(recipe, setup)),
        (
            "What the report says and what it did",
            "Its recipe was not the same for all arms, and its Local ViT has no attention: where "
            "its published code or outputs are otherwise than its text, the tables of deviations "
            "name both. So a number that comes out differently here has several possible causes.",
        ),
    ]
    if note := _missing_curves(curves):
        paragraphs.append(("Learning curves", note))
    recipe_caption = (
        f"The report{APOSTROPHE}s Table 1 and its description, what its published code did, and "
        f"this study{APOSTROPHE}s recipe. Values that differ by arm are those of ResNet50, ViT and "
        "Local ViT; a dash stands where nothing else is known of the code."
    )
    setup_caption = "Models, data and probes of the report and of this study."
    blocks = [
        *results_2021(results),
        curves_2021(results, curves),
        histograms_2021(results),
        deviations_table("report-2021-recipe", recipe_caption, "Setting", recipe),
        deviations_table("report-2021-setup", setup_caption, "", setup),
    ]
    return section_of("report-2021", "The 2021 report", Part(blocks, paragraphs))


def _who_stands_for_whom(results: Findings) -> str:
    models = counterparts(results)
    pairs = [f"{models[arm]} for its {ARMS[arm].title}" for arm in ARMS if arm in models]
    text = (
        "Numbers of \N{LEFT DOUBLE QUOTATION MARK}Investigating Possible Inductive Biases in Local "
        "Sparse Attention ViT Architectures Against Traditional CNNs\N{RIGHT DOUBLE QUOTATION MARK}"
        f" (2021), here called the report, beside this study{APOSTROPHE}s: "
        f"{listed(pairs)}."
    )
    if absent := [ARMS[arm].title for arm in ARMS if arm not in models]:
        text += f" Nothing stands for {listed(absent)}."
    if others := [model for model in results.models if model not in models.values()]:
        text += f" The report has no counterpart of {listed(others)}."
    return (
        f"{text} It trained one network of each arm, so its numbers say nothing about other seeds."
    )


def _deviations(recipe: list[Line], setup: list[Line]) -> str:
    """Name what this study has otherwise than the report's text."""
    parts = []
    for where, lines in (("recipe", recipe), ("models, data and probes", setup)):
        names = [line.what for line in lines if line.not_text]
        parts.append(f"in its {where} ({listed(names, most=20)})" if names else f"not in {where}")
    text = listed(parts) if all(part.startswith("in") for part in parts) else ", ".join(parts)
    return f"This study deviates from the report{APOSTROPHE}s text {text}."


def _missing_curves(curves: list[Row]) -> str:
    absent = [arm for arm in ARMS if arm not in {row["arm"] for row in curves}]
    if not absent:
        return ""
    files = listed(f"{FOLDER}/{file}" for arm in absent for file in curve_files(arm).values())
    return (
        f"The report{APOSTROPHE}s learning curves of "
        f"{listed(ARMS[arm].title for arm in absent)} were not found. They are read from the data "
        f"root, where they would lie as {files}; `priorscope report DIR --data-root ROOT` adds "
        "them to this page."
    )

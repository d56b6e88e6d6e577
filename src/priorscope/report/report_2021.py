"""The page's section that sets a study beside the 2021 report that it reproduces."""

from priorscope.report.artefacts import Artefacts, Row
from priorscope.report.figures import Figure
from priorscope.report.figures_2021 import curves_2021, histograms_2021
from priorscope.report.published_2021 import ARMS
from priorscope.report.published_curves import FOLDER, curve_files, kept_curves
from priorscope.report.tables import Table
from priorscope.report.tables_2021_results import counterparts, results_2021
from priorscope.report.tables_2021_setup import (
    Line,
    deviations_table,
    recipe_lines,
    setup_lines,
)
from priorscope.report.wording import listed

Paragraphs = tuple[tuple[str, str], ...]


def beside_2021(artefacts: Artefacts) -> tuple[Paragraphs, tuple[Figure | Table, ...]]:
    """Return the section's paragraphs and blocks; none for a study that does not reproduce it.

    Raises
    ------
    InputError : the kept learning curves are damaged
    """
    if not counterparts(artefacts):
        return (), ()
    curves = kept_curves(artefacts.out)
    recipe, setup = recipe_lines(artefacts), setup_lines(artefacts)
    paragraphs = [
        ("", _who_stands_for_whom(artefacts)),
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
    blocks = [
        *results_2021(artefacts),
        curves_2021(artefacts, curves),
        histograms_2021(artefacts),
        deviations_table(
            "report-2021-recipe",
            "The report\N{RIGHT SINGLE QUOTATION MARK}s Table 1 and its description, what its "
            "published code did, and this study\N{RIGHT SINGLE QUOTATION MARK}s recipe. Values "
            "that differ by arm are those of ResNet50, ViT and Local ViT; a dash stands where "
            "nothing else is known of the code.",
            "Setting",
            recipe,
        ),
        deviations_table(
            "report-2021-setup",
            "Models, data and probes of the report and of this study.",
            "",
            setup,
        ),
    ]
    return tuple(paragraphs), tuple(block for block in blocks if block is not None)


def _who_stands_for_whom(artefacts: Artefacts) -> str:
    models = counterparts(artefacts)
    pairs = [f"{models[arm]} for its {ARMS[arm].title}" for arm in ARMS if arm in models]
    text = (
        "Numbers of \N{LEFT DOUBLE QUOTATION MARK}Investigating Possible Inductive Biases in Local "
        "Sparse Attention ViT Architectures Against Traditional CNNs\N{RIGHT DOUBLE QUOTATION MARK}"
        f" (2021), here called the report, beside this study\N{RIGHT SINGLE QUOTATION MARK}s: "
        f"{listed(pairs)}."
    )
    if absent := [ARMS[arm].title for arm in ARMS if arm not in models]:
        text += f" Nothing stands for {listed(absent)}."
    if others := [model for model in artefacts.models if model not in models.values()]:
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
    return f"This study deviates from the report\N{RIGHT SINGLE QUOTATION MARK}s text {text}."


def _missing_curves(curves: list[Row]) -> str:
    absent = [arm for arm in ARMS if arm not in {row["arm"] for row in curves}]
    if not absent:
        return ""
    files = listed(f"{FOLDER}/{file}" for arm in absent for file in curve_files(arm).values())
    return (
        f"The report\N{RIGHT SINGLE QUOTATION MARK}s learning curves of "
        f"{listed(ARMS[arm].title for arm in absent)} were not found. They are read from the data "
        f"root, where they would lie as {files}; `priorscope report DIR --data-root ROOT` adds "
        "them to this page."
    )

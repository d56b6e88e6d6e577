"""What differs between the models: the fairness lint, from what `study.json` stores of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from priorscope.metrics import NONE
from priorscope.preflight.fairness import as_plain, check_runs
from priorscope.report.section import Paragraph, Part, Section, section_of
from priorscope.report.table import Table
from priorscope.report.wording import Row, count, counted, listed, magnitude, plain
from priorscope.study.given import given_models
from priorscope.study.properties import PROPERTIES

if TYPE_CHECKING:
    from priorscope.analysis import Findings


def fairness(results: "Findings") -> Section | None:
    """Say what differs between the models, and what they are given."""
    found = results.record.get("fairness", [])  # folders of version 0.1.0 have none
    of_runs = as_plain(check_runs(results.runs, results.study.get("declared")))
    num_given = sum(run["model"] in given_models(results.study) for run in results.runs)
    paragraphs = fairness_paragraphs(found, of_runs, len(results.runs), num_given)
    if results.factors:
        within = (
            "Runs are compared with those at the same level of every factor. What a factor sets is "
            "the same for all models there, and differs between cells on purpose."
        )
        paragraphs.append(("Factors", within))
    given = Part([condition_table(found)], title="What the models are given", folded=True)
    shown = Part([architecture_table(found)], paragraphs)
    return section_of("fairness", "What differs between the models", shown, given)


def architecture_table(differences: Sequence[Row]) -> Table | None:
    """Set the models' architectures side by side; None without a second model."""
    rows = [row for row in differences if _kind(row) == "architecture"]
    models = list(rows[0]["values"]) if rows else []
    if len(models) < 2:
        return None
    meanings = [(PROPERTIES[row["property"]], row) for row in rows]
    explained = "; ".join(f"{p.title}: {p.meaning}" for p, _ in meanings)
    return Table(
        "fairness",
        "What differs between the models. Ratio: largest by smallest. Differences without a "
        f"declared reason are what the study compares, or confounders of it. {explained}.",
        ("Property", *models, "Ratio", "Declared"),
        [
            (
                found.title,
                *(_value(row["property"], row["values"].get(model)) for model in models),
                _ratio(row),
                _mark(row),
            )
            for found, row in meanings
        ],
        [_record(row) for row in rows],
        range(1, len(models) + 2),
        {index for index, row in enumerate(rows) if not row["differs"]},
        numbered=False,
    )


def condition_table(differences: Sequence[Row]) -> Table | None:
    """List recipe, preprocessing and data: once where all models share them, else by model."""
    rows = [row for row in differences if _kind(row) == "condition"]
    everyone = {model for row in differences for model in row["values"]}
    cells, records = [], []
    for row in rows:
        groups: dict[object, list[str]] = {}
        for model, value in row["values"].items():
            groups.setdefault(value, []).append(model)
        for value, models in groups.items():
            who = "all models" if len(models) == len(everyone) else listed(models)
            cells.append((_title(row["property"]), who, str(value), _mark(row)))
            records.append(
                {"property": row["property"], "models": " ".join(models), "value": value}
                | {"severity": row["severity"], "declared": row["declared"]}
            )
    if not cells:
        return None
    return Table(
        "fairness-conditions",
        "What the models are given. Preprocessing: the side of the images before and after "
        "resizing, and what reaches a model\N{RIGHT SINGLE QUOTATION MARK}s first weights; "
        "\N{LEFT DOUBLE QUOTATION MARK}as given\N{RIGHT DOUBLE QUOTATION MARK} where the model "
        "leaves it as it is. Recipe and data are named by their hashes.",
        ("Property", "Models", "Value", "Declared"),
        cells,
        records,
        numbered=False,
    )


def fairness_paragraphs(
    differences: Sequence[Row], of_runs: Sequence[Row], num_runs: int, given_runs: int = 0
) -> list[Paragraph]:
    """Say in words what differs, declared or not, and whether the runs were made alike.

    `of_runs` are the differences that `check_runs` finds between `num_runs` finished runs, of which
    `given_runs` are of networks that are given.
    """
    paragraphs = []
    differing = [row for row in differences if row["differs"]]
    undeclared = [
        _title(row["property"]) for row in differing if not row["declared"] and not row.get("given")
    ]
    if undeclared:
        text = f"{listed(undeclared, most=20)}. Each is what is compared, or a confounder of it."
        paragraphs.append(("Undeclared differences", text))
    given = [_title(row["property"]) for row in differing if row.get("given")]
    if given:
        who = dict.fromkeys(name for row in differing for name in row.get("given") or ())
        text = f"{listed(given, most=20)} {'differ' if len(given) > 1 else 'differs'} by networks "
        text += f"that are evaluated as given ({listed(who)}): what they were trained by is not "
        text += "known to priorscope, and their images are prepared in their own way."
        paragraphs.append(("Evaluated as given", text))
    for row in differing:
        if row["declared"]:
            paragraphs.append((f"{_title(row['property'])}, declared", row["declared"]))
    if of_runs:
        unlike = [_title(row["property"]) for row in of_runs if row["differs"]]
        checked = f"The records of {counted(num_runs, 'finished run')} were compared:"
        text = (
            f"{checked} they differ in {listed(unlike, most=20)}."
            if unlike
            else f"{checked} all by the same recipe, on the same data, preprocessed alike."
            if not given_runs
            else f"{checked} all on the same test images"
            + (
                ", and those that were trained here by the same recipe, on the same data, "
                "preprocessed alike."
                if given_runs < num_runs
                else "."
            )
        )
        paragraphs.append(("The runs themselves", text))
    return paragraphs


def _kind(row: Row) -> str:
    return PROPERTIES[row["property"].partition(".")[0]].kind


def _title(name: str) -> str:
    """Write "preprocessing.probes.combined" as "Preprocessing, combined"."""
    family, _, part = name.partition(".")
    title = PROPERTIES[family].title
    return f"{title}, {plain(part.removeprefix('probes.'))}" if part else title


def _value(name: str, value: object) -> str:
    if isinstance(value, int | float):
        return magnitude(value) if name == "macs" else count(value)
    return NONE if value is None else str(value)


def _ratio(row: Row) -> str:
    if row["ratio"] is None or not row["differs"]:
        return ""
    return f"{row['ratio']:.3g}" if row["ratio"] >= 10 else f"{row['ratio']:.2f}"


def _mark(row: Row) -> str:
    if row["differs"] and row["declared"]:
        return row["declared"]
    if row["differs"] and row.get("given"):
        return "evaluated as given"
    return "not declared" if row["differs"] else "same"


def _record(row: Row) -> Row:
    return (
        {"property": row["property"]}
        | {f"value of {model}": value for model, value in row["values"].items()}
        | {"differs": row["differs"], "ratio": row["ratio"], "declared": row["declared"]}
    )

"""What the factors do: interactions, changes of sign, and shares of the variance."""

import altair as alt

from priorscope.analysis import Findings
from priorscope.analysis.findings import scored_of, select
from priorscope.metrics import NBSP, NONE, Scale, decimal
from priorscope.report.figure import ChartFigure
from priorscope.report.level_curves import MOST_PANELS, curves, panel, panels_without, size_factor
from priorscope.report.section import Part, Section, section_of
from priorscope.report.sections.glance import main_columns
from priorscope.report.table import Table, table_of
from priorscope.report.wording import (
    APOSTROPHE,
    MINUS,
    TIMES,
    Row,
    capital,
    cell_title,
    confidence,
    counted,
    difference,
    level_text,
    listed,
    p_value,
    plain,
    with_unit,
)

_MOST_ROWS = 12  # of interactions
_MOST_ZEROS = 4  # named in words
_LARGE_SHARE = 0.1


def factors(results: Findings) -> Section | None:
    """Show what factors do to the differences between models."""
    blocks = [
        _interaction_plots(results),
        _interaction_table(results),
        _crossing_table(results),
        _variance_table(results),
    ]
    return section_of("factors", "What the factors do", Part(blocks))


def _interaction_plots(results: Findings) -> ChartFigure | None:
    """Draw each model's score over the levels of each factor that is no number of images."""
    (scored, heading), *_ = main_columns(results).items()
    scale, size = results.scale(scored), size_factor(results)
    rows, panels = select(results.estimates, **scored._asdict()), []
    for factor, levels in results.factors.items():
        if factor == size:
            continue
        order = [level_text(value) for value in levels]
        x = alt.X(
            "x:N",
            sort=order,
            title=plain(factor),
            axis=alt.Axis(labelAngle=0 if len(order) < 4 else -30, grid=False, labelLimit=110),
            scale=alt.Scale(padding=0.6),
        )
        shown = [row | {"x": level_text(row[factor])} for row in rows]
        for title, group in panels_without(results, shown, factor).items():
            if len({row["x"] for row in group}) > 1:
                panels.append(panel(curves(results, group, scale, x), title or heading))
    if not panels:
        return None
    caption = (
        f"{heading}: each model{APOSTROPHE}s score at the levels of a factor, "
        f"with {confidence(results)} intervals; the dashed grey line is chance. Lines that are "
        "parallel show no interaction; lines that cross show an architecture that is better at one "
        "level and worse at the other."
    )
    return ChartFigure("interactions", caption, panels[:MOST_PANELS], columns=2, panel_px=300)


def _interaction_table(results: Findings) -> Table | None:
    """Return what a factor does to the difference of two models, and whether it turns it round."""
    found = select(results.effects, kind="interaction")
    of_test = select(found, probe="test")
    if not of_test:
        return None
    largest = sorted(of_test, key=lambda row: -abs(row["estimate"]))[:_MOST_ROWS]
    columns = {
        "Factor": lambda row: (
            f"{plain(row['factor'])}: {plain(row['level'])} {MINUS} {plain(row['against'])}"
        ),
        "At": lambda row: cell_title(row["cell"]) or NONE,
        "Pair": lambda row: f"{row['a']} {MINUS} {row['b']}",
        "First": lambda row: _effect_text(row, "first", results.scale(scored_of(row))),
        "Second": lambda row: _effect_text(row, "second", results.scale(scored_of(row))),
        "First minus second": lambda row: difference(
            results.scale(scored_of(row)), row, "estimate"
        ),
        "p (Holm)": lambda row: p_value(row["p_adjusted"]),
        "Sign": lambda row: row["crossing"],
    }
    caption = (
        "Interactions on the test images: the difference of two models at one level of a factor, "
        f"the same at another, and the first minus the second, with {confidence(results)} "
        "intervals. p (Holm): of no interaction, two-sided, adjusted over all rows, those of the "
        "probes in the CSV file included. \N{LEFT DOUBLE QUOTATION MARK}Crosses"
        "\N{RIGHT DOUBLE QUOTATION MARK}: both differences are clear, and of opposite sign."
    )
    if len(of_test) > _MOST_ROWS:
        caption += f" The {_MOST_ROWS} largest of {len(of_test)}; the CSV file has all."
    shown = [row for row in of_test if row in largest]
    return table_of("interactions", caption, found, columns, shown=shown, numeric={3, 4, 5, 6})


def _crossing_table(results: Findings) -> Table | None:
    """Return the level of a factor at which the difference of two models changes its sign."""
    found = select(results.effects, kind="crossing")
    of_test = select(found, probe="test")
    if not of_test:
        return None

    def end(row: Row, name: str, level: str) -> str:
        return f"{_effect_text(row, name, results.scale(scored_of(row)))} at {level}"

    columns = {
        "Factor": lambda row: plain(row["factor"]),
        "At": lambda row: cell_title(row["cell"]) or NONE,
        "Pair": lambda row: f"{row['a']} {MINUS} {row['b']}",
        "At the lowest": lambda row: end(row, "first", row["level"]),
        "At the highest": lambda row: end(row, "second", row["against"]),
        "Zero at [interval]": lambda row: (
            f"{row['estimate']:.3g} [{row['low']:.3g}, {row['high']:.3g}]"
        ),
    }
    caption = (
        "Where the difference of two models on the test images changes its sign, along a factor "
        "of numbers. Listed are pairs whose difference is clearly on one side of zero at the "
        f"lowest level and on the other at the highest ({confidence(results)} intervals). "
        "Brackets: the measured levels up to which it is clearly on the first side, and from "
        "which it is on the other; what lies between is not known. The number before them takes "
        "straight lines there."
    )
    return table_of("crossings", caption, found, columns, shown=of_test, numeric={3, 4, 5})


def _effect_text(row: Row, name: str, scale: Scale) -> str:
    """Write the first or the second effect of a row with its interval, without its unit."""
    ends = {key: row[f"{name}_{key}"] for key in ("low", "high")}
    return scale.difference({"difference": row[name], **ends})


def effect_sentences(results: Findings) -> list[str]:
    """Say what turns differences round, and at which level of a factor they change their sign."""
    return [*_turned(results), *_zeros(results)]


def _turned(results: Findings) -> list[str]:
    """Name the largest difference that each factor turns round, and count the others."""
    found = [
        row
        for row in select(results.effects, kind="interaction", crossing="crosses", probe="test")
        if row["p_adjusted"] < results.settings.alpha
    ]
    largest = {row["factor"]: row for row in sorted(found, key=lambda row: abs(row["estimate"]))}
    sentences = []
    for row in largest.values():
        scale = results.scale(scored_of(row))
        first, second = (
            with_unit(_effect_text(row, name, scale), scale.difference_symbol)
            for name in ("first", "second")
        )
        sentences.append(
            f"{capital(plain(row['factor']))} turns the difference between {row['a']} and "
            f"{row['b']} round: {first} at {plain(row['level'])}, {second} at "
            f"{plain(row['against'])}{place(row)}."
        )
    if more := len(found) - len(sentences):
        sentences.append(f"Signs turn in {counted(more, 'other comparison')} too.")
    return sentences


def place(row: Row) -> str:
    """Name the cell of the other factors, in brackets; nothing where there are none."""
    return f" ({cell_title(row['cell'])})" if row["cell"] else ""


def _zeros(results: Findings) -> list[str]:
    """Say at which level a difference that is clear at both ends of a factor changes its sign."""
    rows = select(results.effects, kind="crossing", probe="test")
    return [
        f"The difference between {row['a']} and {row['b']} changes its sign between "
        f"{plain(row['factor'])} {row['low']:.3g} and {row['high']:.3g}{place(row)}."
        for row in rows[:_MOST_ZEROS]
    ]


def variance_sentences(results: Findings) -> list[str]:
    """Say where most of the variance between runs is."""
    rows = select(results.variance, probe="test")
    large = sorted((r for r in rows if r["share"] >= _LARGE_SHARE), key=lambda r: -r["share"])
    parts = [f"{100 * row['share']:.0f}{NBSP}% {_term(row['term'])}" for row in large]
    return [f"Of the variance between runs on the test images, {listed(parts)}."] if parts else []


def _term(term: str) -> str:
    if term == "seed":
        return "is between seeds"
    return f"goes with {plain(term).replace(':', f' {TIMES} ')}"


def _variance_table(results: Findings) -> Table | None:
    """Return the share of the variance between runs that each term of the design explains."""
    records = select(results.variance)
    found = select(records, probe="test")
    if not found:
        return None
    columns = {
        "Term": lambda row: plain(row["term"]).replace(":", f" {TIMES} "),
        "Due to": lambda row: row["source"],
        "Share, %": lambda row: _percent(row["share"]),
        "Adjusted, %": lambda row: _percent(row["share_adjusted"]),
        "F": lambda row: NONE if row["f"] is None else decimal(row["f"], 1),
        "p": lambda row: p_value(row["p_value"]),
    }
    num_seeds = found[0]["num_seeds"]
    caption = (
        f"Shares of the variance of the runs{APOSTROPHE} scores on the test "
        f"images, from a balanced analysis of variance with {counted(num_seeds, 'seed')} a model "
        "and cell. Share: of the total sum of squares (eta squared). Adjusted: less what noise "
        "between seeds adds to it (omega squared). Shares depend on which levels were chosen."
    )
    if num_seeds == 1:
        caption += " With one seed there is no noise to test against."
    return table_of("variance", caption, records, columns, shown=found, numeric={2, 3, 4, 5})


def _percent(share: float | None) -> str:
    return NONE if share is None else decimal(100 * share, 1)

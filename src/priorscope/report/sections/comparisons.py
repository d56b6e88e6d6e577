"""Differences between models: all pairs, on what is asked and on the control arms."""

from collections.abc import Mapping

import altair as alt

from priorscope.analysis import Findings, Scored
from priorscope.analysis.findings import scored_of, select
from priorscope.claims.inference import smallest_p
from priorscope.metrics import NBSP, Scale
from priorscope.report.colours import INK
from priorscope.report.figure import ChartFigure, Panel, chart, scaled
from priorscope.report.intervals import difference_axis, row_axis
from priorscope.report.section import Blocks, Part, Section, in_cells, section_of
from priorscope.report.sections.glance import main_columns
from priorscope.report.table import Table, table_of
from priorscope.report.wording import (
    APOSTROPHE,
    MINUS,
    Row,
    confidence,
    counted,
    difference,
    listed,
    p_value,
    plain,
    sample_size,
    with_unit,
)

_MOST_NAMED = 9  # in words
_MOST_PANELS = 16
_MOST_PAIRS = 30  # in one panel; the table has all


def comparisons(results: Findings) -> Section | None:
    """Compare all models in pairs; control arms are folded away."""
    alone = "There is nothing to compare: one model has finished runs."
    return section_of(
        "comparisons",
        "Differences between models",
        None if len(results.comparisons) else Part(paragraphs=[("", alone)]),
        *in_cells(results, _main),
        *in_cells(results, _controls, title="Differences on the control arms", folded=True),
    )


def _main(results: Findings) -> Blocks:
    what = "on the test images and on what each probe is about"
    return _blocks(results, main_columns(results), "comparisons", what)


def _controls(results: Findings) -> Blocks:
    main = results.primary()
    columns = {
        scored: f"{probe}: {plain(arm)}"
        for probe in dict.fromkeys(each.probe for each in main)
        for metric in results.metrics(probe)
        for arm in results.arms(probe, metric)
        if (scored := Scored(probe, arm, metric)) not in main
    }
    return _blocks(results, columns, "comparisons-controls", "on the control arms")


def _blocks(results: Findings, columns: Mapping[Scored, str], name: str, what: str) -> Blocks:
    # As a table only where cells or columns are many: a picture of every pair in each is more than
    # anyone looks at.
    many = results.factors or len(columns) > _MOST_PANELS
    drawn = None if many else _forests(results, columns, name, what)
    return [drawn, comparison_table(results, columns, name, what)]


def difference_sentences(results: Findings) -> list[str]:
    """Count the differences that are clear, and name a few; nothing where cells are several."""
    named, num_pairs, num_clear = [], 0, 0
    main = [] if results.factors else results.primary()
    for scored in main:
        rows = select(results.comparisons, **scored._asdict())
        clear = [row for row in rows if results.is_clear(row)]
        num_pairs += len(rows)
        num_clear += len(clear)
        if clear:
            largest = sorted(clear, key=lambda row: -abs(row["difference"]))
            largest = largest[: max(1, _MOST_NAMED // len(main))]
            said = [_clear_difference(row, results.scale(scored)) for row in largest]
            more = len(clear) - len(largest)
            said += [f"{more} more"] if more else []
            where = "the test images" if scored.probe == "test" else scored.probe
            named.append(f"on {where}, {listed(said)}")
    if not num_pairs:
        return []
    opening = (
        f"Of {counted(num_pairs, 'difference')} between models on the test images and on what the "
        f"probes are about, {num_clear or 'none'} {'are' if num_clear > 1 else 'is'} clear "
        f"(p{NBSP}<{NBSP}{results.settings.alpha:g} after Holm{APOSTROPHE}s correction, and an "
        "interval without zero)"
    )
    if not named:
        return [f"{opening}.", "That is no evidence that models are equal."]
    sentences = [f"{opening}: {'; '.join(named)}."]
    if unclear := num_pairs - num_clear:
        closing = f"The other {unclear} are not" if unclear != 1 else "The other one is not"
        closing += " clear in either direction, which is no evidence that models are equal."
        sentences.append(closing)
    return sentences


def _clear_difference(row: Row, scale: Scale) -> str:
    """Write "a above b (+4.1 pp [...])", the better model first."""
    a, b, ends = row["a"], row["b"], [row["difference"], row["low"], row["high"]]
    if row["difference"] < 0:
        a, b, ends = b, a, [-row["difference"], -row["high"], -row["low"]]
    text = scale.difference(dict(zip(("difference", "low", "high"), ends, strict=True)))
    return f"{a} above {b} ({with_unit(text, scale.difference_symbol)})"


def comparison_table(
    results: Findings, columns: Mapping[Scored, str], name: str, what: str
) -> Table | None:
    """Return one row a pair of models and arm: difference, interval, p and Holm-adjusted p."""
    records = [row for scored in columns for row in _rows(results, scored)]
    if not records:
        return None
    tests = listed(dict.fromkeys(plain(record["test"]) for record in records))
    caption = (
        f"Differences between models {what}, first minus second, with {confidence(results)} "
        f"intervals ({sample_size(records)}). p: {tests}; p (Holm): adjusted over all "
        "pairs, probes and arms of the study. pp: percentage points."
    )
    if any(record["few_seeds"] for record in records):
        caption += (
            " Fewer than five seeds carry no p below 0.01; every seed has a row in the scores."
        )

    def p_of(key: str):
        return lambda row: p_value(row[key], smallest=smallest_p(few_seeds=row["few_seeds"]))

    shown = {
        "On": lambda row: columns[scored_of(row)],
        "Pair": lambda row: f"{row['a']} {MINUS} {row['b']}",
        "Difference [interval]": lambda row: difference(results.scale(scored_of(row)), row),
        "p": p_of("p_value"),
        "p (Holm)": p_of("p_adjusted"),
    }
    return table_of(name, caption, records, shown, numeric={2, 3, 4})


def _forests(
    results: Findings, columns: Mapping[Scored, str], name: str, what: str
) -> ChartFigure | None:
    """Draw the pairwise differences of each column as a forest plot."""
    panels, is_cut = [], False
    for scored, title in columns.items():
        rows = [row for row in _rows(results, scored) if row["difference"] is not None]
        if rows:
            largest = sorted(rows, key=lambda row: -abs(row["difference"]))[:_MOST_PAIRS]
            is_cut |= len(rows) > _MOST_PAIRS
            kept = [row for row in rows if row in largest]
            panels.append(_panel(results, scored, kept, title))
    if not panels:
        return None
    caption = (
        f"Differences between models {what}, first minus second, with {confidence(results)} "
        f"intervals. Filled: clear after Holm{APOSTROPHE}s correction (adjusted p < "
        f"{results.settings.alpha:g}, and an interval without zero); hollow: not."
    )
    if is_cut:
        caption += f" Each panel shows the {_MOST_PAIRS} largest differences; the table has all."
    return ChartFigure(name, caption, panels, panel_px=300)


def _rows(results: Findings, scored: Scored) -> list[Row]:
    return select(results.comparisons, **scored._asdict())


def _panel(results: Findings, scored: Scored, found: list[Row], title: str) -> Panel:
    scale = results.scale(scored)
    rows = [
        {"pair": f"{row['a']} {MINUS} {row['b']}", "p": row["p_adjusted"]}
        | scaled(row, scale.factor, "difference", "low", "high")
        | {"text": scale.difference(row), "clear": results.is_clear(row)}
        for row in found
    ]
    axis = row_axis(labelLimit=170)
    base = chart(rows).encode(
        y=alt.Y("pair:N", sort=[row["pair"] for row in rows], title=None, axis=axis),
        tooltip=[
            alt.Tooltip("pair:N"),
            alt.Tooltip("text:N", title="difference"),
            alt.Tooltip("p:Q", title="p (Holm)", format=".3g"),
        ],
    )
    x = difference_axis("difference", "Difference", scale)
    zero = chart([{"zero": 0}]).mark_rule(color=INK, strokeWidth=1)
    fill = alt.condition("datum.clear", alt.value(INK), alt.value("white"))
    return alt.layer(
        zero.encode(x=alt.X("zero:Q")),
        base.mark_rule(strokeWidth=2, color=INK).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_point(size=46, stroke=INK, strokeWidth=1.6, opacity=1).encode(x=x, fill=fill),
    ).properties(width=210, height=alt.Step(22), title=title)

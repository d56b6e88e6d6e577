"""Which models err on the same images: Cohen's kappa of all pairs, and between seeds of each."""

from itertools import combinations_with_replacement

import altair as alt
import numpy as np

from priorscope.analysis import Findings
from priorscope.analysis.findings import select
from priorscope.measures.error_consistency import ceiling
from priorscope.metrics import NONE, Scale
from priorscope.report.colours import INK, MUTED
from priorscope.report.figure import ChartFigure, chart
from priorscope.report.section import Blocks, Part, Section, in_cells, section_of
from priorscope.report.table import PageCell, Table
from priorscope.report.wording import Row, confidence
from priorscope.study.measures import asked_as, measures_of

ERROR_CONSISTENCY = "error_consistency"
_KAPPA = Scale("kappa", -1.0, 1.0, "", "", 1.0, 2)
_MEANING = (
    "Cohen's kappa of being right: how much more often two networks are both right or both wrong "
    "on an image than their accuracies alone let expect (Geirhos et al. 2020, arXiv:2006.16736). "
    "0 is what independent errors give, 1 the same errors. Networks of unequal accuracy cannot "
    "reach 1: the ceiling is the largest kappa that their accuracies allow. Two seeds of one model "
    "show how much of it another training alone takes away."
)
_NO_PAIR: Row = {"estimate": None, "ceiling": None}


def error_consistency(results: Findings) -> Section | None:
    """Say which models err alike, where networks of two models were compared."""
    cells = [part for part in in_cells(results, _of_cell) if part.shown]
    if len(results.models) < 2 or not cells:
        return None
    paragraphs = [("", _MEANING)]
    if not results.factors:
        rows = _rows(results)
        paragraphs += [("", _findings(rows)), ("Networks of equal seed", _apart(rows))]
    said = Part(paragraphs=[(about, text) for about, text in paragraphs if text])
    return section_of("error-consistency", "Consistency of errors", said, *cells)


def _of_cell(results: Findings) -> Blocks:
    rows = _rows(results)
    return [_matrix(results, rows), _figure(rows)] if rows else []


def _rows(results: Findings) -> list[Row]:
    """List every pair of models: kappa with interval, its ceiling, and that of equal seeds."""
    name = asked_as(results.study, ERROR_CONSISTENCY)
    if name is None:
        return []
    measure = measures_of(results.study)[name]
    pairs = select(results.measurements, measure=name)
    if not pairs:
        return []
    arm = pairs[0]["arm"]
    accuracy = {
        (row["model"], row["seed"]): row["value"]
        for row in select(results.scores, probe=measure.probe, arm=arm, metric="top1")
    }
    rows = []
    for model, partner in combinations_with_replacement(results.models, 2):
        found = select(pairs, model=model, partner=partner, arm=arm)
        if not found:
            continue
        estimated = select(results.measures, measure=name, model=model, partner=partner, arm=arm)
        row = estimated[0] if estimated else {}
        equal = [each["value"] for each in found if each["shares_order"]]
        ceilings = [
            ceiling(*(accuracy[key] for key in keys))
            for each in found
            if not each["shares_order"]
            for keys in [((model, each["seed"]), (partner, each["partner_seed"]))]
            if all(key in accuracy for key in keys)
        ]
        rows.append(
            {"model": model, "partner": partner}
            | {key: row.get(key) for key in ("estimate", "low", "high", "num_pairs", "n", "method")}
            | {"ceiling": float(np.mean(ceilings)) if ceilings else None}
            | {"equal_seeds": float(np.mean(equal)) if equal else None}
        )
    return rows


def _matrix(results: Findings, rows: list[Row]) -> Table:
    by_pair = {(row["model"], row["partner"]): row for row in rows}
    models = [m for m in results.models if any(m in (r["model"], r["partner"]) for r in rows)]
    text, page = [], []
    for i, model in enumerate(models):
        cells = [PageCell("")] * i
        for partner in models[i:]:
            row = by_pair.get((model, partner), _NO_PAIR)
            known = row["estimate"] is not None
            most = row["ceiling"]
            note = f"ceiling {_KAPPA.value(most)}" if known and most is not None else ""
            cells.append(PageCell(_KAPPA.estimate(row) if known else NONE, note=note))
        page.append((PageCell(model), *cells))
        text.append((model, *(f"{c.text}; {c.note}" if c.note else c.text for c in cells)))
    speaks = ""
    if any("only" in (row["method"] or "") for row in rows):
        speaks = (
            " Two seeds do not tell how networks differ: where a model has no more, intervals are "
            "about these trained networks, on other images."
        )
    caption = (
        "Consistency of errors: kappa between models, mean over pairs of networks, and on the "
        f"diagonal between seeds of one model, with {confidence(results)} intervals over networks "
        f"and images; under it the ceiling at the accuracies of the same pairs.{speaks}"
    )
    header = ("", *models)
    return Table(
        "error-consistency", caption, header, text, rows, range(1, len(header)),
        numbered=False, page_header=header, page_rows=page,
    )  # fmt: skip


def _findings(rows: list[Row]) -> str:
    """Say between what kappa lies within models and between them, and which two are most alike."""
    known = [row for row in rows if row["estimate"] is not None]
    own = [row for row in known if row["model"] == row["partner"]]
    between = [row for row in known if row["model"] != row["partner"]]
    parts = []
    if own:
        parts.append(f"Seeds of one model agree at {_span(own)}.")
    if between:
        least, most = (end(between, key=lambda row: row["estimate"]) for end in (min, max))
        text = f"{most['model']} and {most['partner']} have {_KAPPA.estimate(most)}"
        if most is least:
            parts.append(f"{text}.")
        else:
            text = f"Of two models, {text}, the largest; {least['model']} and "
            parts.append(f"{text}{least['partner']} {_KAPPA.estimate(least)}, the smallest.")
    return " ".join(parts)


def _span(rows: list[Row]) -> str:
    low, high = (_KAPPA.value(end(row["estimate"] for row in rows)) for end in (min, max))
    return low if low == high else f"{low} to {high}"


def _apart(rows: list[Row]) -> str:
    """Say what pairs of equal seed have, which are left out."""
    found = [row for row in rows if row["equal_seeds"] is not None]
    if not found:
        return ""
    listed = ", ".join(
        f"{row['model']} and {row['partner']} {_KAPPA.value(row['equal_seeds'])}" for row in found
    )
    text = (
        "They saw the same examples in the same order, with the same augmentation, and may agree "
        f"because of that: {listed}. "
    )
    if all(row["estimate"] is None for row in found):
        return f"{text}With one seed there are no other pairs of two models."
    return f"{text}They are left out of the means above."


def _figure(rows: list[Row]) -> ChartFigure | None:
    """Draw kappa of every pair with its interval, and its ceiling as a mark."""
    drawn = [
        {"pair": _pair(row), "kappa": row["estimate"], "low": row["low"], "high": row["high"]}
        | {"ceiling": row["ceiling"]}
        | {"kind": "seeds of one model" if row["model"] == row["partner"] else "two models"}
        for row in rows
        if row["estimate"] is not None
    ]
    if not drawn:
        return None
    order = [row["pair"] for row in sorted(drawn, key=lambda row: row["kappa"], reverse=True)]
    x = alt.X("kappa:Q", title="Kappa of being right", scale=alt.Scale(nice=True))
    base = chart(drawn).encode(y=alt.Y("pair:N", sort=order, title=None))
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["two models", "seeds of one model"], range=["#0072b2", "#d55e00"]),
    )
    tips = [alt.Tooltip(f"{key}:Q", format=".2f") for key in ("kappa", "low", "high", "ceiling")]
    zero = chart([{"zero": 0}]).mark_rule(color=MUTED).encode(x="zero:Q")
    bars = base.mark_rule(strokeWidth=1.5).encode(x="low:Q", x2="high:Q", color=colour)
    points = base.mark_point(filled=True, size=50).encode(
        x=x, color=colour, tooltip=["pair:N", *tips]
    )
    limits = base.mark_tick(color=INK, thickness=2, size=12).encode(x="ceiling:Q")
    panel = alt.layer(zero, bars, points, limits).properties(width=300, height=22 * len(drawn) + 8)
    caption = (
        "Consistency of errors. Points and bars: kappa with its interval; upright marks: the "
        "ceiling at these accuracies; line: errors that are independent."
    )
    return ChartFigure("error-consistency", caption, [panel], numbered=False)


def _pair(row: Row) -> str:
    if row["model"] == row["partner"]:
        return row["model"]
    return f"{row['model']} and {row['partner']}"

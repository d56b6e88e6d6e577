"""Which models err on the same images: Cohen's kappa of all pairs, and between seeds of each."""

from itertools import combinations_with_replacement

import altair as alt
import numpy as np

from priorscope.measures.error_consistency import ceiling
from priorscope.metrics import NONE, Scale
from priorscope.report.artefacts import Artefacts, Row, select
from priorscope.report.colours import INK, MUTED
from priorscope.report.figures import ChartFigure, values
from priorscope.report.tables import Cell, Table
from priorscope.report.wording import plain
from priorscope.study.measures import measures_of

_NAME = "error_consistency"
_KAPPA = Scale("kappa", -1.0, 1.0, "", "", 1.0, 2)
_MEANING = (
    "Cohen's kappa of being right: how much more often two networks are both right or both wrong "
    "on an image than their accuracies alone let expect (Geirhos et al. 2020, arXiv:2006.16736). "
    "0 is what independent errors give, 1 the same errors. Networks of unequal accuracy cannot "
    "reach 1: the ceiling is the largest kappa that their accuracies allow. Two seeds of one model "
    "show how much of it another training alone takes away."
)
_NO_PAIR: Row = {"estimate": None, "ceiling": None}
Paragraphs = tuple[tuple[str, str], ...]


def error_consistency(
    artefacts: Artefacts,
) -> tuple[Paragraphs, tuple[Table | ChartFigure, ...]]:
    """Say which models err alike, as sentences, a matrix and a figure.

    Nothing where no two networks were compared, as in a study of one model.
    """
    rows = _rows(artefacts)
    if len(artefacts.models) < 2 or not rows:
        return (), ()
    blocks = [_matrix(artefacts, rows)]
    figure = _figure(rows)
    sentences = [("", _MEANING)]
    if found := _findings(rows):
        sentences.append(("", found))
    if apart := _apart(rows):
        sentences.append(("Networks of equal seed", apart))
    return tuple(sentences), (*blocks, *([] if figure is None else [figure]))


def _rows(artefacts: Artefacts) -> list[Row]:
    """List every pair of models: kappa with interval, its ceiling, and that of equal seeds."""
    measure = measures_of(artefacts.study).get(_NAME)
    if measure is None or measure.component.name != _NAME or measure.component.parameters:
        return []  # the study calls something else by this name
    pairs = select(artefacts.measurements, measure=_NAME)
    if not pairs:
        return []
    arm = pairs[0]["arm"]
    accuracy = {
        (row["model"], row["seed"]): row["value"]
        for row in select(artefacts.scores, probe=measure.probe, arm=arm, metric="top1")
    }
    rows = []
    for model, partner in combinations_with_replacement(artefacts.models, 2):
        found = select(pairs, model=model, partner=partner, arm=arm)
        if not found:
            continue
        estimated = select(artefacts.measures, measure=_NAME, model=model, partner=partner, arm=arm)
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


def _matrix(artefacts: Artefacts, rows: list[Row]) -> Table:
    by_pair = {(row["model"], row["partner"]): row for row in rows}
    models = [m for m in artefacts.models if any(m in (r["model"], r["partner"]) for r in rows)]
    text, page = [], []
    for i, model in enumerate(models):
        cells: list[Cell] = [Cell("")] * i
        for partner in models[i:]:
            row = by_pair.get((model, partner), _NO_PAIR)
            known = row["estimate"] is not None
            most = row["ceiling"]
            note = f"ceiling {_KAPPA.value(most)}" if known and most is not None else ""
            cells.append(Cell(_KAPPA.estimate(row) if known else NONE, note=note))
        page.append((Cell(model), *cells))
        text.append((model, *(f"{c.text}; {c.note}" if c.note else c.text for c in cells)))
    speaks = ""
    if any("only" in (row["method"] or "") for row in rows):
        speaks = (
            " Two seeds do not tell how networks differ: where a model has no more, intervals are "
            "about these trained networks, on other images."
        )
    caption = (
        "Consistency of errors: kappa between models, mean over pairs of networks, and on the "
        f"diagonal between seeds of one model, with {artefacts.confidence} intervals over networks "
        f"and images; under it the ceiling at the accuracies of the same pairs.{speaks}"
    )
    header = ("", *models)
    return Table(
        "error-consistency", caption, header, tuple(text), tuple(rows),
        frozenset(range(1, len(header))), numbered=False, page_header=header, page_rows=tuple(page),
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
        text = f"{plain(most['model'])} and {plain(most['partner'])} have {_shown(most)}"
        if most is least:
            parts.append(f"{text}.")
        else:
            text = f"Of two models, {text}, the largest; {plain(least['model'])} and "
            parts.append(f"{text}{plain(least['partner'])} {_shown(least)}, the smallest.")
    return " ".join(parts)


def _span(rows: list[Row]) -> str:
    low, high = (_KAPPA.value(end(row["estimate"] for row in rows)) for end in (min, max))
    return low if low == high else f"{low} to {high}"


def _shown(row: Row) -> str:
    return _KAPPA.estimate(row)


def _apart(rows: list[Row]) -> str:
    """Say what pairs of equal seed have, which are left out."""
    found = [row for row in rows if row["equal_seeds"] is not None]
    if not found:
        return ""
    listed = ", ".join(
        f"{plain(row['model'])} and {plain(row['partner'])} {_KAPPA.value(row['equal_seeds'])}"
        for row in found
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
    base = alt.Chart(values(drawn)).encode(y=alt.Y("pair:N", sort=order, title=None))
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["two models", "seeds of one model"], range=["#0072b2", "#d55e00"]),
    )
    tips = [alt.Tooltip(f"{key}:Q", format=".2f") for key in ("kappa", "low", "high", "ceiling")]
    zero = alt.Chart(values([{"zero": 0}])).mark_rule(color=MUTED).encode(x="zero:Q")
    bars = base.mark_rule(strokeWidth=1.5).encode(x="low:Q", x2="high:Q", color=colour)
    points = base.mark_point(filled=True, size=50).encode(
        x=x, color=colour, tooltip=["pair:N", *tips]
    )
    limits = base.mark_tick(color=INK, thickness=2, size=12).encode(x="ceiling:Q")
    chart = alt.layer(zero, bars, points, limits).properties(width=300, height=22 * len(drawn) + 8)
    caption = (
        "Consistency of errors. Points and bars: kappa with its interval; upright marks: the "
        "ceiling at these accuracies; line: errors that are independent."
    )
    return ChartFigure("error-consistency", caption, (chart,), numbered=False)


def _pair(row: Row) -> str:
    if row["model"] == row["partner"]:
        return plain(row["model"])
    return f"{plain(row['model'])} and {plain(row['partner'])}"

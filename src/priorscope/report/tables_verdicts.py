"""The verdicts on declared hypotheses, how training ended, and how precise the study was."""

from math import inf

from priorscope.report.artefacts import Artefacts, Row
from priorscope.report.interval_picture import interval_picture
from priorscope.report.tables import Cell, Table
from priorscope.report.wording import NONE, Unit, decimal, p_value, plain, unit
from priorscope.study.levels import listed_levels

_SIGNS = {"less": "<", "greater": ">", "different": "\N{NOT EQUAL TO}"}
_SIGNS |= {"equivalent": "\N{ALMOST EQUAL TO}"}
_MINUS = "\N{MINUS SIGN}"
BEYOND = "more than scores can differ"


def verdict_unit(artefacts: Artefacts, row: Row) -> Unit:
    """Choose how the numbers of a verdict are shown."""
    arm = (row["arms"] or [""])[0]
    return unit(artefacts, row["probe"], arm, row["metric"])


def contrasted(row: Row) -> str:
    """Write a contrast as a difference: "vit - cnn", "cnn - 0.6", "vit (background - grey)"."""
    contrast = row["contrast"]
    a, b, level = contrast["a"], contrast["b"], contrast["level"]
    if pair := _pair(contrast):
        first, second = pair
        within = f"({first} {_MINUS} {second})"
        return f"{a} {within}" if b is None else f"({a} {_MINUS} {b}) {within}"
    return f"{a} {_MINUS} {b if level is None else decimal(level, 3).rstrip('0').rstrip('.')}"


def declared(row: Row, unit_: Unit) -> str:
    """Write what was declared: "vit < cnn in top-1 accuracy on test"."""
    contrast, margin = row["contrast"], row["margin"]
    a, b = contrast["a"], contrast["b"]
    if contrast["level"] is not None:
        b = f"{unit_.value(contrast['level'])} {unit_.symbol}".strip()
    if pair := _pair(contrast):
        first, second = pair
        a, b = (
            (f"{a} on {first}", second)
            if b is None
            else (f"{first} {_MINUS} {second} of {a}", f"that of {b}")
        )
    text = f"{a} {_SIGNS[row['expect']]} {b}"
    if margin is not None:
        text += f" within \N{PLUS-MINUS SIGN}{margin * unit_.factor:g} {unit_.difference_symbol}"
    metric = f"{unit_.metric[0].lower()}{unit_.metric[1:]}"
    arms = row["arms"] or []
    where = row["probe"]
    if len(arms) == 1 and arms[0] not in (where, ""):
        where = f"{where}: {plain(arms[0])}"
    at = listed_levels((row.get("at") or {}).items())
    return f"{text.strip()} in {metric} on {where}" + (f", at {plain(at)}" if at else "")


def _pair(contrast: Row) -> tuple[str, str] | None:
    """Name the two conditions, or the two levels, that a contrast is between."""
    if between := contrast.get("between"):
        one, other = (
            plain(listed_levels((name, values[side]) for name, values in between.items()))
            for side in (0, 1)
        )
        return one, other
    if contrast["conditions"] is None:
        return None
    first, second = map(plain, contrast["conditions"])
    return first, second


def possible(row: Row) -> tuple[float, float]:
    """Give the smallest and the largest difference that a verdict's scores can have."""
    contrast, largest = row["contrast"], row["largest_score"]
    if largest is None:
        return -inf, inf
    if contrast["level"] is not None:
        return -contrast["level"], largest - contrast["level"]
    most = largest * (2 if contrast["b"] is not None and _pair(contrast) else 1)
    return -most, most


def cut(row: Row) -> Row:
    """Cut a verdict's interval at what scores can differ; for a reader, never to decide by."""
    if row["estimate"] is None:
        return row
    least, most = possible(row)
    return row | {"low": max(row["low"], least), "high": min(row["high"], most)}


def effect(row: Row, unit_: Unit) -> str:
    """Write "difference [low, high] pp" of a verdict, or that there is none."""
    if row["estimate"] is None:
        return NONE
    text = unit_.difference(cut(row) | {"difference": row["estimate"]})
    return f"{text} {unit_.difference_symbol}".strip()


def deciding_p(row: Row) -> str:
    """Write the adjusted p of what is claimed, or of its contrary where that is what was shown."""
    refuted = row["verdict"] == "refuted"
    return p_value(row["p_contrary_adjusted" if refuted else "p_adjusted"])


def verdict_table(artefacts: Artefacts) -> Table | None:
    """Give one row a hypothesis: effect, interval against zero or margin, p, verdict, reason."""
    rows, pages = [], []
    for row in artefacts.verdicts:
        unit_ = verdict_unit(artefacts, row)
        what, shown, p = declared(row, unit_), effect(row, unit_), deciding_p(row)
        late = row["changed_after_results"]
        marked = f" {late[0].upper()}{late[1:]}, when results existed." if late else ""
        verdict = row["verdict"].capitalize()
        rows.append(
            (row["id"], row["statement"], what, shown, p, verdict, f"{row['reason']}{marked}")
        )
        anchor = f"#from-{row['id']}" if row["predictions"] else ""
        picture = interval_picture(cut(row), unit_) if row["estimate"] is not None else ""
        pages.append(
            (
                Cell(row["id"]),
                Cell(row["statement"], note=what),
                Cell(shown, href=anchor, picture=picture),
                Cell(p, href=anchor),
                Cell(verdict, mark=row["verdict"], note=f"{row['reason']}{marked}"),
                Cell("", anchor=anchor.removeprefix("#"), links=_sources(row)),
            )
        )
    if not rows:
        return None
    caption = (
        f"Verdicts on the {len(rows)} hypotheses that the study declares. Effect: the first part "
        "of what is compared minus the second, with the interval that agrees with the test: "
        f"{_levels(artefacts.verdicts)}. p (Holm): of what is claimed, or where that "
        "is refuted of its contrary, adjusted over all "
        "hypotheses. In the small pictures the line is zero, the band the margin, the dot the "
        "effect and the bar its interval."
    )
    return Table(
        "verdicts",
        caption,
        ("", "Statement", "Declared", "Effect [interval]", "p (Holm)", "Verdict", "Why"),
        tuple(rows),
        tuple(_record(row) for row in artefacts.verdicts),
        frozenset({4}),
        numbered=False,
        page_header=("", "Statement", "Effect [interval]", "p (Holm)", "Verdict and why", "From"),
        page_rows=tuple(pages),
    )


def convergence_table(artefacts: Artefacts) -> Table | None:
    """Give how each model's training ended, by which verdicts are withheld."""
    training, criterion = artefacts.judged["training"], artefacts.judged["convergence"]
    if not artefacts.verdicts or not training:
        return None
    rows = []
    for model, ended in training.items():
        change, accuracy = ended["loss_change"], ended["train_accuracy"]
        rows.append(
            (
                model,
                NONE if change is None else f"{100 * change:.1f}",
                NONE if accuracy is None else f"{100 * accuracy:.1f}",
                "converged" if ended["converged"] else ended["reason"],
            )
        )
    least = criterion["train_accuracy"]
    asked = f" and an accuracy of at least {100 * least:g} % there" if least else ""
    caption = (
        "How training ended, mean over seeds. Declared criterion: the whole schedule, and a last "
        f"tenth of training that brought at most {100 * criterion['loss_change']:g} % of the whole "
        f"fall of the training loss since the first epoch{asked}. It says that this schedule had "
        "little left to give, not that a longer one would not: the learning rate of most schedules "
        "ends at zero, and any loss is flat there. Read it beside the accuracy on training images."
    )
    header = ("Model", "Last tenth, % of the fall", "Accuracy on training images, %", "Training")
    records = tuple({"model": model, **ended} for model, ended in training.items())
    numeric = frozenset({1, 2})
    return Table("convergence", caption, header, tuple(rows), records, numeric, numbered=False)


def precision_table(artefacts: Artefacts) -> Table | None:
    """Give what the study could have shown, from the variances that it measured."""
    rows, pages, records = [], [], []
    for row in artefacts.verdicts:
        if row["estimate"] is None:
            continue
        unit_ = verdict_unit(artefacts, row)
        half = (row["high"] - row["low"]) / 2
        check = unit_.interval(row["bootstrap_low"], row["bootstrap_high"], signed=True)
        cells = (
            row["id"],
            contrasted(row),
            _with(unit_, half, possible(row)[1]),
            _with(unit_, row["detectable"], possible(row)[1]),
            _spread(unit_, row["components"]["seed"]),
            f"{check} {unit_.difference_symbol}".strip(),
            row["method"],
        )
        rows.append(cells)
        pages.append((Cell(row["id"], href=f"#from-{row['id']}"), *map(Cell, cells[1:])))
        records.append({key: row[key] for key in _PRECISION} | {"half_width": half})
    if not rows:
        return None
    caption = (
        "Precision reached. Half width: of the interval. Detectable: the smallest effect (for "
        "\N{ALMOST EQUAL TO}, the smallest margin) that a study of this size and these variances "
        "shows with 80 % power, if it is the last of the hypotheses in Holm's order. Between "
        "seeds: the standard deviation of a trained network's score, by model. Bootstrap: the same "
        "interval by resampling seeds and scenes, as a check; it is too short for few seeds."
    )
    header = ("", "Contrast", "Half width", "Detectable", "Between seeds", "Bootstrap", "Method")
    numeric = frozenset({2, 3, 4, 5})
    return Table(
        "precision", caption, header, tuple(rows), tuple(records), numeric, numbered=False,
        page_header=header, page_rows=tuple(pages),
    )  # fmt: skip


_PRECISION = ("id", "estimate", "low", "high", "standard_error", "df", "detectable")
_PRECISION += ("bootstrap_low", "bootstrap_high", "num_seeds", "n", "method")


def _sources(row: Row) -> tuple[tuple[str, str], ...]:
    """Link the predictions that a verdict's numbers came from, seen from the page."""
    files = zip(row["runs"], row["predictions"], strict=True)
    return tuple((run.rpartition("-")[0], f"../{file}") for run, file in files)


def _levels(verdicts: list[Row]) -> str:
    levels: dict[str, list[str]] = {}
    for row in verdicts:
        levels.setdefault(f"{100 * row['confidence']:g} %", []).append(row["id"])
    if len(levels) == 1:
        return next(iter(levels))
    return ", ".join(f"{level} for {', '.join(names)}" for level, names in levels.items())


def _with(unit_: Unit, value: float, most: float) -> str:
    if value > most:
        return BEYOND
    return f"{unit_.value(value)} {unit_.difference_symbol}".strip()


def _spread(unit_: Unit, variances: list[float | None]) -> str:
    known = [NONE if value is None else unit_.value(value**0.5) for value in variances]
    return f"{', '.join(known)} {unit_.difference_symbol}".strip()


def _record(row: Row) -> Row:
    contrast = {f"contrast_{key}": value for key, value in row["contrast"].items()}
    left_out = ("contrast", "components", "runs", "predictions", "arms")
    kept = {key: value for key, value in row.items() if key not in left_out}
    return kept | contrast | {"predictions": " ".join(row["predictions"])}

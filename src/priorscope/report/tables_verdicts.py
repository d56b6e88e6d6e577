"""The verdicts on declared hypotheses, how training ended, and how precise the study was."""

from math import inf

from priorscope.claims.inference import smallest_p
from priorscope.claims.words import percent, seeds_text
from priorscope.metrics import NONE, Scale, decimal
from priorscope.report.artefacts import Artefacts, Row
from priorscope.report.interval_picture import interval_picture
from priorscope.report.tables import PageCell, Table
from priorscope.report.wording import count, p_value, plain
from priorscope.study.levels import listed_levels

_SIGNS = {"less": "<", "greater": ">", "different": "\N{NOT EQUAL TO}"}
_SIGNS |= {"equivalent": "\N{ALMOST EQUAL TO}"}
_MINUS = "\N{MINUS SIGN}"
BEYOND = "more than scores can differ"


def verdict_scale(row: Row) -> Scale:
    """Choose how the numbers of a verdict are shown."""
    return Scale(**row["scale"]) if row["scale"] else Scale(plain(row["metric"]))


def contrasted(row: Row) -> str:
    """Write a contrast as a difference: "vit - cnn", "cnn - 0.6", "vit (background - grey)"."""
    contrast = row["contrast"]
    a, b, level = contrast["a"], contrast["b"], contrast["level"]
    if pair := _pair(contrast):
        first, second = pair
        within = f"({first} {_MINUS} {second})"
        return f"{a} {within}" if b is None else f"({a} {_MINUS} {b}) {within}"
    return f"{a} {_MINUS} {b if level is None else decimal(level, 3).rstrip('0').rstrip('.')}"


def declared(row: Row, scale: Scale) -> str:
    """Write what was declared: "vit < cnn in top-1 accuracy on test"."""
    contrast, margin = row["contrast"], row["margin"]
    a, b = contrast["a"], contrast["b"]
    if contrast["level"] is not None:
        b = f"{scale.value(contrast['level'])} {scale.symbol}".strip()
    if pair := _pair(contrast):
        first, second = pair
        a, b = (
            (f"{a} on {first}", second)
            if b is None
            else (f"{first} {_MINUS} {second} of {a}", f"that of {b}")
        )
    text = f"{a} {_SIGNS[row['expect']]} {b}"
    if margin is not None:
        text += f" within \N{PLUS-MINUS SIGN}{margin * scale.factor:g} {scale.difference_symbol}"
    metric = f"{scale.phrase}"
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
    """Return the smallest and the largest that a verdict's sum can be."""
    least, most = row["range"] or (None, None)
    return (-inf if least is None else least), (inf if most is None else most)


def cut(row: Row) -> Row:
    """Cut a verdict's interval at what its sum can be; for a reader, never to decide by."""
    if row["estimate"] is None:
        return row
    least, most = possible(row)
    return row | {"low": max(row["low"], least), "high": min(row["high"], most)}


def cut_unadjusted(row: Row) -> Row:
    """Return a verdict's unadjusted interval, cut in the same way."""
    return cut(row | {key: row["unadjusted"][key] for key in ("low", "high")})


def effect(row: Row, scale: Scale) -> str:
    """Write "difference [low, high] pp" of a verdict, or that there is none."""
    if row["estimate"] is None:
        return NONE
    text = scale.difference(cut(row) | {"difference": row["estimate"]})
    return f"{text} {scale.difference_symbol}".strip()


def deciding_p(row: Row) -> str:
    """Write the adjusted p of what is claimed, or of its contrary where that is what was shown."""
    refuted = row["verdict"] == "refuted"
    p = row["p_contrary_adjusted" if refuted else "p_adjusted"]
    return p_value(p, smallest=smallest_p(few_seeds=row["few_seeds"]))


def seeds_shown(row: Row) -> str:
    """Write every seed's own score where seeds are few or fall apart; else nothing."""
    if not row["seed_scores"] or not row["few_seeds"]:
        return ""
    return f"seeds: {seeds_text(row['seed_scores'], verdict_scale(row))}"


def interval_levels(row: Row, scale: Scale) -> str:
    """Write which interval stands there, and the unadjusted one beside it where it is another."""
    if row["estimate"] is None:
        return ""
    text, alone = f"{percent(row['confidence'])} interval", row["unadjusted"]
    if alone["confidence"] == row["confidence"]:
        return text
    plain_one = scale.interval(*(cut_unadjusted(row)[key] for key in ("low", "high")), signed=True)
    return f"{text}, of this step of Holm's correction; alone {percent(alone['confidence'])} " + (
        plain_one
    )


def verdict_table(artefacts: Artefacts) -> Table | None:
    """List one row a hypothesis: effect, interval against zero or margin, p, verdict, reason."""
    rows, pages = [], []
    for row in artefacts.verdicts:
        scale = verdict_scale(row)
        what, shown, p = declared(row, scale), effect(row, scale), deciding_p(row)
        levels, seeds = interval_levels(row, scale), seeds_shown(row)
        late = row["changed_after_results"]
        marked = f" {late[0].upper()}{late[1:]}, when results existed." if late else ""
        verdict = row["verdict"].capitalize()
        why = f"{row['reason']}{marked}"
        rows.append((row["id"], row["statement"], what, shown, levels, p, verdict, seeds, why))
        anchor = f"#from-{row['id']}" if row["predictions"] else ""
        picture = interval_picture(cut(row), scale) if row["estimate"] is not None else ""
        pages.append(
            (
                PageCell(row["id"]),
                PageCell(row["statement"], note=what),
                PageCell(shown, href=anchor, picture=picture, note=_joined(levels, seeds)),
                PageCell(p, href=anchor),
                PageCell(verdict, mark=row["verdict"], note=why),
                PageCell("", anchor=anchor.removeprefix("#"), links=_sources(row)),
            )
        )
    if not rows:
        return None
    caption = (
        f"Verdicts on the {len(rows)} hypotheses that the study declares. Effect: the first part "
        "of what is compared minus the second, with the interval that decides: its level is that "
        "of the test at its step of Holm\N{RIGHT SINGLE QUOTATION MARK}s correction, so that it "
        "leaves out zero (or lies within the margin) exactly where the verdict says so. p (Holm): "
        "of what is claimed, or where that is refuted of its contrary, adjusted over all "
        "hypotheses. In the small pictures the line is zero, the band the margin, the dot the "
        "effect and the bar its interval."
    )
    header = ("", "Statement", "Declared", "Effect [interval]", "Interval", "p (Holm)", "Verdict")
    return Table(
        "verdicts",
        caption,
        (*header, "Seeds", "Why"),
        tuple(rows),
        tuple(_record(row) for row in artefacts.verdicts),
        frozenset({5}),
        numbered=False,
        page_header=("", "Statement", "Effect [interval]", "p (Holm)", "Verdict and why", "From"),
        page_rows=tuple(pages),
    )


def training_table(artefacts: Artefacts) -> Table | None:
    """Show how each model's training ended, and which seeds learnt nothing."""
    training = artefacts.judged["training"]
    if not artefacts.verdicts or not training:
        return None
    rows = []
    for model, ended in training.items():
        accuracy, constant = ended["train_accuracy"], ended["constant_accuracy"]
        rows.append(
            (
                model,
                count(ended["num_epochs"]),
                count(ended["num_images"]),
                NONE if accuracy is None else f"{100 * accuracy:.1f}",
                NONE if constant is None else f"{100 * constant:.1f}",
                ended["obstacle"] or "every seed to its end",
            )
        )
    caption = (
        "How training ended. Accuracy: on training images in the last epoch, as they were seen, "
        "mean over seeds. Constant: what the best answer that does not depend on the image scores "
        "there. A seed that does not exceed it (exact binomial test at 0.001) has learnt nothing, "
        "and verdicts on its model are withheld. Whether a longer training would give more cannot "
        "be seen from how a loss comes to rest: most schedules let the learning rate end at zero."
    )
    header = ("Model", "Epochs", "Training images", "Accuracy, %", "Constant, %", "Training")
    records = tuple({"model": model, **ended} for model, ended in training.items())
    numeric = frozenset({1, 2, 3, 4})
    return Table("training-ends", caption, header, tuple(rows), records, numeric, numbered=False)


def precision_table(artefacts: Artefacts) -> Table | None:
    """Show what the study could have shown, from the variances that it measured."""
    rows, pages, records = [], [], []
    for row in artefacts.verdicts:
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
        "estimated, then with those between seeds at their upper limits (85 %), which so few seeds "
        "cannot rule out. Between seeds: the standard deviation of the score of a trained network, "
        "by model, and that upper limit. Bootstrap: the interval alone by resampling seeds and "
        "scenes, as a check; it is too short for few seeds."
    )
    header = ("", "Contrast", "Alone", "Detectable", "Between seeds", "Bootstrap", "Method")
    numeric = frozenset({2, 3, 4, 5})
    return Table(
        "precision", caption, header, tuple(rows), tuple(records), numeric, numbered=False,
        page_header=header, page_rows=tuple(pages),
    )  # fmt: skip


_PRECISION = ("id", "estimate", "low", "high", "confidence", "standard_error", "df")
_PRECISION += ("detectable_estimated", "detectable", "bootstrap_low", "bootstrap_high")
_PRECISION += ("num_seeds", "n", "method")


def _sources(row: Row) -> tuple[tuple[str, str], ...]:
    """Link the predictions that a verdict's numbers came from, seen from the page."""
    files = zip(row["runs"], row["predictions"], strict=True)
    return tuple((run.rpartition("-")[0], f"../{file}") for run, file in files)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


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


def _record(row: Row) -> Row:
    contrast = {f"contrast_{key}": value for key, value in row["contrast"].items()}
    left_out = ("contrast", "components", "runs", "predictions", "arms", "scale", "range")
    left_out += ("seed_scores", "split", "stability", "unadjusted")
    kept = {key: value for key, value in row.items() if key not in left_out}
    alone = {f"{key}_alone": value for key, value in row["unadjusted"].items()}
    stability = {"stability": (row["stability"] or {}).get("status")}
    return kept | contrast | alone | stability | {"predictions": " ".join(row["predictions"])}

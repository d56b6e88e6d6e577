"""What page and terminal say of a verdict: what was declared, what came out, and how sure it is."""

from math import inf

from priorscope.claims.inference import smallest_p
from priorscope.claims.terms import sides_of
from priorscope.claims.words import percent, seeds_text
from priorscope.metrics import NONE, Scale, decimal
from priorscope.report.wording import MINUS, Row, difference, levels_title, p_value, plain

_SIGNS = {"less": "<", "greater": ">", "different": "\N{NOT EQUAL TO}"}
_SIGNS |= {"equivalent": "\N{ALMOST EQUAL TO}"}
BEYOND = "more than scores can differ"


def verdict_scale(row: Row) -> Scale:
    """Choose how the numbers of a verdict are shown."""
    return Scale(**row["scale"]) if row["scale"] else Scale(plain(row["metric"] or row["measure"]))


def contrasted(row: Row) -> str:
    """Write a contrast as a difference: "vit - cnn", "cnn - 0.6", "vit (background - grey)"."""
    sides = sides_of(row["contrast"])
    a, b = (_bracketed(side) for side in (sides.a, sides.b))
    if sides.within is not None:
        first, second = map(plain, sides.within)
        within = f"({first} {MINUS} {second})"
        return f"{a} {within}" if sides.b is None else f"({a} {MINUS} {b}) {within}"
    level = sides.level
    return f"{a} {MINUS} {b if level is None else decimal(level, 3).rstrip('0').rstrip('.')}"


def _bracketed(side: str | None) -> str:
    """Put what is more than a model's name in brackets."""
    return f"({side})" if side and " " in side else str(side)


def declared(row: Row, scale: Scale) -> str:
    """Write what was declared: "vit < cnn in top-1 accuracy on test"."""
    sides, margin = sides_of(row["contrast"]), row["margin"]
    a, b = sides.a, sides.b
    if sides.level is not None:
        b = f"{scale.value(sides.level)} {scale.symbol}".strip()
    if sides.within is not None:
        first, second = map(plain, sides.within)
        a, b = (
            (f"{a} on {first}", second)
            if b is None
            else (f"{first} {MINUS} {second} of {a}", f"that of {b}")
        )
    text = f"{a} {_SIGNS[row['expect']]} {b}"
    if margin is not None:
        text += f" within \N{PLUS-MINUS SIGN}{margin * scale.factor:g} {scale.difference_symbol}"
    arms, where = row["arms"] or [], row["probe"] or row["measure"]
    if len(arms) == 1 and arms[0] not in (where, "") and (row["probe"] or row["condition"]):
        where = f"{where}: {plain(arms[0])}"
    what = f"{scale.phrase} on {where}" if row["probe"] else f"{scale.phrase} ({where})"
    at = levels_title((row.get("at") or {}).items())
    return f"{text.strip()} in {what}" + (f", at {at}" if at else "")


def possible(row: Row) -> tuple[float, float]:
    """Return the smallest and the largest that a verdict's sum can be."""
    least, most = row["range"] or (None, None)
    return (-inf if least is None else least), (inf if most is None else most)


def cut(row: Row) -> Row:
    """Cut a verdict's interval at what its sum can be; for a reader, never to decide by."""
    if row["estimate"] is None:
        return row
    least, most = possible(row)
    return {**row, "low": max(row["low"], least), "high": min(row["high"], most)}


def cut_unadjusted(row: Row) -> Row:
    """Return a verdict with its unadjusted interval, cut in the same way."""
    return cut({**row, **{key: row["unadjusted"][key] for key in ("low", "high")}})


def effect(row: Row, scale: Scale) -> str:
    """Write "difference [low, high] pp" of a verdict, or that there is none."""
    return NONE if row["estimate"] is None else difference(scale, cut(row), "estimate")


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
    cut_one = cut_unadjusted(row)
    shown = scale.interval(cut_one["low"], cut_one["high"], signed=True)
    return (
        f"{text}, of this step of Holm's correction; alone {percent(alone['confidence'])} {shown}"
    )

"""Why a verdict was given, in one sentence that a reader understands."""

from priorscope.analysis.evidence import OPPOSITE, Evidence
from priorscope.study.levels import listed_levels
from priorscope.study.spec import Contrast, Hypothesis

SUPPORTED, REFUTED, INCONCLUSIVE = "supported", "refuted", "inconclusive"
_MODELS = {
    "less": "{a} scores below {b}",
    "greater": "{a} scores above {b}",
    "equivalent": "{a} and {b} are equivalent",
    "different": "{a} and {b} differ",
}
_CONDITIONS = {
    "less": "{a} scores lower on {first} than on {second}",
    "greater": "{a} scores higher on {first} than on {second}",
    "equivalent": "{a} is equivalent on {first} and {second}",
    "different": "{a} differs between {first} and {second}",
}
_DIFFERENCES = {
    "less": "{first} minus {second} is smaller for {a} than for {b}",
    "greater": "{first} minus {second} is larger for {a} than for {b}",
    "equivalent": "{first} minus {second} is equivalent for {a} and {b}",
    "different": "{first} minus {second} differs between {a} and {b}",
}


def claim(hypothesis: Hypothesis, relation: str) -> str:
    """Write what a hypothesis says if its first part is less, greater, equivalent or different."""
    at = listed_levels((hypothesis.at or {}).items())
    return _claim(hypothesis.contrast, relation) + (f" at {at}" if at else "")


def _claim(contrast: Contrast, relation: str) -> str:
    words = {"a": contrast.a, "b": contrast.b}
    pair = contrast.conditions
    if contrast.between is not None:
        pair = [
            listed_levels((name, values[side]) for name, values in contrast.between.items())
            for side in (0, 1)
        ]
    if pair is not None:
        words["first"], words["second"] = pair
        forms = _CONDITIONS if contrast.b is None else _DIFFERENCES
        return forms[relation].format(**words)
    if contrast.level is not None:
        words["b"] = "the stated level"
    return _MODELS[relation].format(**words)


def reason(
    hypothesis: Hypothesis,
    found: Evidence,
    verdict: str,
    p_adjusted: float,
    p_contrary_adjusted: float,
    family: int,
) -> str:
    """Give the sentence for a verdict that the numbers decide."""
    expect, margin = hypothesis.expect, hypothesis.margin
    interval = f"the {100 * found.confidence:g} % interval"
    inside = margin is not None and -margin < found.low and found.high < margin
    within = f"{interval} lies wholly within the margin"
    within = within if inside else "two one-sided tests put it within the margin"
    p = f"adjusted {p_text(p_adjusted)}"
    contrary = f"adjusted {p_text(p_contrary_adjusted)}"
    if verdict == SUPPORTED:
        if expect == "equivalent":
            return f"{claim(hypothesis, expect)}: {within} ({p})"
        return f"{claim(hypothesis, expect)}, as expected: {_clear(found, interval)} ({p})"
    if verdict == REFUTED:
        if expect == "different":
            text = "no difference as large as the margin: "
            return f"{text}{within} ({contrary})"
        if expect == "equivalent":
            text = "the difference is larger than the margin: "
            return f"{text}{interval} lies wholly beyond it ({contrary})"
        opposite = claim(hypothesis, OPPOSITE[expect])
        return f"the opposite holds, {opposite}: {_clear(found, interval)} ({contrary})"
    if not found.precise:
        return (
            "the scores that are compared did not vary at all over these scenes, and a standard "
            "error of zero is no estimate of precision"
        )
    for raw, adjusted, what in (
        (found.p_value, p_adjusted, "it"),
        (found.p_contrary, p_contrary_adjusted, "the opposite"),
    ):
        if raw < hypothesis.alpha <= adjusted:
            return (
                f"alone, the data would show {what} ({p_text(raw)}), but not after Holm's "
                f"correction for {family} hypotheses (adjusted {p_text(adjusted)})"
            )
    return f"{_undecided(hypothesis, found, interval)} ({p})"


def p_text(p: float) -> str:
    """Write "p = 0.163", or "p < 0.001"."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _clear(found: Evidence, interval: str) -> str:
    if not found.precise:
        return "the exact test says so"
    if found.low > 0:
        return f"{interval} lies wholly above 0"
    if found.high < 0:
        return f"{interval} lies wholly below 0"
    return "the exact test says so"


def _undecided(hypothesis: Hypothesis, found: Evidence, interval: str) -> str:
    margin = hypothesis.margin
    with_zero = found.low <= 0 <= found.high
    if hypothesis.expect == "equivalent":
        assert margin is not None
        if found.low > margin or found.high < -margin:
            return f"{interval} lies beyond the margin, but not as clearly as refuting it asks"
        text = f"{interval} reaches across the margin, so that both a negligible and a larger "
        text += "difference fit the data"
        more = ", and an interval with 0 in it is no evidence of equality"
        return text + more if with_zero else text
    if not with_zero:
        return f"{interval} lies on one side of 0, but the exact test's p is not below alpha"
    if hypothesis.expect == "different":
        return f"{interval} includes 0, which shows neither a difference nor that there is none"
    return f"{interval} includes 0, so that the data fit either direction"

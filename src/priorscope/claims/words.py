"""Claims and reasons in words that a reader understands."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from priorscope.claims.evidence import OPPOSITE, Evidence, Interval
from priorscope.claims.inference import smallest_p
from priorscope.claims.terms import sides_of
from priorscope.metrics import Scale
from priorscope.study.levels import listed_levels
from priorscope.study.spec import Hypothesis

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


def claim_text(hypothesis: Hypothesis, relation: str) -> str:
    """Write what a hypothesis says if its first part is less, greater, equivalent or different."""
    at = listed_levels((hypothesis.at or {}).items())
    sides = sides_of(asdict(hypothesis.contrast))
    forms = _MODELS
    if sides.within is not None:
        forms = _CONDITIONS if sides.b is None else _DIFFERENCES
    first, second = sides.within or ("", "")
    b = "the stated level" if sides.b is None else sides.b
    form = forms[relation]
    if hypothesis.measure is not None:
        form = form.replace(" scores ", " is ")
    text = form.format(a=sides.a, b=b, first=first, second=second)
    return text + (f" at {at}" if at else "")


def reason(
    hypothesis: Hypothesis,
    found: Evidence,
    verdict: str,
    interval: Interval,
    adjusted: tuple[float, float],
    family: int,
) -> str:
    """Write the sentence for a verdict that the numbers decide.

    Parameters
    ----------
    interval : the one that decides, see `deciding_interval`
    adjusted : p-values of the claim and of its contrary, after Holm's correction
    """
    expect, margin = hypothesis.expect, hypothesis.margin
    few = found.inference.few_seeds
    shown = f"the {percent(interval.confidence)} interval"
    inside = margin is not None and -margin < interval.low and interval.high < margin
    within = f"{shown} lies wholly within the margin"
    within = within if inside else "two one-sided tests put it within the margin"
    p, contrary = (f"adjusted {p_text(each, few=few)}" for each in adjusted)
    if verdict == SUPPORTED:
        if expect == "equivalent":
            return f"{claim_text(hypothesis, expect)}: {within} ({p})"
        return f"{claim_text(hypothesis, expect)}, as expected: {_clear(interval, shown)} ({p})"
    if verdict == REFUTED:
        if expect == "different":
            return f"no difference as large as the margin: {within} ({contrary})"
        if expect == "equivalent":
            text = "the difference is larger than the margin: "
            return f"{text}{shown} lies wholly beyond it ({contrary})"
        opposite = claim_text(hypothesis, OPPOSITE[expect])
        return f"the opposite holds, {opposite}: {_clear(interval, shown)} ({contrary})"
    if not found.inference.varied and found.inference.contrast.n == 1:
        return "a network has one value, and one seed tells nothing of other networks"
    if not found.inference.varied:
        return (
            "the scores that are compared did not vary at all over these scenes, and a standard "
            "error of zero is no estimate of precision"
        )
    for raw, corrected, what in (
        (found.p_value, adjusted[0], "it"),
        (found.p_contrary, adjusted[1], "the opposite"),
    ):
        if raw < hypothesis.alpha <= corrected:
            return (
                f"alone, the data would show {what} ({p_text(raw, few=few)}), but not after Holm's "
                f"correction for {family} hypotheses (adjusted {p_text(corrected, few=few)})"
            )
    return f"{_undecided(hypothesis, interval, shown)} ({p})"


def p_text(p: float, *, few: bool = False) -> str:
    """Write "p = 0.163", or "p < 0.001"; few seeds carry no p-value below 0.01."""
    smallest = smallest_p(few_seeds=few)
    return f"p < {smallest:g}" if p < smallest else f"p = {p:.3f}"


def percent(confidence: float) -> str:
    """Write a confidence: "95 %", "98.33 %"."""
    return f"{100 * confidence:.4g} %"


def split_text(
    split: Mapping[str, Sequence[int]], seed_scores: Mapping[str, Mapping[int, float]], scale: Scale
) -> list[str]:
    """Name the seeds that stand apart, with their scores and those of the others."""
    clauses = []
    for name, outlying in split.items():
        scores = seed_scores[name]
        if len(scores) == 2:  # of which neither is the outlier
            each = " and ".join(scale.value(score) for score in scores.values())
            clauses.append(f"the two seeds of {name} lie apart: {each} {scale.symbol}".rstrip())
            continue
        others = [seed for seed in scores if seed not in outlying]
        lone, rest = (
            ", ".join(scale.value(scores[seed]) for seed in seeds) for seeds in (outlying, others)
        )
        seeds = " and ".join(f"seed {seed}" for seed in outlying)
        verb = "stands" if len(outlying) == 1 else "stand"
        clauses.append(
            f"{seeds} of {name} {verb} apart: {lone} beside {rest} {scale.symbol}".rstrip()
        )
    return clauses


def seeds_text(seed_scores: Mapping[str, Mapping[int, float]], scale: Scale) -> str:
    """Write every seed's own score, by model: "cnn 71.0, 71.4; vit 57.0, 57.2 %"."""
    listed = "; ".join(
        f"{name} {', '.join(scale.value(score) for score in scores.values())}"
        for name, scores in seed_scores.items()
    )
    return f"{listed} {scale.symbol}".rstrip()


def _clear(interval: Interval, shown: str) -> str:
    if interval.low > 0:
        return f"{shown} lies wholly above 0"
    if interval.high < 0:
        return f"{shown} lies wholly below 0"
    return "the exact test says so"


def _undecided(hypothesis: Hypothesis, interval: Interval, shown: str) -> str:
    margin = hypothesis.margin
    with_zero = interval.low <= 0 <= interval.high
    if hypothesis.expect == "equivalent":
        assert margin is not None
        text = f"{shown} reaches across the margin, so that both a negligible and a larger "
        text += "difference fit the data"
        more = ", and an interval with 0 in it is no evidence of equality"
        return text + more if with_zero else text
    if not with_zero:
        return f"{shown} lies on one side of 0, but the exact test's p is not below alpha"
    if hypothesis.expect == "different":
        return f"{shown} includes 0, which shows neither a difference nor that there is none"
    return f"{shown} includes 0, so that the data fit either direction"

"""What `check` prints of hypotheses: what the planned seeds and scenes could show."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from priorscope.claims.evidence import MANY_IMAGES
from priorscope.claims.terms import sides_of
from priorscope.preflight.power import POWER, Plan
from priorscope.report.verdict_words import BEYOND
from priorscope.report.wording import counted_seeds
from priorscope.study.levels import listed_levels
from priorscope.study.spec import Hypothesis


def power_lines(plans: Sequence[Plan]) -> dict[str, Any]:
    """Write what was declared, and what the planned seeds and scenes could show of it."""
    said = [
        {
            "id": plan.hypothesis.id,
            "statement": plan.hypothesis.statement,
            "lines": [
                _declared(plan.hypothesis),
                _size(plan),
                _could_show(plan),
            ],
        }
        for plan in plans
    ]
    return {"power": POWER, "hypotheses": said}


def _declared(hypothesis: Hypothesis) -> str:
    sides = sides_of(asdict(hypothesis.contrast))
    level = None if sides.level is None else f"{sides.level:g}"
    words = " against ".join(part for part in (sides.a, sides.b, level) if part)
    if sides.within is not None:
        words += f", {sides.within[0]} minus {sides.within[1]}"
    if hypothesis.at:
        words += f", at {listed_levels(hypothesis.at.items())}"
    margin = f" within {hypothesis.margin:g}" if hypothesis.margin else ""
    where = ": ".join(part for part in (hypothesis.probe, hypothesis.condition) if part)
    what = f"{hypothesis.metric} on {where}"
    if hypothesis.measure is not None:
        what = ": ".join(part for part in (hypothesis.measure, hypothesis.condition) if part)
    return f"{words}, {what}, expect {hypothesis.expect}{margin}"


def _size(plan: Plan) -> str:
    seeds = counted_seeds(plan.num_seeds)
    clusters = f" in {plan.num_units:,} clusters" if plan.num_units < plan.num_images else ""
    one = ", these trained networks only" if max(plan.num_seeds) == 1 else ""
    scenes = f"{plan.num_images:,} scenes" if plan.num_images < MANY_IMAGES else "one value each"
    size = f"{seeds}, {scenes}{clusters}{one}"
    return f"{size}; {plan.source}"


def _could_show(plan: Plan) -> str:
    hypothesis, margin, scale = plan.hypothesis, plan.hypothesis.margin, plan.scale
    if plan.detectable is None:
        return "what it would show is not known"
    what = "margin" if hypothesis.expect == "equivalent" else "effect"
    most = max(map(abs, plan.range))
    ends = [scale.amount(end, more=1) if end <= most else BEYOND for end in plan.detectable]
    amount = ends[0] if ends[0] == ends[1] else f"{ends[0]}, or up to {ends[1]}"
    text = f"smallest {what} that it would show: {amount}"
    if ends[0] != ends[1]:
        text += " if seeds and images vary as much as the pilot's few cannot rule out"
    if margin is None:
        return text
    text += f"; the declared margin of {scale.amount(margin, more=1)} needs "
    if hypothesis.expect == "equivalent" and plan.detectable[0] <= margin:
        return f"{text}no more"
    ways = []
    if plan.seeds is not None:
        ways.append(f"{plan.seeds:,} seeds")
    if plan.images is not None:
        ways.append(_scenes(plan, plan.images))
    if plan.together is not None:
        ways.append(f"{plan.together[0]} seeds and {_scenes(plan, plan.together[1])}")
    return text + (" or ".join(ways) if ways else "more than 50 seeds, or another probe")


def _scenes(plan: Plan, images: int) -> str:
    if plan.num_units == plan.num_images:
        return f"{images:,} scenes"
    per_cluster = plan.num_images / plan.num_units
    return f"{images:,} scenes in {round(images / per_cluster):,} clusters"

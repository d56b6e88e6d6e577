"""From a declared contrast to signed terms and a constant: the one place that knows its kinds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from math import inf
from typing import Any

from priorscope.metrics import Scale
from priorscope.study.levels import Levels, listed_levels
from priorscope.study.spec import CHANCE, Contrast, Hypothesis, Operand, networks_of

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Term:
    """A weight, and the mean score that it stands before: of a model, in a cell, on an arm.

    `partner` is the second model where a measure of two scores the networks of both. `arm` is None
    where it is the one that the probe is about; `budget` is the part of the recipe's epochs that
    the model was trained for.
    """

    weight: float
    model: str
    levels: Levels
    arm: str | None
    budget: float = 1.0
    partner: str | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """List the one or two models."""
        return (self.model,) if self.partner is None else (self.model, self.partner)


@dataclass(frozen=True)
class Claim:
    """The sum of weighted mean scores, less a constant, that a hypothesis speaks of.

    Attributes
    ----------
    probe, metric : what is scored, and by what; the name of a measure, and nothing
    terms : in the order of the models, then of the conditions or levels, as declared
    constant : taken off the sum: a stated score, or `chance`, what the metric's constant answer
        scores on the same examples
    """

    probe: str
    metric: str
    terms: tuple[Term, ...]
    constant: float | str = 0.0

    @property
    def models(self) -> tuple[str, ...]:
        """List the models whose runs are needed, in the order of the terms."""
        return tuple(dict.fromkeys(model for term in self.terms for model in term.models))

    @property
    def trained(self) -> tuple[tuple[str, Levels], ...]:
        """List what must be trained: models, each in its cells."""
        return tuple(
            dict.fromkeys((model, term.levels) for term in self.terms for model in term.models)
        )

    @property
    def of_pairs(self) -> bool:
        """Tell whether a measure of two scores pairs of networks."""
        return any(term.partner is not None for term in self.terms)

    @property
    def arms(self) -> tuple[str | None, ...]:
        """List the one or two arms; None is the one that the probe is about."""
        return tuple(dict.fromkeys(term.arm for term in self.terms))

    def change_with_budget(self, budget: float) -> "Claim":
        """Return the claim that the sum is another at a part of the budget: whole less part."""
        at_part = (replace(term, weight=-term.weight, budget=budget) for term in self.terms)
        return replace(self, terms=(*self.terms, *at_part), constant=0.0)

    @property
    def is_difference(self) -> bool:
        """Tell whether the sum compares scores of one kind with each other and nothing else."""
        balanced = abs(sum(term.weight for term in self.terms)) < _ROUNDING
        return balanced and not isinstance(self.constant, str) and not self.constant

    def range(self, scale: Scale, chance: float = 0.0) -> tuple[float, float]:
        """Return the least and the largest that the sum can be, where the metric has a range.

        Parameters
        ----------
        chance : what the constant is where it is chance
        """
        constant = chance if isinstance(self.constant, str) else self.constant
        ends = []
        for sign in (-1, 1):
            total = -constant
            for term in self.terms:
                end = scale.high if sign * term.weight > 0 else scale.low
                total += sign * inf if end is None else term.weight * end
            ends.append(total)
        return ends[0], ends[1]


def claim_of(hypothesis: Hypothesis) -> Claim:
    """Write a hypothesis' contrast as signed terms and a constant.

    A difference of models, of conditions and of levels each double the terms and give half of them
    the other sign, so that differences of differences need no words of their own. A model that
    stands on both sides, in means of several, has what is left of its weight.
    """
    contrast, at = hypothesis.contrast, dict(hypothesis.at or {})
    arms: list[tuple[float, str | None]] = [(1.0, hypothesis.condition)]
    if contrast.conditions is not None:
        arms = [(1.0, contrast.conditions[0]), (-1.0, contrast.conditions[1])]
    cells = [(1.0, at)]
    if contrast.between is not None:
        first, second = (
            at | {name: pair[side] for name, pair in contrast.between.items()} for side in (0, 1)
        )
        cells = [(1.0, first), (-1.0, second)]
    terms = tuple(
        Term(
            of_networks * of_cell * of_arm,
            networks[0],
            tuple(cell.items()),
            arm,
            partner=networks[1] if len(networks) > 1 else None,
        )
        for (networks, of_networks), (of_cell, cell), (of_arm, arm) in product(
            _networks(contrast).items(), cells, arms
        )
    )
    constant: float | str = 0.0
    if contrast.b == CHANCE:
        constant = CHANCE
    elif contrast.level is not None:
        constant = contrast.level
    if hypothesis.measure is not None:
        return Claim(hypothesis.measure, "", terms, constant)
    assert hypothesis.probe is not None and hypothesis.metric is not None, "refused otherwise"
    return Claim(hypothesis.probe, hypothesis.metric, terms, constant)


def _networks(contrast: Contrast) -> dict[tuple[str, ...], float]:
    """Return the signed weight of each model or pair, in the order in which they were declared."""
    found = networks_of(contrast.a)
    if contrast.b not in (None, CHANCE):
        assert contrast.b is not None
        for networks, weight in networks_of(contrast.b).items():
            found[networks] = found.get(networks, 0.0) - weight
    return {networks: weight for networks, weight in found.items() if abs(weight) > _ROUNDING}


@dataclass(frozen=True)
class Sides:
    """The sides of a contrast as they are named in sentences.

    Attributes
    ----------
    a : the first, such as "vit", "local_vit with cnn" or "0.5 x + 0.5 y"
    b : the second; None where there is none beside a level, conditions or levels of a factor
    level : the stated score that `a` is compared with, or None
    within : the two conditions, or levels of factors, that both sides are between, or None; with
        both, "(background minus grey)" at each level
    """

    a: str
    b: str | None
    level: float | None
    within: tuple[str, str] | None


def sides_of(contrast: Mapping[str, Any]) -> Sides:
    """Name the sides of a contrast.

    Parameters
    ----------
    contrast : the keys of `Contrast`; those that are None may be missing
    """
    within, between = contrast.get("conditions"), contrast.get("between")
    if between:
        levels = [
            listed_levels((name, values[side]) for name, values in between.items())
            for side in (0, 1)
        ]
        within = levels if not within else [f"({' minus '.join(within)}) at {at}" for at in levels]
    a, b = contrast["a"], contrast.get("b")
    return Sides(
        named(a),
        None if b is None else named(b),
        contrast.get("level"),
        None if within is None else (within[0], within[1]),
    )


def named(operand: Operand | list[str]) -> str:
    """Name what stands on one side of a contrast: "vit", "0.5 x + 0.5 y", "cnn with vit"."""
    if isinstance(operand, str):
        return operand
    if isinstance(operand, dict):
        return " + ".join(f"{weight:.3g} {model}" for model, weight in operand.items())
    first, second = operand
    return f"seeds of {first}" if first == second else f"{first} with {second}"

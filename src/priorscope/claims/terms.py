"""From a declared contrast to signed terms and a constant: the one place that knows its kinds."""

from dataclasses import dataclass, replace
from itertools import product
from math import inf

from priorscope.metrics import Scale
from priorscope.study.levels import Levels
from priorscope.study.spec import CHANCE, Contrast, Hypothesis


@dataclass(frozen=True)
class Term:
    """A weight, and the mean score that it stands before: of a model, in a cell, on an arm.

    `arm` is None where it is the one that the probe is about; `budget` is the part of the recipe's
    epochs that the model was trained for.
    """

    weight: float
    model: str
    levels: Levels
    arm: str | None
    budget: float = 1.0


@dataclass(frozen=True)
class Claim:
    """The sum of weighted mean scores, less a constant, that a hypothesis speaks of.

    Attributes
    ----------
    probe, metric : what is scored, and by what
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
        return tuple(dict.fromkeys(term.model for term in self.terms))

    @property
    def trained(self) -> tuple[tuple[str, Levels], ...]:
        """List what must be trained: models, each in its cells."""
        return tuple(dict.fromkeys((term.model, term.levels) for term in self.terms))

    def change_with_budget(self, budget: float) -> "Claim":
        """Return the claim that the sum is another at a part of the budget: whole less part."""
        at_part = (replace(term, weight=-term.weight, budget=budget) for term in self.terms)
        return replace(self, terms=(*self.terms, *at_part), constant=0.0)

    @property
    def is_difference(self) -> bool:
        """Tell whether the sum compares scores of one kind with each other and nothing else."""
        balanced = abs(sum(term.weight for term in self.terms)) < 1e-12
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
    the other sign, so that differences of differences need no words of their own.
    """
    contrast, at = hypothesis.contrast, dict(hypothesis.at or {})
    models = _models(contrast)
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
        Term(of_model * of_cell * of_arm, model, tuple(cell.items()), arm)
        for (of_model, model), (of_cell, cell), (of_arm, arm) in product(models, cells, arms)
    )
    constant: float | str = 0.0
    if contrast.b == CHANCE:
        constant = CHANCE
    elif contrast.level is not None:
        constant = contrast.level
    return Claim(hypothesis.probe, hypothesis.metric, terms, constant)


def _models(contrast: Contrast) -> list[tuple[float, str]]:
    if contrast.b in (None, CHANCE):
        return [(1.0, contrast.a)]
    return [(1.0, contrast.a), (-1.0, str(contrast.b))]

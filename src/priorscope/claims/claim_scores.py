"""The scores of a claim: what each trained network adds to its sum, scene by scene."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from priorscope.claims.arm_scores import CHANCE, ArmScores
from priorscope.claims.terms import Claim, Term
from priorscope.metrics import Scale
from priorscope.study.levels import Levels, trained_name


@dataclass(frozen=True, eq=False)
class Group:
    """What the networks of one model in one cell add to a claim's sum.

    Attributes
    ----------
    name : the model, and its cell in a study with factors
    seeds : one a row
    scores : float [seeds, scenes], weighted and signed
    weight : of its first term: mean / weight is what the networks scored, or by how much more on
        the first of two conditions
    """

    name: str
    seeds: tuple[int, ...]
    scores: np.ndarray
    weight: float


@dataclass(frozen=True, eq=False)
class Answered:
    """The groups of a claim that answered the same scenes.

    Attributes
    ----------
    groups : one for each model and cell
    constant : float [scenes] or a number, taken off the groups' sum
    clusters : [scenes] or None, the random units where they are not the scenes
    answers : the weights and raw scores of given networks, each [scenes], where every group has one
        seed; among them the constant answer, where that is what is taken off
    """

    groups: tuple[Group, ...]
    constant: np.ndarray | float
    clusters: np.ndarray | None
    answers: tuple[tuple[float, np.ndarray], ...]

    def signed(self) -> list[np.ndarray]:
        """Return the groups, each float [seeds, scenes], with the constant taken off the first."""
        first, *others = (group.scores for group in self.groups)
        return [first - self.constant, *others]


@dataclass(frozen=True, eq=False)
class ClaimScores:
    """The scores of a claim, in parts whose scenes are other ones; parts add up.

    Attributes
    ----------
    parts : one, or two where levels of a factor have scenes of their own
    arms : the one or two arms that the scores are from
    scale : of the metric
    range : what the sum can be; infinite where the metric has no bound
    is_difference : see `Claim`
    chance_words : what chance is, where it is taken off; else empty
    """

    parts: tuple[Answered, ...]
    arms: tuple[str, ...]
    scale: Scale
    range: tuple[float, float]
    is_difference: bool
    chance_words: str = ""

    @property
    def groups(self) -> list[Group]:
        """List the groups of all parts."""
        return [group for part in self.parts for group in part.groups]

    @property
    def num_seeds(self) -> tuple[int, ...]:
        """Count the seeds of each group."""
        return tuple(len(group.scores) for group in self.groups)

    def seed_scores(self) -> dict[str, dict[int, float]]:
        """Return what each network scored, by group and seed: see `Group.weight`."""
        return {
            group.name: dict(
                zip(group.seeds, (group.scores.mean(axis=1) / group.weight).tolist(), strict=True)
            )
            for group in self.groups
        }

    def seed_effects(self) -> list[float]:
        """Return what the sum would be if one model had one of its seeds alone, for each seed."""
        total = sum(float(group.mean()) for part in self.parts for group in part.signed())
        return [
            total + float(seed.mean() - group.scores.mean())
            for group in self.groups
            for seed in group.scores
        ]


def claim_scores(claim: Claim, arms: Sequence[ArmScores]) -> ClaimScores | None:
    """Collect the scores of a claim, or return None where any model has no predictions at all.

    Terms of one model in one cell are answers of the same networks: they are paired by seed and
    scene. Cells that have the same scenes are paired by scene, others are not paired.
    """
    found: dict[tuple[str, Levels, float], list[tuple[Term, ArmScores]]] = {}
    for term in claim.terms:
        arm = _arm(claim, arms, term)
        if arm is None or term.model not in arm.scores:
            return None
        found.setdefault((term.model, term.levels, term.budget), []).append((term, arm))
    first = next(iter(found.values()))
    parts: dict[str, list[list[tuple[Term, ArmScores]]]] = {}
    for of_group in found.values():
        parts.setdefault(of_group[0][1].examples, []).append(of_group)
    against_chance = claim.constant == CHANCE
    chance = first[0][1].chance
    return ClaimScores(
        parts=tuple(
            _answered(groups, claim if not number else None)
            for number, groups in enumerate(parts.values())
        ),
        arms=tuple(dict.fromkeys(arm.arm for _, arm in first)),
        scale=first[0][1].scale,
        range=claim.range(first[0][1].scale, chance.expected),
        is_difference=claim.is_difference,
        chance_words=chance.words if against_chance else "",
    )


def pair_scores(arm: ArmScores, weights: Mapping[str, float]) -> ClaimScores:
    """Collect a weighted sum of models on one arm, such as {"vit": 1, "cnn": -1}."""
    terms = tuple(Term(weight, model, arm.levels, arm.arm) for model, weight in weights.items())
    found = claim_scores(Claim(arm.probe, arm.metric, terms), [arm])
    assert found is not None, "the arm has all of the models"
    return found


def _answered(groups: Sequence[Sequence[tuple[Term, ArmScores]]], claim: Claim | None) -> Answered:
    """Join the groups of one set of scenes; the claim's constant is taken off where it is given."""
    shared = _shared_ids([arm for group in groups for _, arm in group])
    made, answers = [], []
    for group in groups:
        rows = [
            (term.weight, arm.scores[term.model][:, np.searchsorted(arm.ids, shared)])
            for term, arm in group
        ]
        term, arm = group[0]
        scores = sum(weight * scores for weight, scores in rows)
        name = trained_name(term.model, dict(term.levels))
        name += "" if term.budget == 1 else f" at {term.budget:g} of the budget"
        seeds = arm.seeds[term.model]
        made.append(Group(name, seeds, np.asarray(scores), term.weight))
        answers += [(weight, scores[0]) for weight, scores in rows if len(scores) == 1]
    arm = groups[0][0][1]
    constant: np.ndarray | float = 0.0
    if claim is not None and claim.constant == CHANCE:
        constant = arm.chance.expected
        if arm.chance.scores is not None:
            constant = arm.chance.scores[np.searchsorted(arm.ids, shared)]
            answers.append((-1.0, constant))
    elif claim is not None:
        constant = float(claim.constant)
    clusters = arm.units
    if clusters is not None:
        clusters = clusters[np.searchsorted(arm.ids, shared)]
        clusters = clusters if len(np.unique(clusters)) > 1 else None
    one_each = all(len(group.scores) == 1 for group in made)
    return Answered(tuple(made), constant, clusters, tuple(answers) if one_each else ())


def _shared_ids(arms: Sequence[ArmScores]) -> np.ndarray:
    """Return the scenes that all arms show, ascending."""
    shared = arms[0].ids
    for arm in arms[1:]:
        shared = np.intersect1d(shared, arm.ids)
    return shared


def _arm(claim: Claim, arms: Sequence[ArmScores], term: Term) -> ArmScores | None:
    """Find an arm by name; None means the first of the probe, which is what it is about."""
    for arm in arms:
        if (
            (arm.probe, arm.metric, arm.budget) == (claim.probe, claim.metric, term.budget)
            and dict(arm.levels) == dict(term.levels)
            and term.arm in (None, arm.arm)
        ):
            return arm
    return None

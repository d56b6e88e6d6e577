"""The scores of a claim: what each trained network adds to its sum, scene by scene."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from priorscope.claims.arm_scores import CHANCE, ArmScores
from priorscope.claims.groups import Found, Group, by_networks, groups_of, one_answers
from priorscope.claims.terms import Claim, Term
from priorscope.metrics import Scale


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

    @property
    def num_scenes(self) -> int:
        """Count the scenes; 1 where a measure has one value of each network."""
        return self.groups[0].scores.shape[1]

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
        """Return what each network scored, by group and seed: see `Group.scored`."""
        return {
            group.name: dict(zip(group.seeds, group.scored, strict=True)) for group in self.groups
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
    found: list[Found] = []
    for term in claim.terms:
        arm = _arm(claim, arms, term)
        if arm is None or not _has_scores(arm, term):
            return None
        found.append((term, arm))
    groups = by_networks(found)
    parts: dict[str, list[Found]] = {}
    for of_group in groups:
        parts.setdefault(of_group[0][1].examples, []).extend(of_group)
    first = groups[0]
    scale, chance = first[0][1].scale, first[0][1].chance
    return ClaimScores(
        parts=tuple(
            _answered(of_part, claim if not number else None)
            for number, of_part in enumerate(parts.values())
        ),
        arms=tuple(dict.fromkeys(arm.arm for _, arm in first)),
        scale=scale,
        range=claim.range(scale, chance.expected),
        is_difference=claim.is_difference,
        chance_words=chance.words if claim.constant == CHANCE else "",
    )


def _has_scores(arm: ArmScores, term: Term) -> bool:
    if term.partner is None:
        return term.model in arm.scores
    return arm.pair(term.model, term.partner) is not None


def weighted_scores(arm: ArmScores, weights: Mapping[str, float]) -> ClaimScores:
    """Collect a weighted sum of models on one arm, such as {"vit": 1, "cnn": -1}."""
    terms = tuple(Term(weight, model, arm.levels, arm.arm) for model, weight in weights.items())
    found = claim_scores(Claim(arm.probe, arm.metric, terms), [arm])
    assert found is not None, "the arm has all of the models"
    return found


def _answered(found: Sequence[Found], claim: Claim | None) -> Answered:
    """Join the terms of one set of scenes; the claim's constant is taken off where it is given."""
    shared = functools.reduce(np.intersect1d, (arm.ids for _, arm in found))
    groups, answers = groups_of(found, shared), one_answers(found, shared)
    arm = found[0][1]
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
    one_each = all(group.is_fixed for group in groups)
    return Answered(groups, constant, clusters, tuple(answers) if one_each else ())


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

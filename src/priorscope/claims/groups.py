"""What the networks of one model add to a claim's sum, by their own scores or those of pairs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from priorscope.claims.arm_scores import ArmScores
from priorscope.claims.terms import Term
from priorscope.stats import network_shares
from priorscope.study.levels import Levels, trained_name

Found = tuple[Term, ArmScores]  # a term, and the arm that has its scores
Networks = tuple[str, Levels, float]  # a model, a cell and a part of the budget


@dataclass(frozen=True, eq=False)
class Group:
    """What the networks of one model in one cell add to a claim's sum.

    Attributes
    ----------
    name : the model, and its cell in a study with factors
    seeds : of its networks
    scores : float [seeds, scenes], weighted and signed; one row where the networks are held fixed
    scored : for each seed what the network scored, or by how much more on the first of two
        conditions, or together with the first of two models
    """

    name: str
    seeds: tuple[int, ...]
    scores: np.ndarray
    scored: tuple[float, ...]

    @property
    def is_fixed(self) -> bool:
        """Tell whether its networks are held fixed: nothing tells how others would differ."""
        return len(self.scores) == 1


def groups_of(found: Sequence[Found], ids: np.ndarray) -> tuple[Group, ...]:
    """Add up what the networks of each model in each cell add to a sum of terms.

    Parameters
    ----------
    found : terms that answer the same scenes
    ids : int64 [scenes], ascending, which all of their arms have
    """
    if found[0][0].partner is not None:
        return _groups_of_pairs(found, ids)
    return tuple(_group(of_group, ids) for of_group in by_networks(found))


def one_answers(found: Sequence[Found], ids: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """List the weights and scores of given networks, each [scenes], of models with one seed."""
    return [
        (term.weight, _on(arm, term.model, ids)[0])
        for of_group in by_networks(found)
        for term, arm in of_group
        if term.partner is None and len(arm.scores[term.model]) == 1
    ]


def by_networks(found: Iterable[Found]) -> list[list[Found]]:
    """Bring terms together that the same networks, or pairs of them, answer."""
    groups: dict[tuple[Networks, str | None], list[Found]] = {}
    for term, arm in found:
        groups.setdefault((_networks(term), term.partner), []).append((term, arm))
    return list(groups.values())


def _networks(term: Term) -> Networks:
    return (term.model, term.levels, term.budget)


def _group(found: Sequence[Found], ids: np.ndarray) -> Group:
    term, arm = found[0]
    scores = np.asarray(sum(each.weight * _on(its, each.model, ids) for each, its in found))
    scored = tuple((scores.mean(axis=1) / term.weight).tolist())
    return Group(_name(_networks(term)), arm.seeds[term.model], scores, scored)


def _groups_of_pairs(found: Sequence[Found], ids: np.ndarray) -> tuple[Group, ...]:
    """Add up the shares that networks have in means over pairs, see `stats.network_shares`.

    A network that stands in several terms adds its shares in all of them.
    """
    shares: dict[Networks, list[np.ndarray]] = {}
    scored: dict[Networks, list[np.ndarray]] = {}
    signs: dict[Networks, float] = {}
    seeds: dict[Networks, tuple[int, ...]] = {}
    for term, arm in found:
        assert term.partner is not None
        values = arm.pair(term.model, term.partner)
        assert values is not None, "looked up before"
        values = values[:, :, np.searchsorted(arm.ids, ids)]
        of_pairs = values.mean(axis=2)  # [seeds, seeds]
        one_model = term.model == term.partner
        if one_model:
            of_pairs = np.where(np.isnan(of_pairs), of_pairs.T, of_pairs)
        found_shares = network_shares(values, one_model=one_model)
        sides = [(term.model, found_shares.first, of_pairs)]
        if found_shares.second is not None:
            sides.append((term.partner, found_shares.second, of_pairs.T))
        for model, of_model, its_pairs in sides:
            key = (model, term.levels, term.budget)
            signs.setdefault(key, term.weight)
            seeds[key] = arm.seeds[model]
            shares.setdefault(key, []).append(term.weight * of_model)
            scored.setdefault(key, []).append(term.weight * np.nanmean(its_pairs, axis=1))
    return tuple(
        Group(
            _name(key),
            seeds[key],
            _sum(of_networks),
            tuple((np.sum(scored[key], axis=0) / signs[key]).tolist()),
        )
        for key, of_networks in shares.items()
    )


def _sum(shares: Sequence[np.ndarray]) -> np.ndarray:
    """Add shares up; where they are one row of any term, the networks are held fixed."""
    if min(map(len, shares)) < max(map(len, shares)):
        shares = [each.mean(axis=0, keepdims=True) for each in shares]
    return np.sum(shares, axis=0)


def _on(arm: ArmScores, model: str, ids: np.ndarray) -> np.ndarray:
    return arm.scores[model][:, np.searchsorted(arm.ids, ids)]


def _name(networks: Networks) -> str:
    model, levels, budget = networks
    return trained_name(model, dict(levels)) + (
        "" if budget == 1 else f" at {budget:g} of the budget"
    )

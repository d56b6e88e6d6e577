"""One inference for verdicts, tables and `score`: estimate, interval and tests of a claim."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from priorscope.claims.claim_scores import ClaimScores
from priorscope.stats import (
    CrossedContrast,
    PairedProportions,
    PairedTest,
    crossed_contrast,
    independent_sum,
    paired_proportions,
    seed_contrast,
    sign_flip_test,
    single_proportion,
    split_seeds,
)

MIN_CLUSTERS = 10  # flipping the signs of fewer cannot give p-values that survive a correction
MIN_SEEDS = 5  # with fewer, every seed is shown, and no small p-value is claimed
_ROUNDING = 1e-12  # of what scores can differ: a smaller standard error is none


@dataclass(frozen=True)
class Settings:
    """How uncertainty is computed.

    Attributes
    ----------
    alpha : intervals have confidence 1 - alpha
    num_resamples : of every bootstrap and every permutation test
    rng_seed : of all of them
    """

    alpha: float = 0.05
    num_resamples: int = 10_000
    rng_seed: int = 0

    @property
    def confidence(self) -> float:
        """Return that of the intervals of tables."""
        return 1 - self.alpha

    def rng(self, *names: str) -> np.random.Generator:
        """Return the generator of one computation: its numbers do not depend on the others."""
        return np.random.default_rng([self.rng_seed, zlib.crc32("/".join(names).encode())])


@dataclass(frozen=True)
class Inference:
    """What scores say of a claim's sum.

    Attributes
    ----------
    contrast : estimate, standard error, and what they are made of, with an interval of the
        confidence that was asked for
    flips : exact or random flips of signs that test no difference: "less", "greater" and
        "different", each with its test; none where they do not apply
    varied : whether anything varied, or the method knows that it could have: where neither holds,
        a standard error of zero is no estimate of precision, and all p-values are 1
    split : the groups whose seeds fall apart, by name, with the seeds of the smaller part
    few_seeds : whether any group of several seeds has fewer than five, or falls apart
    """

    contrast: CrossedContrast
    flips: Mapping[str, PairedTest] = field(default_factory=dict)
    varied: bool = True
    split: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    few_seeds: bool = False

    def tail(self, direction: str, null: float = 0.0) -> float:
        """Return the one-sided p-value: small where the sum is in that direction of `null`."""
        if not self.varied:
            return 1.0
        if not null and direction in self.flips:
            return self.flips[direction].p_value
        return self.contrast.tail(direction, null)  # type: ignore[arg-type]

    def two_sided(self) -> float:
        """Return the p-value of "the sum is zero"."""
        if not self.varied:
            return 1.0
        if "different" in self.flips:
            return self.flips["different"].p_value
        return min(1.0, 2 * min(self.tail("less"), self.tail("greater")))

    def within(self, margin: float) -> float:
        """Return the p-value of "the sum is not within the margin": two one-sided tests."""
        return max(self.tail("greater", -margin), self.tail("less", margin))

    def beyond(self, margin: float) -> float:
        """Return the p-value of "the sum is within the margin", two-sided."""
        tails = self.tail("greater", margin), self.tail("less", -margin)
        return min(1.0, 2 * min(tails))

    @property
    def own_test(self) -> str:
        """Name the test of no difference where it is not that of the interval; else nothing."""
        if self.flips:
            return f"{self.flips['different'].method}, given the trained networks"
        if isinstance(self.contrast, PairedProportions):
            return "exact McNemar, given the trained networks"
        return ""

    @property
    def test(self) -> str:
        """Name the test of no difference, as a table should say it."""
        return self.own_test or self.contrast.method.replace("interval", "test", 1)


def smallest_p(*, few_seeds: bool | None) -> float:
    """Return the smallest p-value that is claimed: few seeds carry none below 0.01."""
    return 0.01 if few_seeds else 0.001


def infer(
    scores: ClaimScores, settings: Settings, *key: str, confidence: float | None = None
) -> Inference:
    """Estimate a claim's sum, and prepare its tests.

    - Scores of 0 and 1 of given networks, without clusters: two answers to a scene by Tango's score
      interval and McNemar's exact test, one against a stated share by the exact binomial.
    - Else Student's t over seeds and scenes, crossed (`crossed_contrast`). For the difference of
      two given networks, flips of signs test no difference.

    Parameters
    ----------
    key : names the computation, for its random numbers
    confidence : of the interval; by default that of the settings
    """
    confidence = settings.confidence if confidence is None else confidence
    split = _split(scores)
    several = [number for number in scores.num_seeds if number > 1]
    few = bool(split) or (bool(several) and min(several) < MIN_SEEDS)
    proportions = _proportions(scores, confidence)
    if proportions is not None:
        return Inference(proportions, split=split, few_seeds=few)
    contrast = crossed(scores, confidence)
    flips = _flips(scores, settings, key)
    span = max(map(abs, scores.range))
    span = span if np.isfinite(span) else max(abs(contrast.estimate), 1.0)
    varied = contrast.standard_error > _ROUNDING * span
    varied = varied or any(test.p_value < 1 for test in flips.values())
    return Inference(contrast, flips, varied, split, few)


def crossed(scores: ClaimScores, confidence: float) -> CrossedContrast:
    """Estimate a claim's sum over seeds and scenes, crossed, whatever its scores are.

    Over seeds alone where a measure has one value of each network.
    """
    return independent_sum(
        [
            seed_contrast([each[:, 0] for each in part.signed()], confidence=confidence)
            if part.num_scenes == 1
            else crossed_contrast(part.signed(), confidence=confidence, clusters=part.clusters)
            for part in scores.parts
        ],
        confidence=confidence,
    )


def _proportions(scores: ClaimScores, confidence: float) -> CrossedContrast | None:
    """Infer from scores of 0 and 1 of given networks; None where they are something else."""
    part = scores.parts[0]
    answers = part.answers
    if len(scores.parts) > 1 or part.clusters is not None or not answers:
        return None
    if (scores.scale.low, scores.scale.high) != (0, 1):
        return None
    if not all(np.isin(each, (0, 1)).all() for _, each in answers):
        return None
    weights = sorted(weight for weight, _ in answers)
    if weights == [-1, 1]:
        first, second = (each for _, each in sorted(answers, key=lambda each: -each[0]))
        return paired_proportions(first, second, confidence=confidence)
    if weights == [1] and isinstance(part.constant, float) and 0 <= part.constant <= 1:
        return single_proportion(answers[0][1], part.constant, confidence=confidence)
    return None


def _flips(scores: ClaimScores, settings: Settings, key: tuple[str, ...]) -> dict[str, PairedTest]:
    """Test the difference of given networks by flips of signs, by cluster.

    None for sums that are no difference of two answers to a scene, and where there are so few
    clusters that flips could not reach small p-values.
    """
    part = scores.parts[0]
    if len(scores.parts) > 1 or max(scores.num_seeds) > 1 or not scores.is_difference:
        return {}
    if sorted(weight for weight, _ in part.answers) != [-1, 1]:
        return {}
    if part.clusters is not None and len(np.unique(part.clusters)) < MIN_CLUSTERS:
        return {}
    differences = np.sum([group[0] for group in part.signed()], axis=0)
    alternatives = {"different": "two-sided", "less": "less", "greater": "greater"}
    return {
        name: sign_flip_test(
            differences,
            num_resamples=settings.num_resamples,
            rng=settings.rng(*key, name),
            clusters=part.clusters,
            alternative=alternative,  # type: ignore[arg-type]
        )
        for name, alternative in alternatives.items()
    }


def _split(scores: ClaimScores) -> dict[str, tuple[int, ...]]:
    """Name the groups whose seeds fall apart, with the seeds that stand alone."""
    span, found = scores.scale.span, {}
    for part in scores.parts:
        for group in part.groups:
            apart = split_seeds(group.scores, span=span, clusters=part.clusters)
            if apart is not None:
                found[group.name] = tuple(group.seeds[row] for row in apart.outlying)
    return found

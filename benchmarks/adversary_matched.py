"""Rows of comparisons at equal clean accuracy, along trainings that differ in speed and in end.

What a network scores on a probe hangs on its ability as what it scores on plain images does, and on
nothing else but an offset of its seed. So two models have the same curve from clean accuracy to
probe score however fast they learn and wherever they end, unless one of them is given a handicap on
the probe that costs it the same points at every clean accuracy.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from adversary_networks import Images, World, ability_scoring, draw_images, true_score
from adversary_rows import Outcomes, Row
from scipy.special import expit

from priorscope.runs.answers import trajectory_epochs
from priorscope.stats import CrossedContrast, Trajectory, matched_contrast

NUM_IMAGES = 1000  # of each probe, as many as are kept along training
CLEAN = World(NUM_IMAGES)
LASTING = 0.8  # of a network's luck with an image, from checkpoint to checkpoint
WOBBLE = 0.08  # of a network's ability from epoch to epoch, which dies away at the end; in logits
AHEAD = 0.3  # of an ability on training images
ABILITY_OF_SEEDS, OFFSET_OF_SEEDS = 0.15, 0.15  # standard deviations between seeds, in logits


@dataclass(frozen=True)
class Learner:
    """How one architecture learns.

    Attributes
    ----------
    start, end : ability before and after training
    pace : of the way that goes as 1 - exp(-pace u), u in 0 .. 1
    late : the part of the way that is brought by the end of the schedule, as u^6
    """

    start: float
    end: float
    pace: float
    late: float

    def abilities(self, num_epochs: int) -> np.ndarray:
        """Return the ability after each epoch, float [epochs]."""
        u = np.arange(1, num_epochs + 1) / num_epochs
        early = (1 - np.exp(-self.pace * u)) / (1 - np.exp(-self.pace))
        return self.start + (self.end - self.start) * ((1 - self.late) * early + self.late * u**6)


FAST = Learner(start=-1.8, end=2.5, pace=6.0, late=0.1)
SLOW = Learner(start=-2.0, end=1.5, pace=2.5, late=0.3)
ABRUPT = Learner(start=-1.8, end=2.5, pace=15.0, late=0.0)  # half of the way in the first epoch


@dataclass(frozen=True)
class Curve:
    """What an ability is worth on the probe, in logits: `slope` times it, less `harder`."""

    name: str
    slope: float
    harder: float


GENTLE = Curve("gentle", slope=0.7, harder=0.8)
BENT = Curve("bent", slope=1.5, harder=3.0)  # the probe stays hard until clean images are easy


@dataclass(frozen=True)
class Case:
    """A study of two learners, of which one is fast, on a probe.

    Attributes
    ----------
    num_seeds : of each; one is the very network that is spoken of, and does not vary
    difference : how much more the fast one scores on the probe at every clean accuracy
    same_images : scenes are made of the clean test images, so that what is hard is hard in both
    """

    num_seeds: int
    num_epochs: int
    num_clusters: int
    difference: float
    fast: Learner = FAST
    curve: Curve = GENTLE
    same_images: bool = False

    @property
    def probe(self) -> World:
        """The probe's scenes."""
        return World(NUM_IMAGES, self.num_clusters)

    @property
    def spread(self) -> tuple[float, float]:
        """The standard deviations of seeds' abilities and of their offsets on the probe."""
        return (ABILITY_OF_SEEDS, OFFSET_OF_SEEDS) if self.num_seeds > 1 else (0.0, 0.0)


def rows() -> Iterator[Row]:
    """List the rows of this file."""
    for difference in (0.0, 0.05):
        for num_clusters in (0, 20):
            for num_seeds in (1, 2, 3, 5):
                for num_epochs in (15, 60):
                    yield _row(Case(num_seeds, num_epochs, num_clusters, difference))
    for num_seeds in (1, 3):
        yield _row(Case(num_seeds, 15, 0, 0.0, same_images=True))
        yield _row(Case(num_seeds, 15, 0, 0.0, ABRUPT, BENT))
        yield _row(Case(num_seeds, 60, 20, 0.0, ABRUPT, BENT))


def _row(case: Case) -> Row:
    bounds = {"coverage": (0.92, 1.0)} if case.difference else {"rejected": (0.0, 0.06)}
    about = {
        "seeds": f"{case.num_seeds}+{case.num_seeds}",
        "epochs": case.num_epochs,
        "clusters": case.num_clusters or "no",
        "scenes": "of the clean images" if case.same_images else "of others",
        "curve": f"{case.curve.name}{', abrupt' if case.fast is ABRUPT else ''}",
        "difference": f"{case.difference:g}",
    }
    amounts = ("bias", "width", "checkpoints")
    return Row("at equal clean accuracy", about, partial(matched_study, case), bounds, amounts)


def matched_study(case: Case, rng: np.random.Generator) -> Outcomes:
    """Simulate a comparison at equal clean accuracy of the fast learner with the slow one."""
    clean, probe = draw_images(CLEAN, rng), draw_images(case.probe, rng)
    if case.same_images:
        probe = replace(probe, easy=clean.easy)
    fast, slow = (trained(case, learner, clean, probe, rng) for learner in (case.fast, SLOW))
    found = matched_contrast(fast, slow, clusters=probe.clusters)
    num_checkpoints = float(np.mean([len(run.clean) for run in (*fast, *slow)]))
    unknown = dict.fromkeys(("rejected", "coverage", "bias", "width"), math.nan)
    known = {} if found is None else _judged(found.difference, case.difference)
    return {"compared": found is not None} | unknown | known | {"checkpoints": num_checkpoints}


def _judged(found: CrossedContrast, truth: float) -> dict[str, float]:
    return {
        "rejected": found.p_value <= 0.05,
        "coverage": found.low <= truth <= found.high,
        "bias": found.estimate - truth,
        "width": found.high - found.low,
    }


def trained(
    case: Case, learner: Learner, clean: Images, probe: Images, rng: np.random.Generator
) -> list[Trajectory]:
    """Train a learner's seeds, and keep what they answer after the epochs that a run keeps."""
    of_ability, of_offset = case.spread
    handicap = case.difference if learner is SLOW else 0.0
    seen = [images.seen_by(case.num_seeds, rng) for images in (clean, probe)]
    trajectories = []
    for seed in range(case.num_seeds):
        left = 1 - np.arange(1, case.num_epochs + 1) / case.num_epochs
        ability = learner.abilities(case.num_epochs) + of_ability * rng.standard_normal()
        ability += WOBBLE * left * rng.standard_normal(case.num_epochs)
        train_accuracies = true_score(CLEAN, ability + AHEAD).tolist()
        kept = [*trajectory_epochs(train_accuracies, case.num_epochs), case.num_epochs]
        ability = ability[np.array(kept) - 1]
        on_probe = probe_ability(case, ability, handicap) + of_offset * rng.standard_normal()
        trajectories.append(
            Trajectory(
                _along_training(ability, seen[0][seed], rng),
                _along_training(on_probe, seen[1][seed], rng),
            )
        )
    return trajectories


def probe_ability(case: Case, ability: np.ndarray, handicap: float) -> np.ndarray:
    """Say what an ability is worth on the probe, less what costs a handicap of its mean score."""
    # Seeds' offsets are normal as views are, so that the mean over both is a wider view's.
    world = replace(case.probe, view=float(np.hypot(case.probe.view, case.spread[1])))
    worth = case.curve.slope * ability - case.curve.harder
    return ability_scoring(world, true_score(world, worth) - handicap)


def _along_training(
    ability: np.ndarray, logits: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Answer the same images at each checkpoint: right or wrong, float [checkpoints, images].

    A network's luck with an image stays with probability `LASTING` and is drawn anew else, so that
    each checkpoint by itself is right as often as its ability says.
    """
    shape = (len(ability), len(logits))
    luck = np.where(rng.random(shape) < LASTING, rng.random(len(logits)), rng.random(shape))
    return (luck < expit(ability[:, None] + logits)).astype(float)

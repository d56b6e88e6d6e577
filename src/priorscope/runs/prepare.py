"""Data, probes and models of a study, made and checked before anything is trained."""

import hashlib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from priorscope import components
from priorscope.data import (
    Dataset,
    LabeledImages,
    Preprocess,
    Rearrangement,
    hold_out,
    preprocess_for,
    subset,
    with_label_noise,
)
from priorscope.errors import InputError
from priorscope.probes import ProbeSet
from priorscope.study.cells import SPLIT_KEYS
from priorscope.study.interventions import bind_intervention
from priorscope.study.spec import TEST_PROBE, Component, Study


@dataclass(frozen=True, eq=False)
class StudyData:
    """The images of a study: `train` is trained on, `held_out` is for selection, `test` neither.

    `dataset` is what they were taken from.
    """

    train: LabeledImages
    held_out: LabeledImages | None
    test: LabeledImages
    preprocess: Preprocess
    dataset: Dataset

    def describe(self) -> dict[str, Any]:
        """Return title, classes, sizes, fingerprints, any intervention and remarks, all plain.

        The remarks are the notes, warnings and overlap of the whole dataset.
        """
        return self._identity() | self.dataset.remarks()

    def _identity(self) -> dict[str, Any]:
        parts = {"train": self.train, "held_out": self.held_out, "test": self.test}
        moved = self.preprocess.rearrangement
        return {
            "title": self.dataset.title,
            "class_names": list(self.train.class_names),
            "image_px": self.train.image_px,
            **{
                name: {
                    "num_images": len(part),
                    "fingerprint": part.fingerprint,
                    "class_counts": np.bincount(part.labels, minlength=part.num_classes).tolist(),
                }
                for name, part in parts.items()
                if part is not None
            },
        } | ({} if moved is None else {"intervention": moved.describe()})

    def fingerprints(self) -> dict[str, str]:
        """Return one hash for each part, and one for the intervention if there is one."""
        return fingerprints_in(self._identity())

    def record(self) -> dict[str, Any]:
        """Return what a run records: the fingerprints, and the remarks of the dataset."""
        return self.fingerprints() | self.dataset.remarks()


def fingerprints_in(described: Mapping[str, Any]) -> dict[str, str]:
    """Take the fingerprints from what `StudyData.describe` gives."""
    parts = ("train", "held_out", "test", "intervention")
    return {part: described[part]["fingerprint"] for part in parts if part in described}


def load_data(study: Study, root: Path) -> StudyData:
    """Load the study's dataset, and split and spoil its training images as the study says.

    Raises
    ------
    InputError : unknown dataset, its files are missing or damaged, too few images
    """
    dataset = load_dataset(study.data, root, study.base, where="data", beside=SPLIT_KEYS)
    return split_data(study, dataset)


def split_data(study: Study, dataset: Dataset) -> StudyData:
    """Choose training images from a dataset, and decide what networks see of every image.

    Raises
    ------
    InputError : too few images, or an intervention that does not fit their size
    """
    split, train, held_out = study.split, dataset.train, None
    stream = np.random.SeedSequence([split.split_seed, 0])
    for_fraction, for_hold_out, for_noise = (np.random.default_rng(s) for s in stream.spawn(3))
    with components.errors_at("data"):
        if split.train_fraction < 1:
            train = subset(train, fraction=split.train_fraction, rng=for_fraction)
        if split.held_out_fraction > 0:
            train, held_out = hold_out(train, fraction=split.held_out_fraction, rng=for_hold_out)
        train = with_label_noise(train, fraction=split.label_noise, rng=for_noise)
    preprocess = preprocess_for(train.images, study.recipe.image_px)
    if split.intervention is not None:
        moved = _rearrangement(split.intervention, preprocess.image_px, study.base)
        preprocess = replace(preprocess, rearrangement=moved)
    return StudyData(train, held_out, dataset.test, preprocess, dataset)


def _rearrangement(component: Component, image_px: int, base: Path) -> Rearrangement:
    """Draw an intervention's permutation, once for all images."""
    where = "data.intervention"
    parameters = dict(component.parameters)
    seed = parameters.pop("seed", 0)
    draw = bind_intervention(component, base, where=where)
    with components.errors_at(where):
        order = draw(image_px=image_px, rng=np.random.default_rng([seed, 2]))
    positions = np.arange(image_px**2)
    if (
        not isinstance(order, np.ndarray)
        or order.shape != positions.shape
        or not np.array_equal(np.sort(order), positions)
    ):
        raise InputError(
            "an intervention must return a permutation of the pixels",
            where=where,
            found=getattr(order, "shape", type(order).__name__),
            allowed=f"int64 [{image_px}**2], every position once",
        )
    return Rearrangement(component.name, seed, parameters, order)


def load_dataset(
    component: Component, root: Path, base: Path, *, where: str, beside: Iterable[str] = ()
) -> Dataset:
    """Call a dataset component with a study's parameters; `beside` them, other keys may stand.

    Raises
    ------
    InputError : unknown name or parameter, missing or damaged files
    """
    function = components.resolve("data", component.name, base=base, where=f"{where}.name")
    parameters = components.bind(
        function, component.parameters, where=where, reserved=("root",), beside=beside, base=base
    )
    with components.errors_at(where):
        dataset = function(root=root, **parameters)
    if not isinstance(dataset, Dataset):
        raise InputError(
            "a dataset component must return a Dataset", where=where, found=type(dataset).__name__
        )
    return dataset


def build_probes(study: Study, dataset: Dataset) -> dict[str, ProbeSet]:
    """Build every probe of the study from test images; the images themselves come first."""
    test = dataset.test
    built = {TEST_PROBE: test_probe(test)}
    for name, component in study.probes.items():
        built[name] = build_probe(
            component, test, study.base, where=f"probes.{name}", name=name, train=dataset.train
        )
    return built


def build_probe(
    component: Component,
    source: LabeledImages,
    base: Path,
    *,
    where: str,
    name: str,
    train: LabeledImages | None = None,
) -> ProbeSet:
    """Build one probe; its randomness depends on its name in the study and on nothing else.

    Parameters
    ----------
    train : the training images, for a probe that asks for them: what of its images is among them

    Raises
    ------
    InputError : unknown name or parameter, or the probe refuses its parameters
    """
    function = components.resolve("probes", component.name, base=base, where=f"{where}.name")
    parameters = components.bind(
        function, component.parameters, where=where, reserved=("rng", "train"), base=base
    )
    if "train" in inspect.signature(function).parameters:
        parameters["train"] = train
    rng = np.random.default_rng(int(hashlib.sha256(name.encode()).hexdigest()[:16], 16))
    with components.errors_at(where):
        probe = function(source, rng=rng, **parameters)
    if not isinstance(probe, ProbeSet):
        raise InputError("a probe must return a ProbeSet", where=where, found=type(probe).__name__)
    return probe


def test_probe(test: LabeledImages) -> ProbeSet:
    """Wrap the test images as a probe with one arm."""
    return ProbeSet(
        images=test.images,
        targets=test.labels,
        ids=np.arange(len(test)),
        conditions={"arm": np.full(len(test), TEST_PROBE)},
        class_names=test.class_names,
    )

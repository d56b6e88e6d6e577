"""What a study says: frozen values, checked when they are made. No torch here."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import ConfigDict, Field, NonNegativeInt, PlainValidator, PositiveFloat

from priorscope.study.levels import Factor, LevelValue
from priorscope.study.plain import digest
from priorscope.study.weights import OF_GIVEN, Weights
from priorscope.training.recipe import Recipe

TEST_PROBE = "test"  # the unchanged test images: always evaluated, never declared
CHANCE = "chance"  # what a contrast may compare a model with
REPORT_ARMS = ("resnet50", "vit", "local_vit")  # what the 2021 report compared
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"  # a name becomes part of file names

Name = Annotated[str, Field(pattern=NAME)]
_strict = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True)
class Component:
    """A component's reference and its parameters, which stand beside `name` in the file."""

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the mapping of the study file."""
        return {"name": self.name, **self.parameters}


def _intervention(value: Any) -> Component | None:
    """Read `none`, a name, or a mapping with a name, `seed` and the intervention's parameters."""
    if value is None or value == "none":
        return None
    if isinstance(value, Component):  # read already
        return value
    beside = dict(value) if isinstance(value, dict) else {"name": value}
    name = beside.pop("name", None)
    if not isinstance(name, str):
        raise ValueError("none, an intervention's name, or a mapping with its `name`")
    seed = beside.pop("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise ValueError("with one `seed`, a whole number: train and test are permuted alike")
    return Component(name, {"seed": seed, **beside})


@pydantic.dataclasses.dataclass(frozen=True, kw_only=True, config=_strict)
class Split:
    """What is done with a dataset's images; stands beside the dataset's own parameters.

    Attributes
    ----------
    train_fraction : stratified, seeded part of the training images, before holding out
    held_out_fraction : part of *those* that is kept from training, for any selection; its accuracy
        is recorded beside that on the test images
    split_seed : decides both choices and the noise, for all runs alike
    label_noise : part of the training labels that are replaced by another class, drawn uniformly;
        held-out and test images keep theirs
    intervention : how the pixels of every image are moved, in training, tests and probes alike,
        after augmentation and resizing; its `seed` stands among the parameters
    """

    train_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    held_out_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.0
    split_seed: NonNegativeInt = 0
    label_noise: Annotated[float, Field(ge=0, lt=1)] = 0.0
    intervention: Annotated[Component | None, PlainValidator(_intervention)] = None

    def as_dict(self) -> dict[str, Any]:
        """Return the keys as plain values; noise and intervention only where there is any.

        A run's identity is made of these: runs from before these keys existed keep theirs.
        """
        plain: dict[str, Any] = {
            "train_fraction": self.train_fraction,
            "held_out_fraction": self.held_out_fraction,
            "split_seed": self.split_seed,
        }
        if self.label_noise:
            plain["label_noise"] = self.label_noise
        if self.intervention is not None:
            plain["intervention"] = self.intervention.as_dict()
        return plain


Operand = str | tuple[str, str] | dict[str, float]
"""What stands on one side of a contrast: a model, a pair of models, or a mean by weights."""


def _operand(value: Any) -> Operand:
    """Read a model, a list of two models, or a mapping of models to weights."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and [type(each) for each in value] == [str, str]:
        return (value[0], value[1])
    if isinstance(value, dict) and value:
        numbers = [each for each in value.values() if type(each) in (int, float)]
        if len(numbers) == len(value):
            return {str(model): float(weight) for model, weight in value.items()}
    raise ValueError("a model, a pair [model, model], or weights {model: 0.5, model: 0.5}")


def networks_of(operand: Operand) -> dict[tuple[str, ...], float]:
    """Return the weight of each network, or pair of networks, that an operand names."""
    if isinstance(operand, str):
        return {(operand,): 1.0}
    if isinstance(operand, dict):
        return {(model,): weight for model, weight in operand.items()}
    return {tuple(operand): 1.0}


def _operand_or_none(value: Any) -> Operand | None:
    return None if value is None else _operand(value)


@pydantic.dataclasses.dataclass(frozen=True, kw_only=True, config=_strict)
class Contrast:
    """What is compared: the first minus the second.

    `{a: vit, b: cnn}` two models; `{a: vit, b: chance}` a model and its metric's chance;
    `{a: cnn, level: 0.6}` a model and a score that is stated beforehand; `{a: vit, conditions:
    [background, grey]}` one model on two arms of a probe, scene by scene; `{a: vit, b: cnn,
    conditions: [background, grey]}` the difference of these differences: (background minus grey)
    of `a` minus that of `b`; `{a: vit, between: {task: [near, far]}}` one model at two levels of a
    factor; `{a: vit, b: cnn, between: {task: [near, far]}}` the difference of these differences:
    (near minus far) of `a` minus that of `b`. With `conditions` and `between` it is a three-way
    difference: (background minus grey) at the first levels minus that at the second. In place of a
    model may stand a mean by weights, `{a: {x: 0.5, y: 0.5}, b: z}`, or for a measure of two a
    pair, `{a: [x, y], b: [x, z]}`.

    Attributes
    ----------
    a : a model of the study, weights of models that sum to 1, or a pair of models
    b : another one, or `chance`
    level : in the units of the metric or the measure
    conditions : two arms of the probe or the measure
    between : two levels of a factor of the study; where several factors are named, all of them
        change together
    """

    a: Annotated[Operand, PlainValidator(_operand)]
    b: Annotated[Operand | None, PlainValidator(_operand_or_none)] = None
    level: float | None = None
    conditions: tuple[str, str] | None = None
    between: dict[str, tuple[LevelValue, LevelValue]] | None = None


@pydantic.dataclasses.dataclass(frozen=True, kw_only=True, config=_strict)
class Hypothesis:
    """A comparison declared before the run.

    Attributes
    ----------
    contrast : what is compared, see `Contrast`
    probe, metric : a probe of the study, or `test`, and what scores it
    measure : a measure of the study, in place of both
    expect : the difference is `less` or `greater` than zero, `different` from it, or `equivalent`
        to it within `margin`
    margin : in the units of the metric or the measure; `equivalent` needs one, `different` may
        have one, inside which it would be refuted
    alpha : the error rate of each verdict, kept over all hypotheses of the study
    condition : an arm of the probe or the measure; none is the one that it is about
    at : the level of each factor; a study with factors needs it
    """

    id: Name
    statement: Annotated[str, Field(min_length=1)]
    contrast: Contrast
    probe: str | None = None
    metric: str | None = None
    measure: str | None = None
    expect: Literal["less", "greater", "equivalent", "different"]
    margin: PositiveFloat | None = None
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    condition: str | None = None
    at: dict[str, LevelValue] | None = None

    def cells(self) -> tuple[dict[str, LevelValue], ...]:
        """Return the level of each factor in the one or two cells that the hypothesis is about."""
        at, between = dict(self.at or {}), self.contrast.between
        if between is None:
            return (at,)
        return tuple(at | {name: pair[side] for name, pair in between.items()} for side in (0, 1))


@pydantic.dataclasses.dataclass(frozen=True, kw_only=True, config=_strict)
class Stability:
    """Whether claims hold at a part of the budget too: every model is trained there as well.

    Attributes
    ----------
    budget : the part of the recipe's epochs, each training with a whole schedule of its own
    margin : in the metric's units: within it, a change of a claim's estimate counts as none
    """

    budget: Annotated[float, Field(gt=0, lt=1)]
    margin: PositiveFloat


@pydantic.dataclasses.dataclass(frozen=True, kw_only=True, config=_strict)
class Control:
    """A score that a control model must have, for the rest of a study to mean what it seems to.

    Attributes
    ----------
    model : of the study
    within : lowest and highest mean score, in the metric's units
    probe, condition : a probe of the study, or `test`, and an arm of it; none is the first
    metric : by default the one that fits the probe's targets
    at : levels of factors; every cell that has them is checked by itself, and all are without
    statement : why it must be so
    """

    model: str
    within: tuple[float, float]
    probe: str = "test"
    condition: str | None = None
    metric: str | None = None
    at: dict[str, LevelValue] | None = None
    statement: str = ""


@dataclass(frozen=True)
class Study:
    """A whole study, as resolved; `base` is the folder that its `./file.py` are relative to.

    `declared` gives reasons for differences between the models, by property of the fairness lint.
    `reproduces` names the model that stands for each of the 2021 report's arms, where one does.
    `controls` say what control models must score.
    `measures` are what trained networks are asked beside the probes, see `study.measures`.
    `stability` asks for trainings at a part of the budget too.
    `factors` are what all models share at each of their levels: `study.factors.study_at` sets them.
    `weights` are those of models that were trained elsewhere, by the model's name.
    `curve_images` is how many test images, taken evenly, the learning curve is measured on at the
    end of every epoch; none takes all of them. The predictions of the trained model are on all.
    """

    name: str
    description: str
    data: Component
    split: Split
    recipe: Recipe
    models: dict[str, Component]
    seeds: tuple[int, ...]
    probes: dict[str, Component]
    hypotheses: tuple[Hypothesis, ...]
    base: Path
    text: str
    declared: dict[str, str] = field(default_factory=dict)
    stability: Stability | None = None
    reproduces: dict[str, str] = field(default_factory=dict)
    factors: tuple[Factor, ...] = ()
    controls: tuple[Control, ...] = ()
    curve_images: int | None = None
    measures: dict[str, Component] = field(default_factory=dict)
    weights: dict[str, Weights] = field(default_factory=dict)

    def is_given(self, model: str) -> bool:
        """Tell whether a model is evaluated as given: it has weights, and is not trained."""
        return model in self.weights and not self.weights[model].initial

    @property
    def trained(self) -> dict[str, Component]:
        """Return the models that are trained."""
        return {name: each for name, each in self.models.items() if not self.is_given(name)}

    def num_networks(self, model: str) -> int:
        """Count the networks of a model in a cell: one a seed, or the one that is given."""
        return 1 if self.is_given(model) and self.weights[model].is_shared else len(self.seeds)

    def as_dict(self) -> dict[str, Any]:
        """Return the study as plain values, every default written out."""
        plain = pydantic.TypeAdapter(Any).dump_python
        recipe = plain(self.recipe, mode="json")
        if not self.trained:  # of the recipe nothing else is used
            recipe = {key: recipe[key] for key in OF_GIVEN}
        whole: dict[str, Any] = {
            "data": {**self.data.as_dict(), **self.split.as_dict()},
            "recipe": recipe,
            "models": {
                name: model.as_dict()
                | (self.weights[name].as_dict() if name in self.weights else {})
                for name, model in self.models.items()
            },
            "seeds": list(self.seeds),
            "probes": {name: probe.as_dict() for name, probe in self.probes.items()},
            "hypotheses": [as_plain(hypothesis) for hypothesis in self.hypotheses],
            "declared": dict(self.declared),
            "reproduces": dict(self.reproduces),
        }
        # Keys that came later stand there only where they say something: old hashes stay.
        if self.factors:
            whole["factors"] = {factor.name: factor.as_dict() for factor in self.factors}
        if self.stability is not None:
            whole["stability"] = plain(self.stability)
        if self.measures:
            whole["measures"] = {name: each.as_dict() for name, each in self.measures.items()}
        if self.controls:
            whole["controls"] = [plain(control, mode="json") for control in self.controls]
        if self.curve_images is not None:
            whole["curve_images"] = self.curve_images
        return whole

    @property
    def hash(self) -> str:
        """Hash all that the study says, hypotheses included, to 16 hex digits."""
        return digest({"name": self.name, **self.as_dict()})


def as_plain(hypothesis: Hypothesis) -> dict[str, Any]:
    """Return a hypothesis as values that JSON can hold, without `measure` where it has none."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(hypothesis)))
    return {key: value for key, value in plain.items() if key != "measure" or value is not None}

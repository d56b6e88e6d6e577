"""What a study asks of trained networks beside the probes, and the keys that all measures have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from priorscope.components import listing
from priorscope.errors import InputError, did_you_mean, unknown_name
from priorscope.study.spec import TEST_PROBE, Component, Study

State = Literal["trained", "untrained"]
Material = Literal["values", "features", "answers"]  # what a run stores of a network for a measure
FRAMEWORK_KEYS = ("num_images", "probe", "state")  # beside the measure's own parameters
NUM_IMAGES = 256  # of the probe, where a study does not say
# Asked in every study, where they apply. A mean over queries varies little between images.
_UNASKED: dict[str, dict[str, Any]] = {
    name: {"name": name, "num_images": 32}
    for name in ("attention_distance", "attention_mass", "attention_entropy", "attention_rank")
} | {"error_consistency": {"name": "error_consistency"}}


@dataclass(frozen=True)
class Measure:
    """A measure as a study asks it.

    Attributes
    ----------
    component : the measure, with its own parameters
    probe : of whose images it is asked
    num_images : how many of them, each class by its share; None where the study does not say
    state : of the networks: "trained", or "untrained" as their training begins
    declared : whether the study asks for it; else it is left out where it does not apply
    """

    component: Component
    probe: str = TEST_PROBE
    num_images: int | None = None
    state: State = "trained"
    declared: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return what its values depend on, as plain values."""
        state = {} if self.state == "trained" else {"state": self.state}
        framework = {"probe": self.probe, "num_images": self.num_images, **state}
        return {**self.component.as_dict(), **framework}

    def material(self, kind: str) -> Material | None:
        """Tell what a run stores for it beside its predictions on probes.

        Parameters
        ----------
        kind : of what it is a measure, as `priorscope.measures.kind_of` tells
        """
        if kind == "predictions":
            return "answers" if self.state == "untrained" else None
        return "features" if kind == "features" else "values"


def measures_of(study: Mapping[str, Any]) -> dict[str, Measure]:
    """List the measures of a study by name: those that it declares, then those of every study.

    Parameters
    ----------
    study : as `Study.as_dict` gives it and `study.json` keeps it
    """
    declared = {name: _measure(each) for name, each in (study.get("measures") or {}).items()}
    unasked = {name: _measure(each, declared=False) for name, each in _UNASKED.items()}
    taken = {*declared, *(study.get("probes") or {})}
    asked = [each.as_dict() for each in declared.values()]
    return declared | {
        name: each
        for name, each in unasked.items()
        if name not in taken and each.as_dict() not in asked
    }


def asked_as(study: Mapping[str, Any], component: str) -> str | None:
    """Name the measure by which a study asks what every study is asked; None where it is not.

    Parameters
    ----------
    study : as `measures_of`
    component : one that is asked unasked, such as "error_consistency"
    """
    usual = _measure(_UNASKED[component]).as_dict()
    found = (name for name, each in measures_of(study).items() if each.as_dict() == usual)
    return next(found, None)


def _measure(plain: Mapping[str, Any], *, declared: bool = True) -> Measure:
    own = {key: value for key, value in plain.items() if key not in ("name", *FRAMEWORK_KEYS)}
    component = Component(str(plain["name"]), own)
    framework = {key: plain[key] for key in FRAMEWORK_KEYS if key in plain}
    return Measure(component, **framework, declared=declared)


def check_measures(study: Study) -> None:
    """Refuse measures that no run could make, before anything is built.

    A measure's own parameters, and whether it applies, are seen when the models are built.

    Raises
    ------
    InputError : names the key, what stood there, what may, and the nearest name
    """
    packaged, probes = listing("measures"), [TEST_PROBE, *study.probes]
    for name, component in study.measures.items():
        where = f"measures.{name}"
        if name in probes:
            raise InputError(
                "a probe has this name already",
                where=where,
                found=name,
                allowed="a name of its own for each probe and measure",
            )
        if ":" not in component.name and component.name not in packaged:
            raise unknown_name("measure", component.name, packaged, where=f"{where}.name")
        probe = component.parameters.get("probe", TEST_PROBE)
        if probe not in probes:
            raise unknown_name("probe", str(probe), probes, where=f"{where}.probe")
        state = component.parameters.get("state", "trained")
        if state not in (states := get_args(State)):
            raise InputError(
                "value not allowed",
                where=f"{where}.state",
                found=repr(state),
                allowed=" or ".join(states),
                hint=did_you_mean(str(state), states),
            )
        number = component.parameters.get("num_images", 1)
        if type(number) is not int or number < 1:
            raise InputError(
                "value not allowed",
                where=f"{where}.num_images",
                found=repr(number),
                allowed="a whole number of images, at least 1",
            )

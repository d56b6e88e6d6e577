"""What is known of a study before anything is trained, in plain values. No torch here."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from priorscope.preflight.fairness import Difference
from priorscope.runs.model_size import ModelSize
from priorscope.runs.rehearsed import Rehearsed, rehearsed_from
from priorscope.study.cells import study_at
from priorscope.study.levels import Levels, cell_name
from priorscope.study.plan import Run
from priorscope.study.spec import Study


@dataclass(frozen=True)
class ProbeShape:
    """Scenes in each arm of a probe, the side of its images in pixels, and its arms."""

    num_scenes: int
    image_px: int
    arms: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Checked:
    """What is known of a study before anything is trained.

    Attributes
    ----------
    study : the whole study
    data : cell -> its images, described in plain values
    sizes : cell -> model -> its size
    num_epochs, num_train : cell -> epochs, and training images
    seen_px : cell -> side of the images that networks see
    probes : name -> shape of each probe of the first cell; the test images are not among them
    notes : model -> what it says about its parameters in the first cell
    differences : what the fairness lint found in the first cell, then in cells of another shape
    rehearsed : model -> what a rehearsal of its training showed, of all cells together
    measures : name -> what a measure is of and gives, see `measures.check_measures`
    biases : name of a probe or measure -> family of arms -> what a profile says, see `bias.Bias`
    overlaps : probe -> which augmentations train on what it changes, a clause each
    """

    study: Study
    data: dict[Levels, dict[str, Any]]
    sizes: dict[Levels, Mapping[str, ModelSize]]
    num_epochs: dict[Levels, int]
    num_train: dict[Levels, int]
    seen_px: dict[Levels, int]
    probes: dict[str, ProbeShape]
    notes: dict[str, list[str]]
    differences: list[Difference]
    rehearsed: dict[str, Rehearsed] = field(default_factory=dict)
    measures: dict[str, dict[str, Any]] = field(default_factory=dict)
    biases: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    overlaps: dict[str, list[str]] = field(default_factory=dict)

    @property
    def first(self) -> Levels:
        """Return the first cell."""
        return next(iter(self.data))

    @property
    def warnings(self) -> list[str]:
        """List what rehearsals warn of, and the models to which a declared measure has no value."""
        lines = [f"{name}: {line}" for name, of in self.rehearsed.items() for line in of.warnings]
        for name, about in self.measures.items():
            for model, reason in about["does_not_apply"].items():
                lines.append(f"{model}: measure {name} has no value of it: {reason}")
        lines += [f"probe {name}: {line}" for name, of in self.overlaps.items() for line in of]
        return lines

    def shown(self) -> dict[Levels, list[Levels]]:
        """Group the cells whose images look alike, by the first of each group."""
        groups: dict[str, list[Levels]] = {}
        for levels in self.data:
            at = study_at(self.study, levels)
            moved = at.split.intervention
            key = [at.data.as_dict(), moved and moved.as_dict(), at.recipe.image_px]
            groups.setdefault(json.dumps(key), []).append(levels)
        return {group[0]: group for group in groups.values()}

    def about(self) -> dict[str, Any]:
        """Return what `study.json` says of the data: of the first cell, and of every one."""
        about: dict[str, Any] = {"data": self.data[self.first], "measures": self.measures}
        about |= {"biases": self.biases, "overlaps": self.overlaps}
        if self.study.factors:
            looks = {levels: first for first, group in self.shown().items() for levels in group}
            about["cells"] = [
                {
                    "cell": cell_name(levels),
                    "levels": dict(levels),
                    "samples": cell_name(looks[levels]),
                    "data": data,
                }
                for levels, data in self.data.items()
            ]
        return about

    def work_of(self, run: Run) -> tuple[int, float]:
        """Return a run's epochs, and the MACs of a forward pass over the images of one.

        A network that is given has no epochs.
        """
        if run.is_given:
            return 0, 0.0
        macs = self.sizes[run.levels][run.model].about_macs
        epochs = max(1, round(self.num_epochs[run.levels] * run.budget))
        return epochs, float(macs) * self.num_train[run.levels]


def as_plain(checked: Checked) -> dict[str, Any]:
    """Return all but the study as values that JSON can hold."""
    by_cell = ("data", "sizes", "num_epochs", "num_train", "seen_px")
    plain: dict[str, Any] = {
        name: [[list(map(list, levels)), _plain(of_cell)] for levels, of_cell in column.items()]
        for name, column in ((name, getattr(checked, name)) for name in by_cell)
    }
    plain["probes"] = {name: asdict(shape) for name, shape in checked.probes.items()}
    plain["differences"] = [asdict(difference) for difference in checked.differences]
    plain["rehearsed"] = {name: asdict(found) for name, found in checked.rehearsed.items()}
    as_they_are = ("notes", "measures", "biases", "overlaps")
    return plain | {name: getattr(checked, name) for name in as_they_are}


def from_plain(study: Study, plain: Mapping[str, Any]) -> Checked:
    """Read what `as_plain` gave.

    Raises
    ------
    KeyError, TypeError, ValueError : it is something else
    """
    values = {field.name: plain[field.name] for field in fields(Checked) if field.name != "study"}
    for name in ("data", "sizes", "num_epochs", "num_train", "seen_px"):
        values[name] = {
            tuple((factor, value) for factor, value in levels): of_cell
            for levels, of_cell in values[name]
        }
    values["sizes"] = {
        levels: {model: ModelSize(**size) for model, size in sizes.items()}
        for levels, sizes in values["sizes"].items()
    }
    values["probes"] = {
        name: ProbeShape(**{**shape, "arms": tuple(shape["arms"])})
        for name, shape in values["probes"].items()
    }
    values["rehearsed"] = {
        name: rehearsed_from(found) for name, found in values["rehearsed"].items()
    }
    values["differences"] = [
        Difference(**{**row, "given": tuple(row["given"])}) for row in values["differences"]
    ]
    return Checked(study, **values)


def _plain(of_cell: Any) -> Any:
    if isinstance(of_cell, dict):
        return {key: asdict(v) if isinstance(v, ModelSize) else v for key, v in of_cell.items()}
    return of_cell

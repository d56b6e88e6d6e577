"""The fairness lint: what differs between the models of a study, declared or not.

A difference of architecture is what a study compares, or a confounder of it: it is shown. A
difference in recipe, preprocessing or data makes the comparison one of something else: unless the
study declares it, it is refused. Only `lint` needs torch, and imports it when it is called.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from priorscope.errors import InputError
from priorscope.study.levels import cell_name
from priorscope.study.plain import digest
from priorscope.study.properties import PROPERTIES
from priorscope.study.spec import TEST_PROBE, Study

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from priorscope.probes import ProbeSet
    from priorscope.runs.model_size import ModelSize
    from priorscope.runs.prepare import StudyData

Value = str | int | float  # what a property can be
_SEEN = "num_batch_norm_images"
ON_BATCH = "changed by its batch"
_NUM_COMPANY = 16  # images that are shown to each model in two batches
_NUM_IMAGES = 4  # of each part, spread over it, with which models are watched

_UNCOUNTED, _UNMEASURED = "not counted", "not measured"
_UNKNOWN = "not known: evaluated as given"
# What `check_runs` does not compare of networks that are given; the lint says what it is.
_OF_TRAINING = ("recipe", "preprocessing", "data.train", "data.held_out")


@dataclass(frozen=True)
class Difference:
    """One property of all models, whether or not it differs.

    Attributes
    ----------
    property : a key of `PROPERTIES`, or one with `.part` behind it
    values : by model; by run in `check_runs`
    ratio : largest by smallest, for positive numbers
    declared : the reason that the study gives, if it gives one
    severity : `same`; `note`, a difference of architecture or a declared one; `error`, another
    given : the models that are evaluated as given, where they alone make a condition differ: what
        a network was trained by elsewhere is not known, and no error of the study
    """

    property: str
    values: dict[str, Value]
    differs: bool
    ratio: float | None
    declared: str | None
    severity: Literal["same", "note", "error"]
    given: tuple[str, ...] = ()


def compare(
    name: str,
    values: Mapping[str, Value],
    declared: Mapping[str, str],
    given: Collection[str] = (),
) -> Difference:
    """Compare one property over models; exactly, since equal arms have equal values.

    `given` are the models that are evaluated as given.
    """
    family = name.partition(".")[0]
    differs = len(set(values.values())) > 1
    trained = {value for model, value in values.items() if model not in given}
    numbers = [value for value in values.values() if not isinstance(value, str) and value > 0]
    ratio = max(numbers) / min(numbers) if numbers and len(numbers) == len(values) else None
    reason = declared.get(family)
    is_condition = PROPERTIES[family].kind == "condition"
    is_error = is_condition and reason is None and len(trained) > 1
    severity = "same" if not differs else "error" if is_error else "note"
    by_given = is_condition and differs and len(trained) < 2
    of_given = tuple(model for model in values if model in given) if by_given else ()
    return Difference(name, dict(values), differs, ratio, reason, severity, of_given)


def lint(
    study: Study,
    data: "StudyData",
    models: Mapping[str, "nn.Module"],
    probes: Mapping[str, "ProbeSet"],
    sizes: "Mapping[str, ModelSize] | None" = None,
) -> list[Difference]:
    """Measure what differs between the models of a study; nothing is trained.

    A few images of every part are preprocessed and shown to each model, up to its first operation
    with trainable weights, the training images in training mode: there it is seen whether a model
    resizes, rescales or augments by itself. A model that fails in training mode is not compared
    there: its run will say why. `sizes` are those of the models where they are measured already.

    Raises
    ------
    InputError : a model fails on the image size or returns no logits
    """
    from priorscope.preflight.anatomy import Anatomy, measure_anatomy
    from priorscope.preflight.input_change import input_change
    from priorscope.preflight.twin import Twin
    from priorscope.runs.given_images import as_seen
    from priorscope.runs.prepare_models import measure_model

    num_classes = data.train.num_classes
    parts = {"train": data.train.images, TEST_PROBE: data.test.images}
    parts |= {f"probes.{n}": probe.images for n, probe in probes.items() if n != TEST_PROBE}
    few = {part: _spread(images) for part, images in parts.items()}
    values: dict[str, dict[str, Value]] = {}
    for model, module in models.items():
        given, preprocess = study.is_given(model), as_seen(study, model, data).preprocess
        image_px = preprocess.image_px
        shape = {"num_classes": num_classes, "image_px": image_px, "where": f"models.{model}"}
        size = sizes[model] if sizes else measure_model(module, **shape)
        measured: dict[str, Any] = {
            name: _UNCOUNTED if value is None else value for name, value in asdict(size).items()
        }
        measured["recipe"] = _UNKNOWN if given else digest(study.as_dict()["recipe"])
        measured["preprocessing"] = _moments(preprocess.mean, preprocess.std)
        if preprocess.pictures is not None:
            measured["preprocessing"] += f", {preprocess.pictures.words}"
        inputs = {part: preprocess(images) for part, images in few.items()}
        try:
            twin = Twin(module)
            measured |= asdict(measure_anatomy(twin, image_px=image_px))
            measured["company"] = _company(twin.module, image_px)
            for part, images in parts.items():
                change = input_change(twin, inputs[part], training=part == "train")
                resized = f"{images.shape[1]} \N{RIGHTWARDS ARROW} {image_px} px"
                if change is not None:
                    measured[f"preprocessing.{part}"] = f"{resized}, {change}"
        except Exception:  # a user's module may do what cannot be followed, and train all the same
            measured = {field.name: _UNMEASURED for field in fields(Anatomy)} | measured
        measured["data.train"] = _UNKNOWN if given else data.train.fingerprint
        measured["data.test"] = data.test.fingerprint
        for name, value in measured.items():
            values.setdefault(name, {})[model] = value
    given = [model for model in models if study.is_given(model)]
    return [compare(name, by_model, study.declared, given) for name, by_model in values.items()]


def check_runs(
    records: Sequence[Mapping[str, Any]], declared: Mapping[str, str] | None = None
) -> list[Difference]:
    """Compare how the finished runs of one output folder were trained and tested.

    Runs are compared with those at the same level of every factor. What no run has recorded is not
    compared. A probe is compared among the runs that have predictions on it, what batch norms saw
    among those that have any; all else that some runs have recorded and others have not, differs.

    Parameters
    ----------
    records : `run.json` of each
    declared : the study's reasons by property
    """
    found: list[Difference] = []
    for cell, of_cell in records_by_cell(records).items():
        found += _check_cell(of_cell, f" at {cell}" if cell else "", declared or {})
    return found


def records_by_cell(records: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Group what runs recorded by the name of their cell."""
    cells: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        cells.setdefault(cell_name(record.get("levels", {}).items()), []).append(record)
    return cells


def _check_cell(
    records: Sequence[Mapping[str, Any]], at: str, declared: Mapping[str, str]
) -> list[Difference]:
    values: dict[str, dict[str, Value]] = {}
    runs = [f"{record['model']} seed {record['seed']}{at}" for record in records]
    given = [run for run, record in zip(runs, records, strict=True) if _is_given(record)]
    for run, record in zip(runs, records, strict=True):
        recorded = {f"recipe.{key}": value for key, value in record.get("recipe", {}).items()}
        data = record.get("data", {}).items()  # fingerprints, and remarks that compare nothing
        recorded |= {f"data.{part}": value for part, value in data if isinstance(value, str)}
        recorded |= {f"probes.{name}": value for name, value in record.get("probes", {}).items()}
        if _SEEN in record:
            recorded[_SEEN] = record[_SEEN]
        if "image_px" in record:
            recorded["preprocessing.image_px"] = record["image_px"]
        if "normalization" in record:
            recorded["preprocessing"] = _moments(**record["normalization"])
        for name, value in recorded.items():
            if run not in given or not name.startswith(_OF_TRAINING):
                values.setdefault(name, {})[run] = _plain(value)
    for name, by_run in values.items():
        if name != _SEEN and not name.startswith("probes."):
            compared = [run for run in runs if run not in given or run in by_run]
            values[name] = {run: by_run.get(run, "not recorded") for run in compared}
    return [compare(name, by_run, declared) for name, by_run in values.items()]


def _is_given(record: Mapping[str, Any]) -> bool:
    return bool(record.get("weights", {}).get("given"))


def refuse(
    differences: Iterable[Difference], *, where: object = "models", hint: str | None = None
) -> None:
    """Raise on differences that make the comparison one of something else than the models.

    Raises
    ------
    InputError : names every such property, and the models with their values
    """
    errors = [difference for difference in differences if difference.severity == "error"]
    if not errors:
        return
    families = list(dict.fromkeys(error.property.partition(".")[0] for error in errors))
    if families == [_SEEN]:
        hint = "give the recipe a micro_batch_size that fits every model, or declare it: "
        hint += f"declared: {{{_SEEN}: reason}}"
    raise InputError(
        f"the models differ in {', '.join(families)}, and the study does not declare it",
        where=where,
        found="; ".join(f"{error.property}: {_grouped(error.values)}" for error in errors),
        allowed="the same for every model",
        hint=hint
        or "make it the same, or say in the study why it differs: "
        f"declared: {{{', '.join(f'{name}: reason' for name in families)}}}",
    )


def as_plain(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    """Return differences as values that JSON can hold."""
    return [asdict(difference) for difference in differences]


def _grouped(values: Mapping[str, Value]) -> str:
    """Write each value once, behind the models that have it."""
    groups: dict[Value, list[str]] = {}
    for model, value in values.items():
        groups.setdefault(value, []).append(model)
    return ", ".join(f"{' and '.join(models)}: {value}" for value, models in groups.items())


def _spread(images: "np.ndarray") -> Any:
    import numpy as np
    import torch

    rows = np.linspace(0, len(images) - 1, min(_NUM_IMAGES, len(images)), dtype=int)
    return torch.from_numpy(np.ascontiguousarray(images[rows]))


def _company(module: "nn.Module", image_px: int) -> str:
    """Say whether other images of a batch change an answer; noise is as good as images here."""
    import torch

    from priorscope.evaluation.company import answers_depend_on_company
    from priorscope.training.streams import seeded_streams

    generator = torch.Generator().manual_seed(4)
    noise = torch.randn(_NUM_COMPANY, 3, image_px, image_px, generator=generator)
    with seeded_streams(0):
        return "on its own" if answers_depend_on_company(module, noise) is None else ON_BATCH


def _moments(mean: Iterable[float], std: Iterable[float]) -> str:
    means, stds = (" ".join(f"{value:g}" for value in moment) for moment in (mean, std))
    return f"mean {means}, std {stds}"


def _plain(value: Any) -> Value:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return value if isinstance(value, int | float) and not isinstance(value, bool) else str(value)

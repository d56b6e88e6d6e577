"""Read a study file, or refuse it with the key's path, what stood there and what may.

A study executes the code that it names (`./file.py:callable`): run only studies that you trust.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, TypeAdapter, ValidationError

from priorscope.errors import InputError, did_you_mean, unknown_name
from priorscope.studies import packaged_studies
from priorscope.study.cells import check_levels, check_stability
from priorscope.study.factors import read_factors
from priorscope.study.given import check_given
from priorscope.study.hypotheses import check_controls, check_hypotheses
from priorscope.study.interventions import check_interventions
from priorscope.study.measures import check_measures
from priorscope.study.properties import PROPERTIES
from priorscope.study.spec import (
    CHANCE,
    REPORT_ARMS,
    TEST_PROBE,
    Component,
    Contrast,
    Control,
    Hypothesis,
    Name,
    Split,
    Stability,
    Study,
)
from priorscope.study.weights import read_weights
from priorscope.study.yaml_text import MAX_BYTES, read_yaml
from priorscope.training.recipe import Recipe

Seed = Annotated[int, Field(ge=0, lt=2**31)]
MOST_RUNS = 20_000


class _Reference(BaseModel):
    """A component in the file: `name`, and any parameters beside it."""

    model_config = ConfigDict(extra="allow")
    name: str


class _File(BaseModel):
    """The top level of a study file."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    name: Name
    description: str = ""
    data: _Reference
    recipe: Recipe | None = None
    models: Annotated[dict[Name, _Reference], Field(min_length=1)]
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0,)
    probes: dict[Name, _Reference] = {}
    measures: dict[Name, _Reference] = {}
    hypotheses: tuple[Hypothesis, ...] = ()
    declared: dict[str, Annotated[str, Field(min_length=1)]] = {}
    stability: Stability | None = None
    reproduces: dict[str, str] = {}
    factors: dict[Name, Any] = {}
    controls: tuple[Control, ...] = ()
    curve_images: PositiveInt | None = None


def load_study(reference: str) -> Study:
    """Read a study from a file, or a packaged one by its name.

    Raises
    ------
    InputError : no such study, not YAML, unknown key, wrong type or impossible value
    """
    path = Path(reference)
    if path.suffix not in {".yaml", ".yml"} and not path.is_file():
        packaged = packaged_studies()
        if reference not in packaged:
            raise (
                _not_a_file(path)
                if path.exists()
                else unknown_name("study", reference, packaged, where="STUDY")
            )
        path = packaged[reference]
    if not path.is_file():
        if path.exists():
            raise _not_a_file(path)
        raise InputError("no such study file", where="STUDY", found=path)
    try:
        with path.open("rb") as file:  # no more than is needed to see that it is too large
            text = file.read(4 * MAX_BYTES + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("study file cannot be read", where=path, found=error) from None
    try:
        return parse_study(text, base=path.resolve().parent)
    except InputError as error:
        error.where = f"{path}: {error.where}" if error.where else str(path)
        raise


def _not_a_file(path: Path) -> InputError:
    kind = "a folder" if path.is_dir() else "no regular file"
    return InputError(
        "the study is not a file", where="STUDY", found=f"{path} ({kind})", allowed="a YAML file"
    )


def parse_study(text: str, *, base: Path) -> Study:
    """Read a study from YAML text; `./file.py` in it are relative to `base`.

    Raises
    ------
    InputError : as `load_study`, with the key's path in `where`
    """
    content = read_yaml(text)
    if not isinstance(content, dict):
        raise InputError(
            "a study is a mapping of keys to values",
            found=type(content).__name__,
            allowed=list(_File.model_fields),
        )
    _refuse_former_keys(content)
    in_data = False
    try:
        # JSON mode: strict about numbers and strings, yet a list becomes a tuple.
        file = _File.model_validate_json(json.dumps(content), strict=True)
        split_keys = set(Split.__dataclass_fields__)
        beside = file.data.model_extra or {}
        chosen = {key: value for key, value in beside.items() if key in split_keys}
        in_data = True
        split = TypeAdapter(Split).validate_json(json.dumps(chosen), strict=True)
    except ValidationError as error:
        explained = _explain(error)
        if in_data:
            explained.where = f"data.{explained.where}"
        raise explained from None
    models, weights = {}, {}
    for name, model in file.models.items():
        own, found = read_weights(name, model.model_extra or {}, file.seeds, base)
        models[name] = Component(model.name, own)
        weights |= {} if found is None else {name: found}
    study = Study(
        name=file.name,
        description=file.description.strip(),
        data=Component(file.data.name, {k: v for k, v in beside.items() if k not in split_keys}),
        split=split,
        recipe=file.recipe or Recipe(),
        models=models,
        weights=weights,
        seeds=file.seeds,
        probes={name: _component(probe) for name, probe in file.probes.items()},
        measures={name: _component(measure) for name, measure in file.measures.items()},
        hypotheses=file.hypotheses,
        base=base,
        text=text,
        declared=file.declared,
        stability=file.stability,
        controls=file.controls,
        curve_images=file.curve_images,
        reproduces=file.reproduces,
    )
    study = replace(study, factors=read_factors(content.get("factors") or {}, study, content))
    _check_size(study)
    check_given(study, has_recipe=file.recipe is not None)
    check_stability(study)
    _check_references(study)
    check_interventions(study)
    check_levels(study)
    check_controls(study)
    return study


def _refuse_former_keys(content: Mapping[str, Any]) -> None:
    """Say what took the place of keys that earlier versions had.

    Raises
    ------
    InputError : names the key and its successor
    """
    if "convergence" in content:
        raise InputError(
            "`convergence` is no key any more: a loss that comes to rest shows that the schedule "
            "ended, and not that training had no more to give",
            where="convergence",
            found=content["convergence"],
            allowed="stability: {budget: 0.5, margin: 0.01}, which also trains every model at half "
            "the budget and says whether the claims are the same there",
            hint="leave it out: a seed that learnt nothing is named in any case",
        )


def _component(reference: _Reference) -> Component:
    return Component(reference.name, dict(reference.model_extra or {}))


def _check_size(study: Study) -> None:
    """Refuse more runs than anybody could mean, before they are listed."""
    num_cells = math.prod(len(factor.levels) for factor in study.factors)
    num_runs = len(study.models) * len(study.seeds) * num_cells
    num_runs *= 1 if study.stability is None else 2
    if num_runs > MOST_RUNS:
        raise InputError(
            "too many runs",
            where="models, seeds and factors",
            found=f"{len(study.models)} models x {len(study.seeds)} seeds x {num_cells} cells",
            allowed=f"at most {MOST_RUNS:,} runs",
        )


def _check_references(study: Study) -> None:
    """Refuse what is well-formed but cannot be meant."""
    if len(set(study.seeds)) < len(study.seeds):
        raise InputError("a seed stands twice", where="seeds", found=list(study.seeds))
    if TEST_PROBE in study.probes:
        raise InputError(
            f"the name `{TEST_PROBE}` is taken by the test images, which are always evaluated",
            where=f"probes.{TEST_PROBE}",
        )
    if CHANCE in study.models:
        raise InputError("the name `chance` is taken by the chance level", where="models.chance")
    for name in study.declared:
        if name not in PROPERTIES:
            raise unknown_name("property", name, PROPERTIES, where=f"declared.{name}")
    stands_for: dict[str, str] = {}
    for arm, model in study.reproduces.items():
        where = f"reproduces.{arm}"
        if arm not in REPORT_ARMS:
            raise unknown_name("arm of the 2021 report", arm, REPORT_ARMS, where=where)
        if model not in study.models:
            raise unknown_name("model", model, study.models, where=where)
        if model in stands_for:
            raise InputError(
                f"a model stands for one arm, and this one stands for {stands_for[model]} already",
                where=where,
                found=model,
            )
        stands_for[model] = arm
    folded: dict[str, str] = {}
    for name in study.models:  # the names become folders, and some disks do not tell case
        if name.lower() in folded:
            raise InputError("two names differ by case only", where=f"models.{name}")
        folded[name.lower()] = name
    check_measures(study)
    check_hypotheses(study)


def _explain(error: ValidationError) -> InputError:
    """Turn one of pydantic's errors into ours: an unknown key, if any, explains the rest."""
    unknown = {"extra_forbidden", "unexpected_keyword_argument"}
    first = min(error.errors(), key=lambda each: each["type"] not in unknown)
    location = [str(part) for part in first["loc"]]
    path = ".".join(location)
    if first["type"] in unknown:
        fields = _fields(location[:-1])
        return InputError(
            "unknown key",
            where=path,
            found=location[-1],
            allowed=fields,
            hint=did_you_mean(location[-1], fields),
        )
    if first["type"] in {"missing", "missing_argument"}:
        return InputError("missing key", where=path)
    if first["type"] == "literal_error" and isinstance(first["input"], str):
        options = re.findall(r"'([^']+)'", first["msg"])
        return InputError(
            "value not allowed",
            where=path,
            found=_short(first["input"]),
            allowed=first["msg"].replace("Input should be ", ""),
            hint=did_you_mean(first["input"], options),
        )
    message = first["msg"].replace("Input should be ", "").replace("String should match", "match")
    message = message.replace("Value error, ", "")
    return InputError(
        "value not allowed", where=path, found=_short(first["input"]), allowed=message
    )


def _fields(location: list[str]) -> list[str]:
    match location:
        case []:
            return list(_File.model_fields)
        case ["recipe"]:
            return list(Recipe.__dataclass_fields__)
        case ["hypotheses", _]:
            return list(Hypothesis.__dataclass_fields__)
        case ["hypotheses", _, "contrast"]:
            return list(Contrast.__dataclass_fields__)
        case ["controls", _]:
            return list(Control.__dataclass_fields__)
        case ["stability"]:
            return list(Stability.__dataclass_fields__)
    return []


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."

"""Read the factors of a study, or refuse them.

A factor sets keys of `data` or `recipe`, which all models share: at each level every model still
has the same data and the same recipe, so a comparison within a level stays one of models alone. A
key of one model cannot be a factor: that is another model of the study.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from priorscope import components
from priorscope.errors import InputError, did_you_mean
from priorscope.study.cells import SPLIT_KEYS, study_at
from priorscope.study.levels import Factor, Level, LevelValue, written
from priorscope.study.spec import NAME, Component, Split, Study
from priorscope.training.recipe import Recipe

# Columns of the tables of an analysis, of predictions and of measurements: a factor becomes a
# column beside them. `tests/analysis/test_columns.py` holds the list to the tables.
COLUMNS = (
    *("a", "b", "model", "seed", "probe", "arm", "metric", "measure", "control", "condition"),
    *("cell", "cells", "level", "levels", "against", "factor", "row", "id", "run_id", "kind"),
    *("source", "cluster", "target", "targets", "logits", "budget", "layer", "head"),
    *("value", "score", "fraction", "estimate", "difference", "low", "high", "bound"),
    *("low_bound", "high_bound", "first", "first_low", "first_high", "second", "second_low"),
    *("second_high", "share", "share_adjusted", "f", "term", "crossing", "p_value", "p_adjusted"),
    *("test", "method", "few_seeds", "n", "num_seeds", "num_images", "num_train", "num_tied"),
    *("sum_sq", "df", "effect", "verdict", "margin", "declared", "model_a", "model_b", "seed_a"),
    *("seed_b", "x", "epoch", "chance", "partner", "partner_seed", "shares_order", "num_pairs"),
    *("cycles", "bias", "family", "all_low", "all_high", "reason"),
)
MOST_LEVELS = 1000
_RECIPE = [field.name for field in fields(Recipe)]


def read_factors(raw: Any, study: Study, given: Mapping[str, Any]) -> tuple[Factor, ...]:
    """Read `factors` of a study file.

    A factor is a list of levels, when its name is a key of `data`; or `{key: data.task, levels:
    [...]}`. Levels that are no plain values, or that should be called otherwise, have names:
    `levels: {plain: [], crops: [random_crop]}`. A factor may set several keys: `key: [data.
    train_fraction, recipe.epochs]`, and each named level then gives one value a key.

    Parameters
    ----------
    raw : what stands under `factors`
    study : the study without its factors
    given : the whole file, in which no key may be set that a factor sets

    Raises
    ------
    InputError : names the key's path, what stood there, what may, and the nearest name
    """
    if not isinstance(raw, Mapping):
        raise InputError(
            "factors are a mapping from names to levels",
            where="factors",
            found=type(raw).__name__,
            allowed="such as {train_fraction: [0.1, 1.0]}",
        )
    factors: list[Factor] = []
    for name, value in raw.items():
        _check_name(name, [factor.name for factor in factors])
        factor = _read_factor(name, value)
        for key in factor.keys:
            _check_key(key, factor, factors, given)
        factors.append(factor)
    for factor in factors:
        _check_dataset_parameters(factor, tuple(factors), study)
    return tuple(factors)


def _check_name(name: Any, taken: list[str]) -> None:
    where = f"factors.{name}"
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        raise InputError("a factor needs a name", where=where, found=repr(name), allowed=NAME)
    if name.lower() in COLUMNS:
        raise InputError(
            "the name is taken by a column of the tables",
            where=where,
            found=name,
            hint=f"call it otherwise, such as {name}_level, and give its key",
        )
    if name.lower() in [each.lower() for each in taken]:
        raise InputError("two names differ by case only", where=where)


def _read_factor(name: str, value: Any) -> Factor:
    where = f"factors.{name}"
    keys: Any = f"data.{name}"
    levels: Any = value
    if isinstance(value, Mapping):
        if unknown := [key for key in value if key not in ("key", "levels")]:
            raise InputError(
                "unknown key",
                where=f"{where}.{unknown[0]}",
                found=unknown[0],
                allowed=["key", "levels"],
                hint=did_you_mean(str(unknown[0]), ["key", "levels"]),
            )
        keys = value.get("key", keys)
        if "levels" not in value:
            raise InputError("missing key", where=f"{where}.levels")
        levels = value["levels"]
    several = isinstance(keys, list)
    keys = tuple(keys) if several else (keys,)
    if not keys or not all(isinstance(key, str) for key in keys) or len(set(keys)) < len(keys):
        raise InputError(
            "a factor sets one key, or a list of several",
            where=f"{where}.key",
            found=list(keys),
            allowed="such as data.train_fraction",
        )
    named = isinstance(levels, Mapping)
    if not isinstance(levels, list | Mapping) or len(levels) < 2:
        raise InputError(
            "a factor has at least two levels",
            where=f"{where}.levels" if isinstance(value, Mapping) else where,
            found=levels,
            allowed="a list of values, or a mapping from names to values",
        )
    if len(levels) > MOST_LEVELS:
        raise InputError(
            "a factor with too many levels",
            where=where,
            found=len(levels),
            allowed=f"at most {MOST_LEVELS}",
        )
    read: list[Level] = []
    for index, (label, setting) in enumerate(
        levels.items() if named else ((each, each) for each in levels)
    ):
        at = f"{where}.levels.{label if named else index}"
        if several and (not isinstance(setting, list) or len(setting) != len(keys)):
            raise InputError(
                "a level of a factor with several keys gives one value a key",
                where=at,
                found=setting,
                allowed=f"name: [{', '.join(keys)}]",
            )
        settings = tuple(
            _checked(key, each, at)
            for key, each in zip(keys, setting if several else [setting], strict=True)
        )
        # As it was checked: 1 is the same train fraction as 1.0.
        read.append(Level(_value(label if named or several else settings[0], label, at), settings))
        if written(read[-1].value) in [written(level.value) for level in read[:-1]] or any(
            level.settings == settings for level in read[:-1]
        ):
            raise InputError("a level stands twice", where=at, found=label)
    return Factor(name, keys, tuple(read))


def _value(value: Any, label: Any, where: str) -> LevelValue:
    """Take a level's value if it can name the level."""
    if isinstance(value, Component) or value is None:
        value = label
    whole = isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
    if not whole and not (isinstance(value, str) and re.fullmatch(NAME, value)):
        raise InputError(
            "a level that is no plain value needs a name",
            where=where,
            found=label,
            allowed="a number or a word; or levels: {name: value, ...}",
        )
    return value


def _checked(key: str, setting: Any, where: str) -> Any:
    """Check one setting of a key that is not the dataset's own; give it converted."""
    section, _, last = key.partition(".")
    of = Recipe if section == "recipe" else Split if last in SPLIT_KEYS else None
    if of is None or last not in {*_RECIPE, *SPLIT_KEYS}:
        return setting
    try:
        # JSON mode: strict about numbers and strings, yet a list becomes a tuple.
        made = TypeAdapter(of).validate_json(json.dumps({last: setting}), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        inner = ".".join(str(part) for part in first["loc"][1:])
        raise InputError(
            "value not allowed",
            where=f"{where}.{inner}" if inner else where,
            found=repr(first["input"]),
            allowed=first["msg"].replace("Value error, ", "").replace("Input should be ", ""),
        ) from None
    return getattr(made, last)


def _check_key(key: str, factor: Factor, before: list[Factor], given: Mapping[str, Any]) -> None:
    where = f"factors.{factor.name}.key"
    section, _, last = key.partition(".")
    if section not in ("data", "recipe") or not last or "." in last:
        raise InputError(
            "a factor sets what all models share",
            where=where,
            found=key,
            allowed="data.<key> or recipe.<key>",
            hint="what differs between models is another entry of `models`"
            if section == "models"
            else did_you_mean(key, _known_keys()),
        )
    if section == "recipe" and last not in _RECIPE:
        raise InputError(
            "unknown key of the recipe",
            where=where,
            found=key,
            allowed=_RECIPE,
            hint=did_you_mean(last, _RECIPE),
        )
    if last in (given.get(section) or {}) and key != "data.name":
        raise InputError(
            f"{key} is set twice: by this factor, and in `{section}`",
            where=where,
            found=given[section][last],
            hint=f"remove it from `{section}`",
        )
    for other in before:
        if key in other.keys:
            raise InputError("two factors set the same key", where=where, found=key)


def _known_keys() -> list[str]:
    return [*(f"data.{key}" for key in SPLIT_KEYS), *(f"recipe.{key}" for key in _RECIPE)]


def _check_dataset_parameters(factor: Factor, factors: tuple[Factor, ...], study: Study) -> None:
    """Check a factor's levels against the dataset's signature, the other factors at their first."""
    own = [key.partition(".")[2] for key in factor.keys if key.startswith("data.")]
    if not [key for key in own if key not in SPLIT_KEYS]:
        return
    crossed = replace(study, factors=factors)
    first = {other.name: other.values[0] for other in factors}
    for index, value in enumerate(factor.values):
        at = study_at(crossed, tuple((first | {factor.name: value}).items()))
        where = f"factors.{factor.name}.levels.{index}"
        dataset = components.resolve("data", at.data.name, base=study.base, where=where)
        try:
            components.bind(
                dataset,
                at.data.parameters,
                where="data",
                reserved=("root",),
                beside=SPLIT_KEYS,
                base=study.base,
            )
        except InputError as error:
            key = (error.where or "").removeprefix("data.")
            if key not in own:
                raise
            if error.problem == "unknown parameter":
                in_recipe = did_you_mean(f"recipe.{key}", _known_keys()) if key in _RECIPE else None
                raise InputError(
                    f"unknown key of data: {key}",
                    where=f"factors.{factor.name}",
                    found=f"data.{key}",
                    allowed=error.allowed,
                    hint=in_recipe or error.hint,
                ) from None
            error.where = where
            raise

"""What a study may ask of networks that were trained elsewhere, and what of them is refused."""

from collections.abc import Mapping
from typing import Any

from priorscope.errors import InputError
from priorscope.study.spec import Study
from priorscope.study.weights import GIVEN, INITIAL, SEED


def given_models(study: Mapping[str, Any]) -> list[str]:
    """List the models that are evaluated as given, from the `study` of `study.json`."""
    return [name for name, model in (study.get("models") or {}).items() if GIVEN in model]


def initial_models(study: Mapping[str, Any]) -> list[str]:
    """List the models whose training begins at weights from elsewhere."""
    return [name for name, model in (study.get("models") or {}).items() if INITIAL in model]


def single_networks(study: Mapping[str, Any]) -> list[str]:
    """List the models of which one network is given for several seeds."""
    stated = {name: study["models"][name][GIVEN] for name in given_models(study)}
    shared = [name for name, each in stated.items() if isinstance(each, str) and SEED not in each]
    return shared if len(study["seeds"]) > 1 else []


def check_given(study: Study, *, has_recipe: bool) -> None:
    """Refuse a study without a recipe that trains, and what a network that is given has not.

    Raises
    ------
    InputError : names the key
    """
    if study.trained and not has_recipe:
        raise InputError(
            "missing key",
            where="recipe",
            hint=f"only a study whose models all have `{GIVEN}` needs none; "
            f"{next(iter(study.trained))} has none",
        )
    given = [name for name in study.models if study.is_given(name)]
    if given and study.factors:
        raise InputError(
            "a network that is given is the same at every level of a factor, so nothing that a "
            "factor does is seen in it",
            where="factors",
            found=", ".join(factor.name for factor in study.factors),
            allowed=f"no factors beside `{GIVEN}`",
            hint=f"put {given[0]} into a study of its own, at the level that it is compared at",
        )
    if given and study.split.intervention is not None:
        raise InputError(
            "a network that is given was not trained on images whose pixels were moved",
            where="data.intervention",
            found=study.split.intervention.name,
            allowed=f"no intervention beside `{GIVEN}`",
        )

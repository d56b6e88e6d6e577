"""The interventions that a study names: found, and bound to their parameters, or refused."""

import functools
from pathlib import Path

from priorscope import components
from priorscope.errors import InputError
from priorscope.study.spec import Component, Study


def check_interventions(study: Study) -> None:
    """Refuse interventions that do not exist, and parameters that they do not have.

    Raises
    ------
    InputError : names the key's path, and the nearest name
    """
    named = [("data.intervention", study.split.intervention)]
    for factor in study.factors:
        for position, key in enumerate(factor.keys):
            if key == "data.intervention":
                where = f"factors.{factor.name}.levels"
                named += [
                    (f"{where}.{index}", level.settings[position])
                    for index, level in enumerate(factor.levels)
                ]
    for where, component in named:
        if component is not None:
            bind_intervention(component, study.base, where=where)


def bind_intervention(component: Component, base: Path, *, where: str) -> functools.partial:
    """Find an intervention and bind its parameters; `image_px` and `rng` are still to be given.

    Raises
    ------
    InputError : unknown name or parameter, or a value of the wrong type
    """
    parameters = {key: value for key, value in component.parameters.items() if key != "seed"}
    function = components.resolve("interventions", component.name, base=base, where=where)
    given = {"where": where, "reserved": ("image_px", "rng"), "beside": ("seed",), "base": base}
    try:
        bound = components.bind(function, parameters, **given)
    except InputError as error:
        if error.problem == "unknown parameter" and str(error.found).endswith("_seed"):
            error.hint = "one `seed`: train and test are permuted alike"
        raise
    return functools.partial(function, **bound)

"""The cells of a study: one level of each factor, which makes a study without factors."""

from dataclasses import fields, replace

from priorscope.errors import InputError, did_you_mean, unknown_name
from priorscope.study.levels import Levels, cell_name, cells_of, written
from priorscope.study.spec import CHANCE, Component, Split, Study

SPLIT_KEYS = [field.name for field in fields(Split)]


def cells(study: Study) -> list[Levels]:
    """List the cells of a study: every combination of levels; one empty cell without factors."""
    return cells_of({factor.name: factor.values for factor in study.factors})


def study_at(study: Study, levels: Levels, budget: float = 1.0) -> Study:
    """Return the study without factors that a cell of it is, at a part of its budget."""
    data, split, recipe = study.data.as_dict(), {}, {}
    values = dict(levels)
    for factor in study.factors:
        settings = factor.levels[factor.values.index(values[factor.name])].settings
        for key, setting in zip(factor.keys, settings, strict=True):
            section, _, last = key.partition(".")
            chosen = recipe if section == "recipe" else split if last in SPLIT_KEYS else data
            chosen[last] = setting
    chosen_recipe = replace(study.recipe, **recipe)
    epochs = max(1, round(chosen_recipe.epochs * budget))
    return replace(
        study,
        data=Component(data.pop("name"), data),
        split=replace(study.split, **split),
        recipe=replace(chosen_recipe, epochs=epochs),
        factors=(),
    )


def check_stability(study: Study) -> None:
    """Refuse a part of the budget that is no other number of epochs.

    Raises
    ------
    InputError : names both numbers
    """
    if study.stability is None:
        return
    for levels in cells(study):
        epochs = study_at(study, levels).recipe.epochs
        part = study_at(study, levels, study.stability.budget).recipe.epochs
        if part == epochs:
            raise InputError(
                "a part of the budget needs fewer epochs than the whole",
                where="stability.budget",
                found=f"{study.stability.budget:g} of {epochs} epochs, which is {part}",
                allowed="a part that leaves at least one epoch, and fewer than all",
            )


def check_levels(study: Study) -> None:
    """Refuse hypotheses that do not say at which level of each factor they hold.

    Raises
    ------
    InputError : names the hypothesis' key, and the nearest factor or the levels
    """
    values = {factor.name: factor.values for factor in study.factors}
    for index, hypothesis in enumerate(study.hypotheses):
        where = f"hypotheses.{index}"
        contrast = hypothesis.contrast
        at, between = hypothesis.at or {}, contrast.between or {}
        named = [("at", name, (value,)) for name, value in at.items()]
        named += [("contrast.between", name, pair) for name, pair in between.items()]
        for key, name, chosen in named:
            if name not in values:
                raise unknown_name("factor", name, values, where=f"{where}.{key}.{name}")
            for value in chosen:
                if value not in values[name]:
                    allowed = [written(each) for each in values[name]]
                    raise InputError(
                        f"{name} has no such level",
                        where=f"{where}.{key}.{name}",
                        found=value,
                        allowed=allowed,
                        hint=did_you_mean(str(value), allowed),
                    )
            if len(set(chosen)) < len(chosen):
                raise InputError(
                    "a level is not compared with itself",
                    where=f"{where}.{key}.{name}",
                    found=list(chosen),
                )
        if between and contrast.level is not None:
            raise InputError(
                "two levels of a factor are compared with each other, not with a stated level",
                where=f"{where}.contrast.between",
                found="beside level",
            )
        if between and contrast.b == CHANCE:
            raise InputError(
                "chance has no difference between levels to compare with",
                where=f"{where}.contrast.b",
                found=contrast.b,
                hint="leave `b` out to compare the two levels of one model",
            )
        if twice := [name for name in between if name in at]:
            raise InputError(
                "the contrast is between two levels of this factor already",
                where=f"{where}.at.{twice[0]}",
                found=at[twice[0]],
            )
        if missing := [name for name in values if name not in {*at, *between}]:
            raise InputError(
                f"the study has factors: say at which level of {missing[0]} the hypothesis holds",
                where=f"{where}.at",
                found=cell_name(at.items()) or "nothing",
                allowed=f"{missing[0]}: one of "
                + ", ".join(written(each) for each in values[missing[0]]),
            )

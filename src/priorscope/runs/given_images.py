"""How images are prepared for networks that were trained elsewhere.

By what timm's configuration says, by what the study states, or as for this study's own models:
`preprocess_note` says which.
"""

from dataclasses import replace
from typing import Any

from priorscope.data import Pictures, Preprocess
from priorscope.errors import InputError, did_you_mean
from priorscope.runs.prepare import StudyData
from priorscope.study.spec import Component, Study
from priorscope.study.weights import StatedPreprocess

_TIMM, _TORCHVISION = "timm:", "torchvision:"
_STATED = ("image_px", "mean", "std", "interpolation", "crop_fraction")


def as_seen(study: Study, model: str, data: StudyData) -> StudyData:
    """Return the data of a study as a model sees them: a network that is given in its own way.

    Raises
    ------
    InputError : how its images are prepared is not known
    """
    if not study.is_given(model):
        return data
    component, stated = study.models[model], study.weights[model].preprocess
    where = f"models.{model}.preprocess"
    found = preprocess_given(component, stated, data.preprocess, where)
    return replace(data, preprocess=found)


def preprocess_given(
    component: Component, stated: StatedPreprocess | None, own: Preprocess, where: str
) -> Preprocess:
    """Find how images are prepared for a network that is given.

    Parameters
    ----------
    own : of the study's trained models

    Raises
    ------
    InputError : neither stated nor known
    """
    said = {} if stated is None else {key: getattr(stated, key) for key in _STATED}
    said = {key: value for key, value in said.items() if value is not None}
    if component.name.startswith(_TIMM):
        known = _of_timm(component.name.removeprefix(_TIMM), where)
    elif component.name.startswith(_TORCHVISION):
        known = {}
    elif not said:
        return own
    else:
        known = {"image_px": own.image_px, "mean": own.mean, "std": own.std}
    if missing := [key for key in _STATED[:3] if key not in known | said]:
        raise InputError(
            "it is not known how images are prepared for this network",
            where=where,
            found=f"no {', '.join(missing)}",
            allowed="{image_px: 224, mean: [r, g, b], std: [r, g, b], interpolation: bilinear, "
            "crop_fraction: 0.875}, as it was trained",
            hint=_published(component.name),
        )
    values = {"interpolation": "bilinear", "crop_fraction": 1.0, "crop_mode": "center"}
    values |= known | said
    if "crop_fraction" in said:  # what is stated is a central crop
        values["crop_mode"] = "center"
    pictures = Pictures(values["interpolation"], values["crop_fraction"], values["crop_mode"])
    return Preprocess(values["image_px"], values["mean"], values["std"], pictures=pictures)


def preprocess_note(component: Component, stated: StatedPreprocess | None, of: Preprocess) -> str:
    """Say how images are prepared for a network that is given, and how that is known."""
    means, stds = (" ".join(f"{value:g}" for value in moment) for moment in (of.mean, of.std))
    how = of.pictures.words if of.pictures else "bilinear, as for what is trained here"
    text = f"images are prepared at {of.image_px} px ({how}; mean {means}, std {stds})"
    all_stated = stated is not None and None not in [getattr(stated, key) for key in _STATED]
    if all_stated:
        return f"{text}, as the study states"
    rest = "what the study does not state" if stated is not None else "assumed"
    if component.name.startswith(_TIMM):
        return f"{text}; {rest}: timm's configuration of {component.name.removeprefix(_TIMM)}"
    if of.pictures is None:
        return f"{text}; assumed: as this study prepares the images of its data"
    return f"{text}, as the study states, else bilinear, a crop of all, and this study's own"


def _of_timm(architecture: str, where: str) -> dict[str, Any]:
    """Return what timm's configuration says, as `timm.data.resolve_data_config` resolves it.

    Empty where timm has no weights of an architecture, or these see something else than images.

    Raises
    ------
    InputError : the name has a tag that timm does not have
    """
    import timm
    from timm.data.config import resolve_data_config

    try:
        published = timm.get_pretrained_cfg(architecture, allow_unregistered=True)
    except RuntimeError:
        tags = timm.list_pretrained(f"{architecture.partition('.')[0]}.*")
        raise InputError(
            "timm has no such weights of this architecture",
            where=where,
            found=f"{_TIMM}{architecture}",
            allowed=[f"{_TIMM}{tag}" for tag in tags],
            hint=did_you_mean(architecture, tags),
        ) from None
    if published is None or not published.has_weights:
        return {}
    config = resolve_data_config(pretrained_cfg=published.to_dict())
    channels, height, width = config["input_size"]
    if channels != 3 or height != width:
        return {}
    return {
        "image_px": height,
        "mean": tuple(config["mean"]),
        "std": tuple(config["std"]),
        "interpolation": config["interpolation"],
        "crop_fraction": config["crop_pct"],
        "crop_mode": config["crop_mode"],
    }


def _published(name: str) -> str | None:
    """List what torchvision says of its own weights of an architecture."""
    if not name.startswith(_TORCHVISION):
        return None
    import torchvision.models

    architecture = name.removeprefix(_TORCHVISION)
    if architecture not in torchvision.models.list_models(module=torchvision.models):
        return None
    lines = []
    for weights in torchvision.models.get_model_weights(architecture):
        preset = weights.transforms()
        fraction = preset.crop_size[0] / preset.resize_size[0]
        lines.append(
            f"{weights.name}: image_px {preset.crop_size[0]}, mean {preset.mean}, std {preset.std},"
            f" interpolation {preset.interpolation.value}, crop_fraction {fraction:.4g}"
        )
    return f"of torchvision's own weights, {'; '.join(lines)}"

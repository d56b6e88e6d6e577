"""`torchvision:<name>`: any classifier of torchvision, with fresh weights."""

from difflib import get_close_matches
from typing import Any

import torchvision.models
from torch import nn

from priorscope.errors import InputError


def torchvision_classifier(
    *, architecture: str, num_classes: int, image_px: int, **options: Any
) -> nn.Module:
    """Build a torchvision classifier without pretrained weights; `options` go to its constructor.

    What torchvision knows of the sizes that it takes is its attribute `known_image_px`, for
    messages.

    Raises
    ------
    InputError : torchvision has no such classifier, or it refuses the size or an option; weights
        are asked for
    """
    for option in ("weights", "weights_backbone", "pretrained"):
        if option in options:
            raise InputError(
                "models are trained from scratch: no weights are loaded",
                where=option,
                found=options[option],
            )
    names = torchvision.models.list_models(module=torchvision.models)
    if architecture not in names:
        near = get_close_matches(architecture, names, n=3, cutoff=0.4)
        raise InputError(
            "torchvision has no such classifier",
            where="name",
            found=f"torchvision:{architecture}",
            allowed=names,
            hint=f"did you mean {' or '.join(f'torchvision:{n}' for n in near)}?" if near else None,
        )
    is_sized = architecture.startswith("vit_")
    if is_sized:  # the only family built for one size
        options = {"image_size": image_px, **options}
    if architecture in {"googlenet", "inception_v3"}:  # one output, as all the others have
        options = {"aux_logits": False, **options}
    published = next(iter(torchvision.models.get_model_weights(architecture)))
    smallest = published.meta.get("min_size")
    known = (
        f"image_px: at least {smallest[0]} by torchvision's own word"
        if smallest and not is_sized
        else None
    )
    try:
        model = torchvision.models.get_model(
            architecture, weights=None, num_classes=num_classes, **options
        )
    except (TypeError, ValueError, AssertionError, RuntimeError) as error:
        raise InputError(
            "torchvision refuses the parameters",
            where="name",
            found=f"torchvision:{architecture} at {image_px} px: {type(error).__name__}: {error}",
            allowed=known,
        ) from error
    model.known_image_px = known  # type: ignore[assignment]
    return model

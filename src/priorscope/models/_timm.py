"""`timm:<name>`: any classifier of timm, with fresh weights."""

from difflib import get_close_matches
from typing import Any

import timm
from torch import nn

from priorscope.errors import InputError

# Options that would bring weights from elsewhere, from the net or from a file.
_OF_WEIGHTS = (
    *("pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path", "cache_dir"),
    "pretrained_strict",
)


def timm_classifier(
    *, architecture: str, num_classes: int, image_px: int, **options: Any
) -> nn.Module:
    """Build a timm model without pretrained weights; `options` go to its constructor.

    A model whose constructor takes `img_size` is built for `image_px`, the others take any size.

    Raises
    ------
    InputError : timm has no such model, or it refuses the size or an option; weights are asked for
    """
    for option in _OF_WEIGHTS:
        if option in options:
            raise InputError(
                "models are trained from scratch: no weights are loaded",
                where=option,
                found=options[option],
            )
    if not timm.is_model(architecture):
        near = get_close_matches(architecture, timm.list_models(), n=3, cutoff=0.4)
        raise InputError(
            "timm has no such model",
            where="name",
            found=f"timm:{architecture}",
            hint=f"did you mean {' or '.join(f'timm:{name}' for name in near)}?" if near else None,
        )
    sized = {"img_size": image_px, **options}
    try:
        try:
            return timm.create_model(architecture, num_classes=num_classes, **sized)
        except TypeError as error:
            if "img_size" not in str(error):
                raise
            return timm.create_model(architecture, num_classes=num_classes, **options)
    except (TypeError, ValueError, AssertionError, RuntimeError) as error:
        raise InputError(
            "timm refuses the parameters",
            where="name",
            found=f"timm:{architecture} at {image_px} px: {type(error).__name__}: {error}",
        ) from error

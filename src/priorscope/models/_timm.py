"""`timm:<name>`: any classifier of timm, with fresh weights."""

from difflib import get_close_matches
from typing import Any

import timm
from timm.layers.patch_embed import PatchEmbed
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
    What timm knows of the sizes that it takes is its attribute `known_image_px`, for messages.

    Raises
    ------
    InputError : timm has no such model, or it refuses the size or an option; patches would leave
        a part of the image out; weights are asked for
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
    known = _known_image_px(architecture)
    try:
        try:
            model = timm.create_model(architecture, num_classes=num_classes, **sized)
        except TypeError as error:
            if "img_size" not in str(error):
                raise
            model = timm.create_model(architecture, num_classes=num_classes, **options)
    except (TypeError, ValueError, AssertionError, RuntimeError) as error:
        raise InputError(
            "timm refuses the parameters",
            where="name",
            found=f"timm:{architecture} at {image_px} px: {type(error).__name__}: {error}",
            allowed=known,
        ) from error
    _check_patches(model, f"timm:{architecture}", image_px)
    model.known_image_px = known  # type: ignore[assignment]
    return model


def _known_image_px(architecture: str) -> str | None:
    """Say what timm knows of a model's image sizes: the one of its published weights."""
    published = timm.get_pretrained_cfg(architecture, allow_unregistered=True)
    if published is None or not published.input_size:
        return None
    return f"image_px: timm has it for {published.input_size[-1]}, and names no others"


def _check_patches(model: nn.Module, name: str, image_px: int) -> None:
    """Refuse patches that do not divide the image: timm's silently leave its last pixels out."""
    for module in model.modules():
        if not isinstance(module, PatchEmbed) or module.dynamic_img_pad:
            continue
        patch_px = int(module.patch_size[0])
        if module.img_size == (image_px, image_px) and image_px % patch_px:
            below = image_px // patch_px * patch_px
            sizes = [str(size) for size in (below, below + patch_px) if size]
            raise InputError(
                "the patch must divide the image",
                where="name",
                found=f"{name} at {image_px} px: patches of {patch_px} px",
                allowed=f"image_px: any multiple of {patch_px}, such as {' or '.join(sizes)}",
                hint="set recipe.image_px, which all models share",
            )

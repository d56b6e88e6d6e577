"""One residual network whose token mixer is a parameter."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import nn

from priorscope.components import bind, resolve
from priorscope.errors import InputError, did_you_mean
from priorscope.models._checks import NumBlocks, check_halving, grid_side
from priorscope.models._match import match_hidden
from priorscope.models._skeleton import Skeleton

SET_HERE = ("embed_dim", "grid_size", "layer", "relative_bias", "class_token")


def skeleton(
    *,
    num_classes: int,
    image_px: int,
    mixer: str = "global_attention",
    form: Literal["isotropic", "pyramid"] = "isotropic",
    patch_size: PositiveInt = 4,
    embed_dim: PositiveInt = 80,
    depth: NumBlocks | None = None,
    depths: Annotated[tuple[NumBlocks, ...], Field(min_length=1)] | None = None,
    mlp_ratio: PositiveFloat | None = None,
    num_parameters: PositiveInt | None = None,
    positions: Literal["none", "absolute", "relative"] = "absolute",
    pool: Literal["mean", "cls"] = "mean",
    **mixer_options: Any,
) -> nn.Module:
    """Build a residual network in which any token mixer stands in the same place.

    Stem, normalisation, MLP, depth and head are the same for all mixers. With the defaults it is
    `vit_nano`.

    Parameters
    ----------
    mixer : a name from `priorscope list mixers`, or `package.module:callable`
    form : `isotropic`: `depth` blocks (default 4) on one grid. `pyramid`: stages of `depths` blocks
        (default 1, 2, 1), each of half the grid and twice the width of the one before
    embed_dim : width, of the first stage
    mlp_ratio : hidden width of the MLPs by `embed_dim` (default 3)
    num_parameters : in place of `mlp_ratio`: the hidden width is solved so that the network has so
        many parameters, within 2 %. Given to all arms of a study, it makes their counts match
    positions : what tells the places apart. `absolute`: a learned embedding of each place is added
        to the patches. `relative`: the mixer learns a bias of its scores for each offset
        (attention only). `none`: nothing but the mixer's own window
    pool : what is classified: the mean of the tokens, or a class token (`cls`). A class token sees
        every token in every block and is seen by them, which would be a way around any window: only
        global attention takes one
    mixer_options : parameters of the mixer, such as `window_size` or `num_heads`. In a pyramid each
        stage has twice the heads of the one before

    Raises
    ------
    InputError : unknown mixer or parameter; a shape that does not fit; a mixer without what
        `positions` or `pool` asks for; `num_parameters` that no hidden width gives
    """
    depths = _depths(form, depth, depths)
    grid_size = grid_side(image_px, patch_size)
    check_halving(grid_size, len(depths), image_px=image_px)
    if mlp_ratio is not None and num_parameters is not None:
        raise InputError(
            "num_parameters solves what mlp_ratio sets",
            where="mlp_ratio",
            found=f"mlp_ratio {mlp_ratio:g}, num_parameters {num_parameters}",
            allowed="one of the two",
        )
    function = resolve("mixers", mixer, base=Path(), where="mixer")
    options = _options(function, mixer, mixer_options)
    options |= _switches(function, mixer, form=form, positions=positions, pool=pool)
    accepted = inspect.signature(function).parameters

    def make_mixer(stage: int, channels: int, layer: int) -> nn.Module:
        own = dict(options)
        if "layer" in accepted:
            own["layer"] = layer
        if stage > 0 and "num_heads" in accepted:
            own["num_heads"] = 2**stage * own.get("num_heads", accepted["num_heads"].default)
        return function(embed_dim=channels, grid_size=grid_size // 2**stage, **own)

    def build(hidden: int) -> Skeleton:
        return Skeleton(
            num_classes=num_classes,
            patch_size=patch_size,
            grid_size=grid_size,
            embed_dim=embed_dim,
            hidden=hidden,
            depths=depths,
            make_mixer=make_mixer,
            positions=positions == "absolute",
            class_token=pool == "cls",
        )

    def count(hidden: int) -> int:
        with torch.device("meta"):  # shapes without memory
            return sum(parameter.numel() for parameter in build(hidden).parameters())

    if num_parameters is not None:
        return build(match_hidden(count, num_parameters))
    return build(max(1, round((3.0 if mlp_ratio is None else mlp_ratio) * embed_dim)))


def _depths(form: str, depth: int | None, depths: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return the blocks of each stage."""
    given, wanted = ("depths", "depth") if form == "isotropic" else ("depth", "depths")
    if {"depth": depth, "depths": depths}[given] is not None:
        raise InputError(
            f"{form} networks take {wanted}",
            where=given,
            found=f"{given} with form {form}",
            allowed=wanted,
        )
    if form == "isotropic":
        return (4 if depth is None else depth,)
    return (1, 2, 1) if depths is None else depths


def _options(
    function: Callable[..., nn.Module], mixer: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Check the mixer's parameters against its signature."""
    own = [name for name in inspect.signature(function).parameters if name not in SET_HERE]
    for name in given:
        if name not in own:
            ours = list(inspect.signature(skeleton).parameters)[2:-1]  # but the data's shape
            raise InputError(
                f"neither the skeleton nor {mixer} has such a parameter",
                where=name,
                found=name,
                allowed=sorted([*own, *ours]),
                hint=did_you_mean(name, [*own, *ours]),
            )
    try:
        return bind(function, given, where="mixer", reserved=SET_HERE)
    except InputError as error:  # in a study, the mixer's parameters stand beside the skeleton's
        error.where = (error.where or "").removeprefix("mixer.")
        raise


def _switches(
    function: Callable[..., nn.Module], mixer: str, *, form: str, positions: str, pool: str
) -> dict[str, bool]:
    """Return what the mixer must do for the skeleton's own switches, or refuse it."""
    accepted = inspect.signature(function).parameters
    switches = {}
    if positions == "relative":
        if "relative_bias" not in accepted:
            raise InputError(
                f"{mixer} has no scores that a relative bias could be added to",
                where="positions",
                found=positions,
                allowed="none, absolute",
            )
        switches["relative_bias"] = True
    if pool == "cls":
        if "class_token" not in accepted or form == "pyramid":
            raise InputError(
                "a class token sees every token, in every block: a way around windows and grids",
                where="pool",
                found=f"cls with {mixer if form == 'isotropic' else form}",
                allowed="mean; cls with global_attention in the isotropic form",
            )
        switches["class_token"] = True
    return switches

"""A small vision transformer whose tokens attend to all tokens."""

from pydantic import PositiveFloat, PositiveInt
from torch import nn

from priorscope.models._checks import NumBlocks
from priorscope.models.skeleton import skeleton


def vit_nano(
    *,
    num_classes: int,
    image_px: int,
    patch_size: PositiveInt = 4,
    embed_dim: PositiveInt = 80,
    depth: NumBlocks = 4,
    num_heads: PositiveInt = 4,
    mlp_ratio: PositiveFloat = 3.0,
) -> nn.Module:
    """Build a vision transformer with global attention (269,850 parameters at 32 px, 10 classes).

    It is `skeleton` with `global_attention`. Source: Dosovitskiy et al. (2020), "An Image is Worth
    16x16 Words", arXiv:2010.11929. Deviation: the tokens' mean is classified (no class token),
    since a class token sees every position in every layer, and a local transformer must not have
    such a way around its windows.

    Raises
    ------
    InputError : the patch does not divide the image, or the heads do not divide the width
    """
    return skeleton(
        num_classes=num_classes,
        image_px=image_px,
        mixer="global_attention",
        patch_size=patch_size,
        embed_dim=embed_dim,
        depth=depth,
        mlp_ratio=mlp_ratio,
        num_heads=num_heads,
    )

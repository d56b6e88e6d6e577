"""A small vision transformer whose tokens attend to all tokens."""

from pydantic import PositiveFloat, PositiveInt
from torch import nn

from priorscope.models._transformer import Transformer


def vit_nano(
    *,
    num_classes: int,
    image_px: int,
    patch_size: PositiveInt = 4,
    embed_dim: PositiveInt = 80,
    depth: PositiveInt = 4,
    num_heads: PositiveInt = 4,
    mlp_ratio: PositiveFloat = 3.0,
) -> nn.Module:
    """Build a vision transformer with global attention (269,850 parameters at 32 px, 10 classes).

    See `models/_transformer.py` for the source and the deviations from it.

    Raises
    ------
    InputError : the patch does not divide the image, or the heads do not divide the width
    """
    return Transformer(
        num_classes=num_classes,
        image_px=image_px,
        patch_size=patch_size,
        embed_dim=embed_dim,
        depth=depth,
        num_heads=num_heads,
        mlp_ratio=mlp_ratio,
    )

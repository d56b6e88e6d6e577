"""The transformer of `vit_nano`, each token attending to its neighbourhood only."""

from pydantic import PositiveFloat, PositiveInt
from torch import nn

from priorscope.models._checks import NumBlocks
from priorscope.models.skeleton import skeleton


def local_vit_nano(
    *,
    num_classes: int,
    image_px: int,
    window_size: PositiveInt = 3,
    patch_size: PositiveInt = 4,
    embed_dim: PositiveInt = 80,
    depth: NumBlocks = 4,
    num_heads: PositiveInt = 4,
    mlp_ratio: PositiveFloat = 3.0,
) -> nn.Module:
    """Build `vit_nano` with local attention: same parameters, same initial weights, other reach.

    `window_size` is the odd side, in patches, of the square that a token attends to. A window
    that covers the grid is global attention: the model then equals `vit_nano`.

    Source of the neighbourhood: Hassani et al. (2022), arXiv:2204.07143. Deviation: positions are
    absolute and learned as in `vit_nano`, with no relative bias, so that reach alone differs.

    Raises
    ------
    InputError : even window, the patch does not divide the image, or the heads not the width
    """
    return skeleton(
        num_classes=num_classes,
        image_px=image_px,
        mixer="neighbourhood_attention",
        patch_size=patch_size,
        embed_dim=embed_dim,
        depth=depth,
        mlp_ratio=mlp_ratio,
        window_size=window_size,
        num_heads=num_heads,
    )

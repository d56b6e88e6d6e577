"""Local order destroyed, global order kept."""

import numpy as np
from pydantic import PositiveInt

from priorscope.interventions._patches import in_image, patches


def permute_within_patches(
    *, image_px: int, rng: np.random.Generator, patch_px: PositiveInt = 4
) -> np.ndarray:
    """Permute the pixels of every patch by one fixed permutation; patches stay where they are.

    All patches share the permutation. A model whose first layer is a linear map of whole patches of
    this size cannot tell the difference.

    Control models: `pixel_set_mlp` must score exactly as before, `linear` as before but for its
    initial weights, and `bag_of_local_features` must fall towards `pixel_set_mlp`.

    Raises
    ------
    InputError : the patches do not divide the image
    """
    places = patches(image_px, patch_px)
    return in_image(places, places[:, rng.permutation(patch_px**2)])

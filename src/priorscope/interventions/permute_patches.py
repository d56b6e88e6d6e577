"""Global order destroyed, local order kept."""

import numpy as np
from pydantic import PositiveInt

from priorscope.interventions._patches import in_image, patches


def permute_patches(
    *, image_px: int, rng: np.random.Generator, patch_px: PositiveInt = 4
) -> np.ndarray:
    """Move every patch to another place by one fixed permutation; its pixels stay in order.

    Control models: `pixel_set_mlp` must score exactly as before, `linear` as before but for its
    initial weights, and `bag_of_local_features` as before but for the patches across the seams.

    Raises
    ------
    InputError : the patches do not divide the image
    """
    places = patches(image_px, patch_px)
    return in_image(places, places[rng.permutation(len(places))])

"""Locality destroyed: one permutation of all pixels."""

import numpy as np


def permute_pixels(*, image_px: int, rng: np.random.Generator) -> np.ndarray:
    """Permute all pixels by one fixed permutation: what was near is far, and nothing else changes.

    A model that does not know which pixels are neighbours loses nothing: a linear model or a
    multilayer perceptron trains as well as before (Zhang et al. 2017, arXiv:1611.03530, trained
    networks on such images; Tolstikhin et al. 2021, arXiv:2105.01601, compared architectures so).

    Control models: `pixel_set_mlp` must score exactly as before, `linear` as before but for its
    initial weights, and `bag_of_local_features` must fall towards `pixel_set_mlp`.
    """
    return rng.permutation(image_px**2)

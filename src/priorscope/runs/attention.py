"""How far a trained model's attention looks, on test images."""

from typing import Any

import numpy as np
import torch
from torch import nn

from priorscope.data import LabeledImages, Preprocess
from priorscope.models._attention_locality import attention_locality

IMAGES = 32  # of the test images, each class by its share; means over queries vary little
RADIUS = 1  # of the mass within a radius, in patches: what a window of 3 sees


def measure_attention(
    model: nn.Module, test: LabeledImages, preprocess: Preprocess, device: torch.device
) -> list[dict[str, Any]]:
    """Measure every attention layer and head that tells its weights; none gives an empty list.

    Returns
    -------
    rows of `layer` and `head` (from 1), `mean_distance` (patches), `entropy` (nats),
    `effective_rank` (1 to tokens) and `mass_within` (of a square of 2 RADIUS + 1 patches, 0 to 1);
    see `LayerLocality`
    """
    few = test.thinned(IMAGES, np.random.default_rng(0))
    images = torch.from_numpy(few.images.copy()).to(device)
    with torch.no_grad():
        layers = attention_locality(model, preprocess(images), radius=RADIUS)
    measures = ("mean_distance", "entropy", "effective_rank", "mass_within")
    return [
        {"layer": layer.layer + 1, "head": head + 1}
        | {name: float(getattr(layer, name)[head]) for name in measures}
        for layer in layers
        for head in range(len(layer.mean_distance))
    ]

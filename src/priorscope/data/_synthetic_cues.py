"""Images of one object whose class owns a shape, a texture and a colour.

Each of the three cues gives the class away alone, so that an image can show the shape of one class
with the texture or the colour of another, and the answer tells which of them a network goes by.
All else is drawn as for `objects`, see `_synthetic_objects`.
"""

from collections.abc import Mapping

import numpy as np

from priorscope.data._labeled_images import NamedFactors
from priorscope.data._synthetic_objects import draw_surroundings, paint_objects
from priorscope.data._synthetic_stream import Block, balanced_labels

CUES = ("shape", "texture", "colour")
CLASS_NAMES = (
    "striped red square",
    "checked lime triangle",
    "dotted cyan disc",
    "latticed violet star",
)
_HUE_SIGMA = 0.03  # in turns; the centres of two colours are 1/4 apart


def draw_cues(num_images: int, rng: np.random.Generator) -> Block:
    """Draw images of one object each, all three cues of its class; factors as `draw_objects`."""
    labels = balanced_labels(num_images, len(CLASS_NAMES), rng)
    images, factors = _draw(dict.fromkeys(CUES, labels), rng)
    return Block(images, labels, factors)


def draw_named(levels: Mapping[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Draw images of any combination of cues: uint8 [n, 32, 32, 3]; see `NamedFactors`."""
    return _draw(levels, rng)[0]


NAMED = NamedFactors(CUES, draw_named)


def _draw(
    levels: Mapping[str, np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    shape, texture, colour = (levels[cue] for cue in CUES)
    hue = (colour / len(CLASS_NAMES) + rng.normal(0, _HUE_SIGMA, len(shape))) % 1
    factors = draw_surroundings(hue, rng)
    images = paint_objects(shape, texture, factors, rng, grey=colour < 0)
    return images, {"texture": texture, "colour": colour, "shape": shape, **factors}

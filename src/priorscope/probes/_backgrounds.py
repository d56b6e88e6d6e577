"""Background pictures drawn by us, so that a study needs no files and no photographs."""

from collections.abc import Callable

import numpy as np

from priorscope.errors import unknown_name
from priorscope.probes import _backgrounds_ground as ground
from priorscope.probes import _backgrounds_made as made
from priorscope.probes import _backgrounds_scenes as scenes

# In the order in which a probe uses them: the first 20 mix textures, scenes and patterns.
KINDS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "grass": ground.grass,
    "sand": ground.sand,
    "water": ground.water,
    "brick": made.brick,
    "wood": made.wood,
    "sky": scenes.sky,
    "leaves": ground.leaves,
    "mountains": scenes.mountains,
    "gravel": ground.gravel,
    "sea": scenes.sea,
    "tiles": made.tiles,
    "skyline": scenes.skyline,
    "snow": ground.snow,
    "tartan": made.tartan,
    "road": scenes.road,
    "marble": made.marble,
    "bark": ground.bark,
    "checks": made.checks,
    "forest": scenes.forest,
    "pink_noise": made.pink_noise,
    "dunes": scenes.dunes,
    "concrete": ground.concrete,
    "field": scenes.field,
    "knit": made.knit,
    "night_sky": scenes.night_sky,
    "cracked_earth": ground.cracked_earth,
    "stripes": made.stripes,
    "white_noise": made.white_noise,
    "brown_noise": made.brown_noise,
}


def draw(kind: str, size_px: int, rng: np.random.Generator) -> np.ndarray:
    """Draw one background picture.

    A kind shows the same view at any size: features are fractions of the picture.

    Parameters
    ----------
    kind : a key of `KINDS`
    size_px : the side of the picture in pixels

    Returns
    -------
    uint8 [size_px, size_px, 3], RGB

    Raises
    ------
    InputError : no such kind
    """
    if kind not in KINDS:
        raise unknown_name("kind of background", kind, KINDS)
    colours = KINDS[kind](size_px, rng)
    return (colours.clip(0, 1) * 255 + 0.5).astype(np.uint8)

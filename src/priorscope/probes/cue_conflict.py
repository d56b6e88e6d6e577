"""The shape of one class with the texture, or the colour, of another."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from priorscope.bias import Bias
from priorscope.data import LabeledImages
from priorscope.errors import InputError
from priorscope.probes._probe_set import ProbeSet

_NONE = -1  # of a factor: no class's level
SHAPE = "shape"


BIASES = {
    "conflict": Bias(
        "Shape against another cue",
        "it answers by the other cue, or by neither",
        "it answers by the shape",
        "Low does not say by what: see cue_answers and neither_cue.",
        control="agree",
    ),
    "shape_only": Bias(
        "Shape alone",
        "it needs texture or colour",
        "the shape is enough",
        "A plain grey object is new to it, whatever it goes by.",
    ),
    "cue_only": Bias(
        "Texture or colour alone",
        "it needs the shape",
        "the other cue is enough",
        "The cue fills the image, as it never does in training.",
    ),
}


def cue_conflict(
    source: LabeledImages,
    *,
    rng: np.random.Generator,
    num_images: Annotated[int, Field(ge=1)] = 2000,
    cue: Literal["texture", "colour"] = "texture",
) -> ProbeSet:
    """Show the shape of one class with the texture or the colour of another.

    It needs images whose classes each own a shape, a texture and a colour, drawn by name: the data
    `{name: synthetic, task: cues}`. The cue that is not in conflict is left out: objects are grey,
    or plain.

    - `conflict`: the shape of the target, `cue` of another class;
    - `agree`: both of the target, the control of what leaving the third cue out costs;
    - `shape_only`: the shape of the target, neither texture nor colour;
    - `cue_only`: `cue` of the target, all over the image;
    - `intact`: all three cues of the target, as the classes have them.

    The arms of a scene are alike in all else. The target of `conflict` is the class of the shape,
    so that top-1 is the share of answers by shape; `cue_answers` is that by `cue`, `neither_cue`
    the share that names another class, and `shape_bias` the ratio of the first to the first two.
    The ratio alone misleads: of a network that goes by neither it is a quotient of small numbers.

    After Geirhos et al. 2019 (arXiv:1811.12231). Deviations: drawn images in place of style
    transfer, so that both cues are as strong as in training and the third is absent; answers are
    counted against all classes, and none are left out.

    Parameters
    ----------
    num_images : how many scenes; classes of shape and cue each by equal shares
    cue : what is set against the shape

    Returns
    -------
    ProbeSet : images [num_images * 5, image_px, image_px, 3], arm by arm; conditions `arm` and
        `cue_class`, the name of the class whose cue is shown where it is not the target, else empty

    Raises
    ------
    InputError : data that does not name its factors
    """
    factors = source.factors
    if factors is None or not {SHAPE, cue} <= set(factors.names):
        raise InputError(
            "cues can be exchanged in images alone that are drawn from named factors",
            where="data",
            found="images whose classes do not each own a shape, a texture and a colour",
            allowed="data: {name: synthetic, task: cues}",
        )
    num_classes = source.num_classes
    pairs = np.array([(i, j) for i in range(num_classes) for j in range(num_classes) if i != j])
    order = rng.permuted(np.tile(np.arange(len(pairs)), (-(-num_images // len(pairs)), 1)), axis=1)
    target, other = pairs[order.ravel()[:num_images]].T
    seed = int(rng.integers(2**63))
    none = np.full(num_images, _NONE)
    arms = {
        "conflict": {SHAPE: target, cue: other},
        "agree": {SHAPE: target, cue: target},
        "shape_only": {SHAPE: target},
        "cue_only": {cue: target},
        "intact": dict.fromkeys(factors.names, target),
    }
    images = [
        factors.draw(dict.fromkeys(factors.names, none) | levels, np.random.default_rng(seed))
        for levels in arms.values()
    ]
    names = np.array(source.class_names)
    cue_class = [names[other], *[np.full(num_images, "")] * (len(arms) - 1)]
    return ProbeSet(
        np.concatenate(images),
        np.tile(target, len(arms)),
        np.tile(np.arange(num_images), len(arms)),
        {"arm": np.repeat(list(arms), num_images), "cue_class": np.concatenate(cue_class)},
        source.class_names,
    )

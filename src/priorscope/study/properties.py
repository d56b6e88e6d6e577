"""What can differ between the models of a study, and may be declared by these names."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Property:
    """What can differ: its words in a table, how it is measured, and what a difference is.

    `kind` is `architecture` (shown) or `condition` (an error unless declared).
    """

    title: str
    meaning: str
    kind: Literal["architecture", "condition"] = "architecture"


# The names that `declared` of a study may use. Of a name with a dot, such as `preprocessing.test`,
# the part before the dot stands here.
PROPERTIES = {
    "num_parameters": Property("Trainable parameters", "all that the optimizer changes"),
    "macs": Property("MACs", "multiply-accumulates for one image"),
    "depth": Property(
        "Depth",
        "convolutions and matrix products with trainable weights on the longest path from image "
        "to logits",
    ),
    "stem_px": Property(
        "Receptive field of the stem, px",
        "side of the square of pixels that one position after the first layer with weights "
        "depends on",
    ),
    "stem_positions": Property(
        "Positions after the stem", "pixels of the map, or tokens, after the first layer"
    ),
    "receptive_field_px": Property(
        "Receptive field, px",
        "the same for a central position of the last map; at most the whole image",
    ),
    "norm_layers": Property("Normalisation layers", "kinds among the modules"),
    "dropout": Property("Dropout", "dropout and stochastic depth with a rate above zero"),
    "company": Property(
        "An image's answer",
        "in a test: on its own, or changed by the other images of its batch, so that scores hang "
        "on the order of the images",
    ),
    "positions": Property(
        "Position parameters", "learned arrays added by position, absolute or relative"
    ),
    "recipe": Property("Recipe", "hash of every setting of training", "condition"),
    "preprocessing": Property(
        "Preprocessing",
        "resizing and channel moments before the model, and what the model does to its input "
        "before its first weights",
        "condition",
    ),
    "data": Property("Data", "fingerprints of the images and labels", "condition"),
    "num_batch_norm_images": Property(
        "Images a batch norm sees",
        "at once in training: the micro-batch, which is smaller where memory ran out",
        "condition",
    ),
    "probes": Property("Probe", "fingerprint of the probe's images", "condition"),
}

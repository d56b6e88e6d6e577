"""The recipe: how every model of a study is trained. It has no field for one model alone."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt
from pydantic.dataclasses import dataclass

Augmentation = Literal["random_crop", "horizontal_flip", "autoaugment_cifar10"]


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class Recipe:
    """How a model is trained; identical for all runs of a study.

    Attributes
    ----------
    optimizer : `adam` couples weight decay with the gradient, `adamw` does not; `sgd` has momentum
    learning_rate : the schedule's peak
    schedule : `one_cycle` (Smith and Topin 2018, arXiv:1708.07120) rises and falls by cosine,
        momentum (the first beta of Adam) the other way; `cosine` rises linearly and falls by cosine
        to zero (Loshchilov and Hutter 2017, arXiv:1608.03983)
    warmup_fraction : the part of training during which the learning rate rises
    batch_size : examples a step, over all devices; the last batch of an epoch may be smaller
    weight_decay : on all parameters
    momentum : of `sgd` only
    label_smoothing : the part of the target's mass that is spread over all classes
    augment : applied in this order to every training batch, see `training/augment.py`
    precision : `bf16` and `fp16` compute matrix products in 16 bits, weights stay fp32; `fp16`
        scales the loss against underflow, and needs a GPU
    clip_grad_norm : largest norm of all gradients together, or none
    image_px : side to which train, test and probe images are resized; none keeps the data's
    resize : training images `after_augment`, as bytes were augmented at their own size, which is
        fast, or `before_augment`, as the 2021 report did
    micro_batch_size : examples that pass through the model at once, over all devices, with
        gradients summed over the batch; none passes the whole batch. Batch norm sees micro-batches:
        its moments then differ
    compile : compile the model with torch.compile
    """

    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: PositiveFloat = 1e-3
    schedule: Literal["one_cycle", "cosine", "constant"] = "one_cycle"
    warmup_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.3
    batch_size: PositiveInt = 128
    epochs: PositiveInt = 10
    weight_decay: NonNegativeFloat = 5e-4
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    augment: tuple[Augmentation, ...] = ()
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    clip_grad_norm: PositiveFloat | None = None
    image_px: Annotated[int, Field(gt=0, le=4096)] | None = None
    resize: Literal["after_augment", "before_augment"] = "after_augment"
    micro_batch_size: PositiveInt | None = None
    compile: bool = False

"""Images prepared one by one, as pictures: timm's transform for evaluation, bit for bit."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image


@dataclass(frozen=True)
class Pictures:
    """How an image is resized and cropped before it is normalised, in timm's terms.

    Attributes
    ----------
    interpolation : by which PIL resizes bytes to bytes
    crop_fraction : timm's `crop_pct`: the part of the resized image's side that the crop keeps
    crop_mode : of timm: the shorter side is resized and the centre kept (`center`), both sides are
        (`squash`), or the longer side is and the rest filled (`border`)
    """

    interpolation: str
    crop_fraction: float
    crop_mode: str = "center"

    def __call__(
        self,
        images: torch.Tensor,
        image_px: int,
        mean: tuple[float, ...],
        std: tuple[float, ...],
    ) -> torch.Tensor:
        """Map uint8 [batch, h, w, 3] to float32 [batch, 3, image_px, image_px], channels last."""
        transform = _transform(self, image_px, mean, std)
        made = [transform(Image.fromarray(image)) for image in _bytes(images)]
        stacked = torch.stack(made).contiguous(memory_format=torch.channels_last)
        return stacked.to(images.device)

    @property
    def words(self) -> str:
        """Say how images are resized, for a reader."""
        mode = "" if self.crop_mode == "center" else f", {self.crop_mode}"
        return f"{self.interpolation} by PIL, crop fraction {self.crop_fraction:g}{mode}"


def _bytes(images: torch.Tensor) -> np.ndarray:
    assert images.dtype == torch.uint8, "pictures are bytes"
    return images.cpu().numpy()


@functools.cache
def _transform(
    of: Pictures, image_px: int, mean: tuple[float, ...], std: tuple[float, ...]
) -> Callable[[Image.Image], torch.Tensor]:
    from timm.data.transforms_factory import (
        create_transform,  # slow to import, and most studies resize no pictures
    )

    return create_transform(  # type: ignore[return-value]
        input_size=(3, image_px, image_px),
        is_training=False,
        interpolation=of.interpolation,
        mean=mean,
        std=std,
        crop_pct=of.crop_fraction,
        crop_mode=of.crop_mode,
    )

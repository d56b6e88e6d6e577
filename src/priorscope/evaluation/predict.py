"""From a model and images to logits."""

import numpy as np
import torch
from torch import nn

from priorscope.data._preprocess import Preprocess, autocast_for


def predict(
    model: nn.Module,
    images: np.ndarray,
    *,
    preprocess: Preprocess,
    device: torch.device,
    precision: str = "fp32",
    batch_size: int = 500,
) -> np.ndarray:
    """Compute the logits of every image, in order.

    Parameters
    ----------
    images : uint8 [n, height, width, 3]; resized and normalised as in training, never augmented
    precision : the recipe's

    Returns
    -------
    float32 [n, num_classes]
    """
    model.eval()
    logits = []
    with torch.inference_mode(), autocast_for(precision, device):
        for start in range(0, len(images), batch_size):
            piece = np.array(images[start : start + batch_size])  # a copy: maps are read-only
            logits.append(model(preprocess(torch.from_numpy(piece).to(device))).float())
    return torch.cat(logits).cpu().numpy()

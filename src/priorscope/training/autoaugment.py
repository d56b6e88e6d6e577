"""AutoAugment's CIFAR-10 policy on whole batches of bytes, on the device that holds them.

Source: Cubuk, Zoph, Mane, Vasudevan and Le 2018, "AutoAugment: Learning Augmentation Policies from
Data" (arXiv:1805.09501), the policy for CIFAR-10; ranges of magnitudes, random signs, nearest
interpolation and black fill as in `torchvision.transforms.v2.AutoAugment`, whose default it equals:
each operation to the pixel, and the draws in distribution.
"""

import functools
from itertools import groupby

import numpy as np
import torch

from priorscope.data import sent
from priorscope.training._pixel_ops import GRADED, PLAIN

# 25 sub-policies of two steps: operation, probability, and level 0 .. 9 within RANGES.
POLICY = (
    (("Invert", 0.1, None), ("Contrast", 0.2, 6)),
    (("Rotate", 0.7, 2), ("TranslateX", 0.3, 9)),
    (("Sharpness", 0.8, 1), ("Sharpness", 0.9, 3)),
    (("ShearY", 0.5, 8), ("TranslateY", 0.7, 9)),
    (("AutoContrast", 0.5, None), ("Equalize", 0.9, None)),
    (("ShearY", 0.2, 7), ("Posterize", 0.3, 7)),
    (("Color", 0.4, 3), ("Brightness", 0.6, 7)),
    (("Sharpness", 0.3, 9), ("Brightness", 0.7, 9)),
    (("Equalize", 0.6, None), ("Equalize", 0.5, None)),
    (("Contrast", 0.6, 7), ("Sharpness", 0.6, 5)),
    (("Color", 0.7, 7), ("TranslateX", 0.5, 8)),
    (("Equalize", 0.3, None), ("AutoContrast", 0.4, None)),
    (("TranslateY", 0.4, 3), ("Sharpness", 0.2, 6)),
    (("Brightness", 0.9, 6), ("Color", 0.2, 8)),
    (("Solarize", 0.5, 2), ("Invert", 0.0, None)),
    (("Equalize", 0.2, None), ("AutoContrast", 0.6, None)),
    (("Equalize", 0.2, None), ("Equalize", 0.6, None)),
    (("Color", 0.9, 9), ("Equalize", 0.6, None)),
    (("AutoContrast", 0.8, None), ("Solarize", 0.2, 8)),
    (("Brightness", 0.1, 3), ("Color", 0.7, 0)),
    (("Solarize", 0.4, 5), ("AutoContrast", 0.9, None)),
    (("TranslateY", 0.9, 9), ("TranslateY", 0.7, 9)),
    (("AutoContrast", 0.9, None), ("Solarize", 0.8, 3)),
    (("Equalize", 0.8, None), ("Invert", 0.1, None)),
    (("TranslateY", 0.7, 9), ("AutoContrast", 0.9, None)),
)
NUM_LEVELS = 10
# The magnitude at the first and the last level. Shifts are fractions of the image's side: the
# paper's 150 of 331 pixels.
RANGES = {
    "Brightness": (0.0, 0.9),
    "Color": (0.0, 0.9),
    "Contrast": (0.0, 0.9),
    "Posterize": (8, 4),
    "Rotate": (0.0, 30.0),
    "Sharpness": (0.0, 0.9),
    "ShearY": (0.0, 0.3),
    "Solarize": (1.0, 0.0),
    "TranslateX": (0.0, 150 / 331),
    "TranslateY": (0.0, 150 / 331),
}
UNSIGNED = {"AutoContrast", "Equalize", "Invert", "Posterize", "Solarize"}

Action = tuple[str, int | None, int]  # operation, level, sign of the magnitude
# What can happen to an image in one step. Those of one operation stand side by side.
ACTIONS: tuple[Action, ...] = (
    ("Identity", None, 1),
    *sorted(
        {
            (operation, level, sign)
            for sub_policy in POLICY
            for operation, _, level in sub_policy
            for sign in ((1,) if operation in UNSIGNED else (1, -1))
        },
        key=str,
    ),
)
PROBABILITIES = np.array([[probability for _, probability, _ in steps] for steps in POLICY])
# The index of the action for [sub-policy, step, negative].
ACTION_OF = np.array(
    [
        [
            [
                ACTIONS.index((operation, level, 1 if operation in UNSIGNED else sign))
                for sign in (1, -1)
            ]
            for operation, _, level in steps
        ]
        for steps in POLICY
    ]
)


def autoaugment_cifar10(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Apply to each image one of the 25 sub-policies, drawn uniformly and independently.

    Each of the sub-policy's two operations is applied, in order, with its own probability; a
    magnitude that has a sign is negative with probability one half.

    Parameters
    ----------
    images : uint8 [batch, height, width, 3], of any size; only shifts depend on it
    generator : on any device

    Returns
    -------
    New images of the same shape, on the same device
    """
    return apply_policy(images, draw_policy(len(images), generator))


def draw_policy(batch: int, generator: torch.Generator) -> torch.Tensor:
    """Draw what happens to each image in both steps: indices of ACTIONS, int64 [2, batch].

    They lie on the host, which has to know them: from a generator on the CPU it does, from one
    elsewhere it reads them and waits.
    """
    return torch.from_numpy(draw_actions(draw_sub_policies(batch, generator), generator))


def apply_policy(images: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    """Do to images what `draw_policy` drew for them."""
    for of_step in actions.numpy():
        # In this order the images of one operation are contiguous, as are those of one magnitude.
        order = np.argsort(of_step, kind="stable")
        images = _permuted(images, order)
        _apply_(images, of_step[order].tolist())
        images = _permuted(images, np.argsort(order))
    return images


def draw_sub_policies(batch: int, generator: torch.Generator) -> np.ndarray:
    """Draw a sub-policy for each image: indices of POLICY, int64 [batch]."""
    drawn = torch.randint(len(POLICY), (batch,), generator=generator, device=generator.device)
    return drawn.cpu().numpy()


def draw_actions(sub_policies: np.ndarray, generator: torch.Generator) -> np.ndarray:
    """Draw what happens to each image in both steps: indices of ACTIONS, int64 [2, batch]."""
    shape, device = (2, len(sub_policies)), generator.device
    chances = torch.rand(shape, generator=generator, device=device).cpu().numpy()
    negative = torch.randint(2, shape, generator=generator, device=device).cpu().numpy()
    steps = np.arange(2)[:, None]
    applied = chances < PROBABILITIES[sub_policies, steps]
    return np.where(applied, ACTION_OF[sub_policies, steps, negative], 0)


@functools.lru_cache(maxsize=256)
def magnitude_of(action: int, height: int, width: int) -> float:
    """Return the magnitude of ACTIONS[action] in the units of its operation, rounded to float32."""
    operation, level, sign = ACTIONS[action]
    assert level is not None, "this operation has no magnitude"
    first, last = RANGES[operation]
    side = {"TranslateX": width, "TranslateY": height}.get(operation, 1)
    magnitude = float(torch.linspace(first * side, last * side, NUM_LEVELS)[level])
    return round(magnitude) if operation == "Posterize" else sign * magnitude


def _permuted(images: torch.Tensor, order: np.ndarray) -> torch.Tensor:
    """Copy images in another order; index_copy_ and [] take ten times as long on a CPU."""
    return images.index_select(0, sent(torch.from_numpy(order), images.device))


def _apply_(images: torch.Tensor, actions: list[int]) -> None:
    """Change images in place, each by its action; `actions` are sorted."""
    height, width = images.shape[1:3]
    start = 0
    for operation, run in groupby(actions, key=lambda action: ACTIONS[action][0]):
        of_operation = list(run)
        piece = images[start : start + len(of_operation)]
        start += len(of_operation)
        if operation in PLAIN:
            piece.copy_(PLAIN[operation](piece))
        elif operation in GRADED:
            magnitudes = [magnitude_of(action, height, width) for action in of_operation]
            piece.copy_(GRADED[operation](piece, magnitudes))

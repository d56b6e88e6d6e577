"""The linear model: a control without any bias towards images."""

from torch import nn


def linear(*, num_classes: int, image_px: int) -> nn.Module:
    """Build a linear classifier of the pixels, a control model.

    Any fixed permutation of the pixels can be undone by its weights, which start alike everywhere.
    So it must score the same, but for the draw of its initial weights, on images as they are and
    with their pixels permuted, within patches, by patch or globally. It must be at chance wherever
    the class is no linear function of the pixels, such as a relation between two patterns.
    """
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * image_px**2, num_classes))

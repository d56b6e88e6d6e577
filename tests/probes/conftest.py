import numpy as np
import pytest

from priorscope.data import LabeledImages, fingerprint


def noise_images(num_images: int, image_px: int, num_classes: int = 10) -> LabeledImages:
    """Images of noise, so that any two of them (and any shift of one) differ."""
    rng = np.random.default_rng(99)
    images = rng.integers(0, 256, (num_images, image_px, image_px, 3), dtype=np.uint8)
    labels = rng.permutation(np.arange(num_images) % num_classes)
    names = tuple(f"class {k}" for k in range(num_classes))
    return LabeledImages(images, labels, names, fingerprint(images, labels))


@pytest.fixture(scope="session", params=[28, 32, 96])
def source(request) -> LabeledImages:
    return noise_images(200, request.param)


@pytest.fixture(scope="session")
def small() -> LabeledImages:
    return noise_images(60, 6)


@pytest.fixture(scope="session")
def owner():
    """Return a function that finds the source image that equals a picture, by its bytes."""

    def index(source: LabeledImages):
        table = {image.tobytes(): k for k, image in enumerate(source.images)}
        assert len(table) == len(source)
        return lambda picture: table[np.ascontiguousarray(picture).tobytes()]

    return index

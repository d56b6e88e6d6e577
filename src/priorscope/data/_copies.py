"""Find copies among images: exact ones by a hash, near ones by their coarsest waves.

Near copies are looked for as perceptual hashes do: an image is reduced to the lowest frequencies of
its brightness (a cosine transform, as in pHash), which storing it anew hardly changes. The angles
between them are compared instead of their signs, each with each; those that are near must correlate
in all pixels and colours too.

Measured on images that were stored anew, and on CIFAR-10: see `benchmarks/copies.py`.
"""

import hashlib

import numpy as np
from scipy.fft import dct

_NUM_WAVES = 6  # along each side
_NEAR = 0.98875  # cosine between the waves of two near copies
_CORRELATION = 0.9  # between all their pixels
_NUM_COMPARED = 8  # pixels of so many near images in each block of others
_LEAST_CONTRAST = 2.0  # levels, root mean square: below, waves are of noise
_MOST_PX = 64  # of a side from which waves are computed
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_BLOCK = 512  # images at once: a memory map is read piece by piece


def digests(images: np.ndarray) -> list[bytes]:
    """Hash every image of uint8 [n, height, width, 3]: equal digests, equal pixels."""
    return [
        hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
        for image in images
    ]


def waves(images: np.ndarray) -> np.ndarray:
    """Reduce images, uint8 [n, height, width, 3], to unit vectors float32 [n, waves].

    An image without contrast has a vector of zeros.
    """
    step = max(1, min(images.shape[1:3]) // _MOST_PX)
    sides = [len(range(0, side, step)) for side in images.shape[1:3]]
    rows, columns = map(_basis, sides)
    found = []
    for start in range(0, len(images), _BLOCK):
        bright = images[start : start + _BLOCK, ::step, ::step].astype(np.float32) @ _LUMA
        found.append((rows @ bright @ columns.T).reshape(len(bright), -1)[:, 1:])
    vectors = np.concatenate(found) if found else np.zeros((0, _NUM_WAVES**2 - 1), np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    least = _LEAST_CONTRAST * np.sqrt(np.prod(sides))
    return np.where(lengths >= least, vectors / np.maximum(lengths, least), 0)


def near_copies(
    images: np.ndarray,
    among: np.ndarray,
    of_images: np.ndarray,
    of_among: np.ndarray,
    *,
    before: bool = False,
) -> np.ndarray:
    """Tell which images have a near copy among others: bool [n].

    Exact copies are near ones too. Time grows with n m: 10,000 and 50,000 images take a second.

    Parameters
    ----------
    images, among : uint8 [n, height, width, 3] and [m, height, width, 3]
    of_images, of_among : their `waves`
    before : both are the same images; each is looked for among those before it
    """
    found = np.zeros(len(images), dtype=bool)
    for start in range(0, len(among), _BLOCK):
        waves_of_block = np.ascontiguousarray(of_among[start : start + _BLOCK].T)
        left = np.flatnonzero(~found)
        for rows in (left[i : i + _BLOCK] for i in range(0, len(left), _BLOCK)):
            near = of_images[rows] @ waves_of_block >= _NEAR
            if before:
                near &= start + np.arange(near.shape[1]) < rows[:, None]
            if near.any():
                at, partners = _first_few(near)
                alike = _alike(images[rows[at]], among[start + partners])
                found[rows[at[alike]]] = True
    return found


def _first_few(near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List the first few true places of each row: int [pairs], int [pairs]."""
    near = near & (near.cumsum(axis=1) <= _NUM_COMPARED)
    return np.nonzero(near)  # type: ignore[return-value]


def _alike(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Tell which images correlate with their partner in all pixels: bool [pairs]."""
    if images.shape != others.shape:
        return np.ones(len(images), dtype=bool)  # of other sizes, the waves are all there is
    found = [
        np.einsum("ij,ij->i", _centred(images[i : i + _BLOCK]), _centred(others[i : i + _BLOCK]))
        for i in range(0, len(images), _BLOCK)
    ]
    return np.concatenate(found) >= _CORRELATION


def _basis(num: int) -> np.ndarray:
    """Return the lowest waves of a cosine transform of `num` values: float32 [waves, num]."""
    return np.asarray(dct(np.eye(num), axis=0, norm="ortho"))[:_NUM_WAVES].astype(np.float32)


def _centred(images: np.ndarray) -> np.ndarray:
    """Centre images to mean 0 and length 1: float32 [n, values]."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)

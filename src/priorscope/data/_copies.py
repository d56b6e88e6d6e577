"""Find copies among images: exact ones by a hash, near ones by their coarsest waves.

Near copies are looked for as perceptual hashes do: an image is reduced to the lowest frequencies of
its brightness (a cosine transform, as in pHash), which storing it anew hardly changes. Their angles
are compared instead of their signs, so that a k-d tree finds neighbours among 60,000 images in less
than a second; pairs that it finds must correlate in all pixels and colours too.

Measured on images that were stored anew, and on CIFAR-10: see `benchmarks/copies.py`.
"""

import hashlib

import numpy as np
from scipy.fft import dct
from scipy.spatial import KDTree

_NUM_WAVES = 6  # along each side
_RADIUS = 0.15  # between unit vectors of waves
_CORRELATION = 0.9  # of all pixels of two near copies
_NUM_NEIGHBOURS = 8  # whose pixels are compared
_MOST_PX = 64  # of a side from which waves are computed
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_BLOCK = 1024  # images at once: a memory map is read piece by piece


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
    rows, columns = (_basis(len(range(0, side, step))) for side in images.shape[1:3])
    found = []
    for start in range(0, len(images), _BLOCK):
        bright = images[start : start + _BLOCK, ::step, ::step].astype(np.float32) @ _LUMA
        found.append((rows @ bright @ columns.T).reshape(len(bright), -1)[:, 1:])
    vectors = np.concatenate(found) if found else np.zeros((0, _NUM_WAVES**2 - 1), np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(lengths > 1e-2, vectors / np.maximum(lengths, 1e-2), 0)


def near_copies(
    images: np.ndarray, among: np.ndarray, of_images: np.ndarray, of_among: np.ndarray
) -> np.ndarray:
    """Tell which images have a near copy among others: bool [n].

    Exact copies are near ones too.

    Parameters
    ----------
    images, among : uint8 [n, height, width, 3] and [m, height, width, 3]
    of_images, of_among : their `waves`
    """
    rows, partners = _neighbours(of_images, of_among)
    return _alike(images, among, rows, partners, len(images))


def near_copies_before(images: np.ndarray, of_images: np.ndarray) -> np.ndarray:
    """Tell which images have a near copy before them in the same array: bool [n]."""
    rows, partners = _neighbours(of_images, of_images)
    before = partners < rows
    return _alike(images, images, rows[before], partners[before], len(images))


def _basis(num: int) -> np.ndarray:
    """Return the lowest waves of a cosine transform of `num` values: float32 [waves, num]."""
    return np.asarray(dct(np.eye(num), axis=0, norm="ortho"))[:_NUM_WAVES].astype(np.float32)


def _neighbours(vectors: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pair vectors with their nearest few within the radius: two int [pairs]."""
    rows, partners = (np.flatnonzero(part.any(axis=1)) for part in (vectors, among))
    if not len(rows) or not len(partners):
        return np.zeros(0, int), np.zeros(0, int)
    _, found = KDTree(among[partners]).query(
        vectors[rows], k=_NUM_NEIGHBOURS, distance_upper_bound=_RADIUS
    )
    found = np.asarray(found)  # len(partners) stands for none
    at, which = np.nonzero(found < len(partners))
    return rows[at], partners[found[at, which]]


def _alike(
    images: np.ndarray, among: np.ndarray, rows: np.ndarray, partners: np.ndarray, num: int
) -> np.ndarray:
    """Tell which images correlate with a partner in all pixels."""
    found = np.zeros(num, dtype=bool)
    if images.shape[1:] != among.shape[1:]:
        found[rows] = True  # the waves are all that can be compared
        return found
    for start in range(0, len(rows), _BLOCK):
        pair = rows[start : start + _BLOCK], partners[start : start + _BLOCK]
        first, second = _centred(images[pair[0]]), _centred(among[pair[1]])
        products = np.einsum("ij,ij->i", first, second)
        found[pair[0][products >= _CORRELATION]] = True
    return found


def _centred(images: np.ndarray) -> np.ndarray:
    """Centre images to mean 0 and length 1: float32 [n, values]."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)

"""How alike two networks see the same images: centred kernel alignment of their layers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from priorscope.errors import InputError
from priorscope.measures._measurement import WHOLE, DoesNotApply, Measurement
from priorscope.metrics import Scale

if TYPE_CHECKING:  # pairs are compared from stored matrices, without torch
    import torch
    from torch import nn

_FEWEST_IMAGES = 5  # an unbiased estimate needs 4, and each is left out once
_NO_SPREAD = 1e-24  # of the HSIC of a layer with itself, by the square of its mean variance


def cka(
    features_a: Mapping[str, np.ndarray],
    features_b: Mapping[str, np.ndarray],
    *,
    module: str | None = None,  # noqa: ARG001
    pooled: bool = False,  # noqa: ARG001
) -> Measurement:
    """Compare the last blocks of two networks by linear CKA, and all pairs of their blocks.

    CKA is HSIC(a, b) / sqrt(HSIC(a, a) HSIC(b, b)) of the inner products between images: 1 where
    one layer is a rotation of the other in another unit, 0 where nothing linear is shared. HSIC is
    the unbiased estimate of Song et al. 2012 (JMLR 13:1393, eq. 5), so that independent layers
    scatter about 0 and few images do not pretend likeness.

    Kornblith et al. 2019 (arXiv:1905.00414); unbiased, as Nguyen et al. 2021 (arXiv:2010.15327),
    of all images at once where they average minibatches.

    Parameters
    ----------
    features_a, features_b : as `features` gives them, of the same images
    module, pooled : see `features`

    Returns
    -------
    arm `all` : of the last blocks (or of the named module), an image its CKA plus the image's
        influence on it by the jackknife: their mean is CKA, their variance / n that of CKA over
        other images. `block 1, block 2`, ... : CKA of a block of the first network and one of the
        second, with `block` and `partner_block` as conditions (0 in `all`)

    Raises
    ------
    DoesNotApply : a block gives the same for all images
    InputError : fewer than 5 images
    """
    a, b = ([_centred(matrix) for matrix in each.values()] for each in (features_a, features_b))
    n = len(a[0])
    if n < _FEWEST_IMAGES:
        raise InputError("too few images", found=n, allowed=f"at least {_FEWEST_IMAGES}")
    spread_a, spread_b = (_spreads(each) for each in (features_a, features_b))
    for each, spreads in ((features_a, spread_a), (features_b, spread_b)):
        if not spreads[-1]:
            raise DoesNotApply(f"layer {list(each)[-1]} gives the same for all images")
    main = _with_influence(a[-1], b[-1])
    pairs = [(i, j) for i, x in enumerate(spread_a) for j, y in enumerate(spread_b) if x * y]
    if len(a) == len(b) == 1:
        pairs = []  # which is the measure itself
    alike = [_hsic(a[i], b[j]) / np.sqrt(spread_a[i] * spread_b[j]) for i, j in pairs]
    blocks = np.array(pairs, dtype=int).reshape(-1, 2) + 1
    arms = [WHOLE] * n + [f"block {i}, block {j}" for i, j in blocks]
    numbers = np.concatenate([np.zeros((n, 2), dtype=int), blocks])
    return Measurement(
        values=np.concatenate([main, alike]),
        ids=np.concatenate([np.arange(n), np.zeros(len(pairs), dtype=int)]),
        conditions={
            "arm": np.array(arms),
            "block": numbers[:, 0],
            "partner_block": numbers[:, 1],
        },
    )


def features(
    network: "nn.Module",
    images: "torch.Tensor",
    *,
    rng: np.random.Generator,  # noqa: ARG001
    module: str | None = None,
    pooled: bool = False,
) -> dict[str, np.ndarray]:
    """Return what CKA needs to know of a network: the inner products between images, by block.

    Parameters
    ----------
    images : float32 [n, 3, image_px, image_px], preprocessed
    module : that one alone, by its name in `named_modules`; by default all blocks
    pooled : the mean over places of a map or over tokens, in place of all of them: another
        question, and much less memory for large maps

    Returns
    -------
    name of the block -> float64 [n, n], in the order of passing

    Raises
    ------
    DoesNotApply, InputError : as `layers_of` and `gram_matrices`
    """
    from priorscope.measures._layers import gram_matrices, layers_of

    return gram_matrices(network, images, layers_of(network, module), pooled=pooled)


def scale(*, module: str | None = None, pooled: bool = False) -> Scale:  # noqa: ARG001
    """Return CKA, at most 1 but for the scatter of an unbiased estimate."""
    return Scale("Linear CKA", None, None, "", "", 1.0, 2)


def _centred(matrix: np.ndarray) -> np.ndarray:
    """Take row and column means away off the diagonal, which is 0: HSIC is then a plain sum.

    U-centring of Székely and Rizzo 2014 (arXiv:1310.2926, definition 2).
    """
    n = len(matrix)
    k = matrix - np.diag(np.diag(matrix))
    rows = k.sum(axis=1, keepdims=True) / (n - 2)
    centred = k - rows - rows.T + k.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(centred, 0)
    return centred


def _spreads(features: Mapping[str, np.ndarray]) -> list[float]:
    """Return each layer's HSIC with itself, 0 where it tells no images apart."""
    found = []
    for matrix in features.values():
        centred = _centred(matrix)
        spread = _hsic(centred, centred)
        found.append(spread if spread > _NO_SPREAD * np.diag(matrix).mean() ** 2 else 0.0)
    return found


def _hsic(k: np.ndarray, l: np.ndarray) -> float:  # noqa: E741
    """Return the unbiased HSIC of two U-centred matrices."""
    n = len(k)
    return float(np.vdot(k, l) / (n * (n - 3)))


def _with_influence(k: np.ndarray, l: np.ndarray) -> np.ndarray:  # noqa: E741
    """Return CKA plus each image's influence on it, float [n], from U-centred matrices."""
    n = len(k)
    whole = [np.array([_hsic(x, y)]) for x, y in ((k, l), (k, k), (l, l))]
    without = [_without_each(x, y) for x, y in ((k, l), (k, k), (l, l))]
    ((value,), left) = (between / np.sqrt(a * b) for between, a, b in (whole, without))
    return value + (n - 1) * (left.mean() - left)


def _without_each(k: np.ndarray, l: np.ndarray) -> np.ndarray:  # noqa: E741
    """Return the unbiased HSIC without each image in turn, float [n].

    The rows of U-centred matrices sum to 0, and so do those that are left but for what they had in
    the image that goes; the formula of Song et al. is taken of these sums.
    """
    n = len(k) - 1
    products = (k * l).sum(axis=1)  # of each image with all others
    trace = products.sum() - 2 * products
    # The sums of the rows that are left are -k[:, i]: in all 0 for an image's own row sums to 0.
    return (trace - 2 / (n - 2) * products) / (n * (n - 3))

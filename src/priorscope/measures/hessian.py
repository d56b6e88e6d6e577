"""How curved the loss is at a network's weights: largest eigenvalue and trace of its Hessian."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import PositiveInt
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from priorscope.errors import InputError
from priorscope.measures._measurement import Measurement
from priorscope.metrics import Scale

_TOLERANCE = 1e-2  # of the largest eigenvalue, relative
_MOST_STEPS = 50  # restarts of Lanczos
_IMAGES_AT_ONCE = 64
Loss = Literal["cross_entropy", "squared"]


def hessian(
    network: nn.Module,
    images: torch.Tensor,
    targets: torch.Tensor,
    *,
    rng: np.random.Generator,
    num_directions: PositiveInt = 8,
    loss: Loss = "cross_entropy",
) -> Measurement:
    """Return the largest eigenvalue and the trace of the loss's Hessian by the weights.

    The loss is the mean over the images that the measure is given, those of a probe: the curvature
    of what is generalised, not of what was fitted. The eigenvalue is found by Lanczos' method with
    products of the Hessian (SciPy's `eigsh`), to a relative 1e-2 or better; the trace by
    Hutchinson's, as the mean of v' H v over random signs v. Batch norm keeps its statistics.

    Park and Kim 2022 (arXiv:2202.06709, section 2), Yao et al. 2020 (arXiv:1912.07145). Deviations:
    test images in place of training images, no weight decay in the loss. A Hessian depends on how a
    function is written in weights: networks that answer alike may differ in it, so that it says
    something between networks of the same parametrisation, and little between others.

    Parameters
    ----------
    images : float32 [n, 3, image_px, image_px], preprocessed
    targets : int64 [n], classes
    num_directions : of Hutchinson's estimate; its own scatter is no part of an interval over images
    loss : or `squared`, half the squared distance to the one-hot target

    Returns
    -------
    arms `largest`, `trace` : a value an image, the curvature of its own loss along the leading
        eigenvector, or along random signs. Their means are the eigenvalue and the trace; for the
        eigenvalue the value is it plus the image's influence on it, to first order

    Raises
    ------
    InputError : targets are not classes, or Lanczos' method does not converge
    """
    if targets.ndim != 1 or targets.is_floating_point():
        raise InputError(
            "a loss needs one class an image", found=f"targets of shape {list(targets.shape)}"
        )
    weights = [p for p in network.parameters() if p.requires_grad]
    size = sum(p.numel() for p in weights)
    parts = list(zip(images.split(_IMAGES_AT_ONCE), targets.split(_IMAGES_AT_ONCE), strict=True))

    def product(vector: np.ndarray) -> np.ndarray:
        along = _like(vector, weights)
        total = np.zeros(size)
        for part, classes in parts:
            each = _losses(network, part, classes, loss).sum() / len(images)
            slope = _dot(torch.autograd.grad(each, weights, create_graph=True), along)
            total += _flat(torch.autograd.grad(slope, weights, materialize_grads=True))
        return total

    def curvatures(vector: np.ndarray) -> np.ndarray:
        along = _like(vector, weights)
        found = []
        for part, classes in parts:
            # The derivative by an image's weight in the sum tells its own part of it.
            shares = torch.ones(len(part), device=part.device, dtype=part.dtype).requires_grad_()
            each = (shares * _losses(network, part, classes, loss)).sum()
            slope = _dot(torch.autograd.grad(each, weights, create_graph=True), along)
            again = torch.autograd.grad(slope, weights, create_graph=True, materialize_grads=True)
            (own,) = torch.autograd.grad(_dot(again, along), shares, materialize_grads=True)
            found.append(own.double().cpu().numpy())
        return np.concatenate(found)

    # The plain form of attention is the one that can be differentiated more than once.
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
        leading = curvatures(_leading(product, size, rng))
        signs = [rng.choice([-1.0, 1.0], size) for _ in range(num_directions)]
        trace = np.mean([curvatures(each) for each in signs], axis=0)
    n = len(images)
    return Measurement(
        values=np.concatenate([leading, trace]),
        ids=np.tile(np.arange(n), 2),
        conditions={"arm": np.repeat(["largest", "trace"], n)},
    )


def scale(*, num_directions: int = 8, loss: Loss = "cross_entropy") -> Scale:  # noqa: ARG001
    """Return curvature, without bounds."""
    return Scale("Curvature of the loss (Hessian)", None, None, "", "", 1.0, 2)


def _leading(product, size: int, rng: np.random.Generator) -> np.ndarray:
    """Find the eigenvector of the largest eigenvalue: float64 [size], of length 1."""
    if size <= 2:  # which Lanczos' method is not made for
        whole = np.stack([product(column) for column in np.eye(size)])
        return np.linalg.eigh(whole)[1][:, -1]
    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)  # type: ignore[call-arg]
    try:
        _, vectors = eigsh(
            operator,
            k=1,
            which="LA",
            v0=rng.standard_normal(size),
            tol=_TOLERANCE,  # type: ignore[arg-type]
            maxiter=_MOST_STEPS,
        )
    except ArpackNoConvergence:
        raise InputError(
            "the largest eigenvalue of the Hessian was not found", found=f"{_MOST_STEPS} restarts"
        ) from None
    return vectors[:, 0]


def _losses(
    network: nn.Module, images: torch.Tensor, classes: torch.Tensor, loss: Loss
) -> torch.Tensor:
    """Return the loss of each image, [n]."""
    logits = network(images)
    if loss == "cross_entropy":
        return F.cross_entropy(logits, classes, reduction="none")
    return (logits - F.one_hot(classes, logits.shape[1])).square().sum(dim=1) / 2


def _like(vector: np.ndarray, weights: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Cut a vector into tensors of the shapes of the weights."""
    ends = np.cumsum([p.numel() for p in weights])[:-1]
    pieces = zip(np.split(np.asarray(vector).ravel(), ends), weights, strict=True)
    return [torch.as_tensor(v, dtype=p.dtype, device=p.device).view_as(p) for v, p in pieces]


def _flat(tensors: Sequence[torch.Tensor]) -> np.ndarray:
    return np.concatenate([each.detach().double().cpu().numpy().ravel() for each in tensors])


def _dot(a: Sequence[torch.Tensor], b: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.stack([(x * y).sum() for x, y in zip(a, b, strict=True)]).sum()

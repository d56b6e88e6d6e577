"""Test images that somebody else corrupted, by kind of corruption and severity."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from priorscope.data import LabeledImages
from priorscope.errors import InputError, unknown_name
from priorscope.probes._altered import altered_images, drawn_rows
from priorscope.probes._probe_set import ProbeSet

OVERLAPS = ("blur", "noise", "colour")  # see `preflight/overlaps.py`

LABELS = "labels.npy"
NUM_SEVERITIES = 5
Severity = Annotated[int, Field(ge=1, le=NUM_SEVERITIES)]


def corruptions(
    source: LabeledImages,
    *,
    rng: np.random.Generator,
    path: Path,
    names: tuple[str, ...] = (),
    severities: tuple[Severity, ...] = (5, 4, 3, 2, 1),
    num_images: Annotated[int, Field(ge=1)] = 500,
) -> ProbeSet:
    """Show the same test images under each corruption of CIFAR-10-C, and of any set of its form.

    A folder has `<corruption>.npy`, uint8 [5 n, height, width, 3], the n test images at severity 1,
    then at 2 and so on; and `labels.npy`, which must be the labels of the study's test images in
    their order, five times over. Nothing is downloaded.

    - `<corruption>_<severity>`, such as `fog_5`: the image under it;
    - `intact`: the images as they are in the study's data.

    Hendrycks and Dietterich 2019 (arXiv:1903.12261). Deviations: scores of each corruption and
    severity beside `intact`, not errors divided by those of AlexNet. Where the study's data are
    re-encoded (as JPEG), the corrupted files were made of the originals.

    Parameters
    ----------
    path : the folder
    names : of the corruptions; by default all that the folder has. The first is what the probe is
        about, at the first of the severities
    num_images : how many images, at most all of the source; each is shown in all arms

    Returns
    -------
    ProbeSet : images [num_images * num_arms, image_px, image_px, 3]; conditions `arm`,
        `corruption` (`none` of `intact`), `severity` (0 of `intact`) and `change`

    Raises
    ------
    InputError : a file is missing, no plain array, or of another shape; labels that are not those
        of the test images; a name or severity that stands twice; more images than there are
    """
    there = sorted(file.stem for file in path.glob("*.npy") if file.name != LABELS)
    if not there:
        allowed = "<corruption>.npy and labels.npy"
        raise InputError("no corrupted images", where=path, allowed=allowed)
    chosen = names or tuple(there)
    for name in chosen:
        if name not in there:
            raise unknown_name("corruption", name, there, where="names")
    for where, given in (("names", chosen), ("severities", severities)):
        if len(set(given)) < len(given) or not given:
            raise InputError("each is given once", where=where, found=list(given))
    _check_labels(path / LABELS, source)
    rows = drawn_rows(source, num_images, rng)
    arms: dict[str, np.ndarray] = {}
    columns: dict[str, Sequence[Any]] = {
        "corruption": [*(name for name in chosen for _ in severities), "none"],
        "severity": [*(severity for _ in chosen for severity in severities), 0],
    }
    for name in chosen:
        images = _read(path / f"{name}.npy", source)
        for severity in severities:
            arms[f"{name}_{severity}"] = images[(severity - 1) * len(source) + rows]
    return altered_images(source, rows, arms, **columns)


def _load(path: Path) -> np.ndarray:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError("not an array of NumPy", where=path, found=error) from None
    if not isinstance(found, np.ndarray):
        raise InputError("not an array of NumPy", where=path, found=type(found).__name__)
    return found


def _read(path: Path, source: LabeledImages) -> np.ndarray:
    found, shape = _load(path), (NUM_SEVERITIES * len(source), *source.images.shape[1:])
    if found.shape != shape or found.dtype != np.uint8:
        raise InputError(
            "corrupted images need five severities of every test image",
            where=path,
            found=f"{found.dtype} {list(found.shape)}",
            allowed=f"uint8 {list(shape)}",
        )
    return found


def _check_labels(path: Path, source: LabeledImages) -> None:
    found, expected = np.asarray(_load(path)), np.tile(source.labels, NUM_SEVERITIES)
    if found.shape != expected.shape or found.dtype.kind not in "iu":
        raise InputError(
            "labels need five severities of every test image",
            where=path,
            found=f"{found.dtype} {list(found.shape)}",
            allowed=f"whole numbers {list(expected.shape)}",
        )
    if not np.array_equal(found, expected):
        row = int(np.argmax(found != expected))
        raise InputError(
            "not the labels of the study's test images, in their order",
            where=path,
            found=f"{found[row]} at row {row}",
            allowed=f"{expected[row]} ({source.class_names[expected[row]]})",
        )

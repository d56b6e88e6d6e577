"""The 200 images on which the 2021 report measured its *Background* probe, as it published them.

They let a trained model answer the very images of the report's Table 3. For a measurement of your
own use `large_background`: these images have no control arms, and none can be made, because object
and background picture were published joined and the object's place was not. So a low score
here does not tell a small object from a distracting background. The objects are CIFAR-10 test
images, and the whole went through JPEG.
"""

from pathlib import Path

import numpy as np

from priorscope.data import CIFAR10_CLASSES, LabeledImages, decode_blocks, read_rows
from priorscope.errors import InputError
from priorscope.probes._probe_set import ProbeSet

FILE = "background_images.parquet"
CANVAS_PX, OBJECT_PX = 128, 32


def report_background(
    source: LabeledImages,
    *,
    rng: np.random.Generator,  # noqa: ARG001  nothing is drawn: the images are what they are
    path: Path,
) -> ProbeSet:
    """Show the report's own 200 background images; there are no controls.

    Image i has class i % 10 and background picture i // 10. Of `source` only the class names are
    used: the study's data must be CIFAR-10.

    Control models: one that answers by the background picture alone must score chance, exactly 1 in
    10, since each picture stands behind every class once. `pixel_set_mlp` sees no places: what it
    scores above that, the colours of the object give away.

    Parameters
    ----------
    path : `background_images.parquet`, with columns `img{bytes, path}` and `label`, in the
        report's order

    Returns
    -------
    ProbeSet : images [n, 128, 128, 3]; targets int64; conditions `arm` (background), `scale`
        (the object's side in canvases: 1/4), `background` (picture); clusters: `background 0`, ...

    Raises
    ------
    InputError : the file is missing, damaged, has other columns, another order of labels or images
        of another size; or the classes of `source` are not those of CIFAR-10
    """
    encoded, labels = _read(path)
    if source.class_names != CIFAR10_CLASSES:
        raise InputError(
            "these images are of CIFAR-10's classes, in its order; the study's data have others",
            where=path,
            found=", ".join(source.class_names),
            allowed=CIFAR10_CLASSES,
        )
    n = len(encoded)
    images = np.concatenate(
        list(decode_blocks(encoded, CANVAS_PX, resize=False, where=lambda i: f"{path}, row {i}"))
    )
    scenes = np.arange(n)
    return ProbeSet(
        images,
        labels,
        scenes,
        {
            "arm": np.full(n, "background"),
            "scale": np.full(n, OBJECT_PX / CANVAS_PX),
            "background": np.full(n, "picture"),
        },
        source.class_names,
        np.array([f"background {k}" for k in scenes // len(CIFAR10_CLASSES)]),
    )


def _read(path: Path) -> tuple[list[bytes], np.ndarray]:
    """Return the encoded images and their labels, int64 [n], in the report's order."""
    if not path.is_file():
        raise InputError(
            "no such file of the report's background images",
            where="path",
            found=path,
            allowed=f"a Parquet file such as {FILE}",
        )
    rows, labels = read_rows(path)
    encoded = [data for data in rows if data is not None]
    num_classes = len(CIFAR10_CLASSES)
    if not encoded or len(rows) % num_classes or len(encoded) < len(rows):
        raise InputError(
            f"every background picture needs {num_classes} images, one of each class",
            where=path,
            found=f"{len(rows)} rows, {len(rows) - len(encoded)} of them without image",
        )
    expected = [row % num_classes for row in range(len(encoded))]
    if labels != expected:
        row = next(row for row, label in enumerate(labels) if label != expected[row])
        raise InputError(
            "not in the report's order: backgrounds could not be told apart",
            where=f"{path}, row {row} (the first is 0)",
            found=f"label {labels[row]}",
            allowed=f"label {expected[row]}: image i has class i % {num_classes}",
        )
    return encoded, np.array(labels, dtype=np.int64)

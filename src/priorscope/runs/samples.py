"""A few images of each probe, kept beside the results so that a report can show them."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image

from priorscope.data import Preprocess, resize
from priorscope.probes import ProbeSet
from priorscope.runs.prepare import StudyData
from priorscope.runs.seals import rows_digest
from priorscope.study.spec import TEST_PROBE

NUM_SCENES = 8


def write_samples(
    out: Path,
    data: StudyData,
    probes: Mapping[str, ProbeSet],
    cell: str = "",
    key: str | None = None,
) -> None:
    """Write `samples/train.parquet` (one image a class) and `samples/<probe>.parquet`.

    Those of a cell lie in `samples/<cell>/`. Where an intervention moves pixels, images are as
    networks see them; otherwise they have the size at which they were made. `key` is that of all
    that they depend on (`look_key`): samples that were written under it are left as they are.
    """
    folder, train = out / "samples" / cell, data.train
    written = folder / "key.txt"
    files = [folder / f"{name}.parquet" for name in ("train", *probes) if name != TEST_PROBE]
    whole = all(file.is_file() for file in [written, *files])
    if key is not None and whole and written.read_text(encoding="utf-8") == key:
        return
    written.unlink(missing_ok=True)
    first = [np.flatnonzero(train.labels == label)[:1] for label in range(train.num_classes)]
    rows = np.concatenate(first)
    _write(
        folder / "train.parquet",
        images=_seen(train.images[rows], data.preprocess),
        ids=train.labels[rows],
        arms=[""] * len(rows),
        labels=[train.class_names[label] for label in train.labels[rows]],
        clusters=[None] * len(rows),
    )
    for name, probe in probes.items():
        if name != TEST_PROBE:
            chosen = np.flatnonzero(np.isin(probe.ids, _spread(probe)))
            _write(
                folder / f"{name}.parquet",
                images=_seen(probe.images[chosen], data.preprocess),
                ids=probe.ids[chosen],
                arms=probe.conditions["arm"][chosen].tolist(),
                labels=[_label(probe, int(row)) for row in chosen],
                clusters=[None] * len(chosen)
                if probe.clusters is None
                else probe.clusters[chosen].tolist(),
            )
    if key is not None:
        written.write_text(key, encoding="utf-8")


def _seen(images: np.ndarray, preprocess: Preprocess) -> np.ndarray:
    """Resize and rearrange images, uint8 [n, h, w, 3], as an intervention shows them."""
    if preprocess.rearrangement is None:
        return images
    resized = resize(torch.from_numpy(images), preprocess.image_px).round().to(torch.uint8)
    return preprocess.rearrangement(resized.numpy())


def _spread(probe: ProbeSet) -> np.ndarray:
    """Choose scenes evenly over the probe, so that classes and clusters differ."""
    ids = np.unique(probe.ids)
    # A stride prime to ten classes and twenty backgrounds; the first scenes alone would share one.
    return ids[(np.arange(min(NUM_SCENES, len(ids))) * 11) % len(ids)]


def _label(probe: ProbeSet, row: int) -> str:
    present = (
        np.flatnonzero(probe.targets[row]) if probe.targets.ndim == 2 else [probe.targets[row]]
    )
    return ", ".join(probe.class_names[label] for label in present)


def _write(
    path: Path,
    *,
    images: np.ndarray,
    ids: np.ndarray,
    arms: list[str],
    labels: list[str],
    clusters: list[str | None],
) -> None:
    columns = {
        "id": pa.array(ids, pa.int64()),
        "arm": pa.array(arms, pa.string()),
        "label": pa.array(labels, pa.string()),
        "cluster": pa.array(clusters, pa.string()),
        "png": pa.array([_png(image) for image in images], pa.binary()),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".partial")
    table = pa.table(columns)
    # A label that changed on the disk would else stand below another's image.
    table = table.replace_schema_metadata({"digest": rows_digest(table.to_pylist())})
    with beside.open("wb") as file:  # a name that is not UTF-8 is none for pyarrow
        pq.write_table(table, file)
    beside.replace(path)


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return buffer.getvalue()

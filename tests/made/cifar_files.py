"""Tiny files of CIFAR-10 in the structure of each carrier."""

import hashlib
import io
import pickle
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from priorscope.data._carriers import CIFAR10_CLASSES
from priorscope.data._official import CIFAR10

NUM = {"train": 20, "test": 10}
LABELS = {part: np.random.default_rng(1).permutation(np.arange(n) % 10) for part, n in NUM.items()}
IMAGES = {
    part: np.random.default_rng(2).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
    for part, n in NUM.items()
}


def planes(images):
    """Order the bytes as the official files do: all red, all green, all blue, row by row."""
    return np.stack([np.concatenate([image[..., c].ravel() for c in range(3)]) for image in images])


def dump(path, content):
    path.write_bytes(pickle.dumps(content, protocol=3))
    return hashlib.md5(path.read_bytes()).hexdigest()


def write_official(folder):
    """Write two train batches, one test batch and the class names; describe them."""
    folder.mkdir(parents=True)

    def batch(name, part, rows):
        content = {
            b"batch_label": name.encode(),
            b"labels": LABELS[part][rows].tolist(),
            b"data": planes(IMAGES[part][rows]),
            b"filenames": [b"x.png"] * len(LABELS[part][rows]),
        }
        return {name: dump(folder / name, content)}

    first, second = slice(None, 12), slice(12, None)
    train = batch("data_batch_1", "train", first) | batch("data_batch_2", "train", second)
    test = batch("test_batch", "test", slice(None))
    names = {b"label_names": [name.encode() for name in CIFAR10_CLASSES], b"num_vis": 3072}
    meta = {"batches.meta": dump(folder / "batches.meta", names)}
    files = {"train": train, "test": test, "meta": meta}
    return replace(CIFAR10, files=files, per_class={"train": 2, "test": 1})


def encode(image, kind):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **({"quality": 95} if kind == "JPEG" else {}))
    return buffer.getvalue()


def write_parquet(folder, kind="PNG"):
    folder.mkdir(parents=True, exist_ok=True)
    for part in NUM:
        rows = [{"bytes": encode(im, kind), "path": f"{i}"} for i, im in enumerate(IMAGES[part])]
        table = pa.table({"img": rows, "label": LABELS[part]})
        pq.write_table(table, folder / f"{part}-00000-of-00001.parquet")


def write_folder(folder, suffix="png"):
    for part in NUM:
        for i, (image, label) in enumerate(zip(IMAGES[part], LABELS[part], strict=True)):
            path = folder / part / CIFAR10_CLASSES[label] / f"{i:04}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(image, "JPEG" if suffix == "jpg" else "PNG"))


TINY = replace(CIFAR10, per_class={"train": 2, "test": 1})


def assert_right(dataset, order=None):
    for part in NUM:
        split = getattr(dataset, part)
        rows = slice(None) if order is None else order(LABELS[part])
        np.testing.assert_array_equal(split.images, IMAGES[part][rows])
        np.testing.assert_array_equal(split.labels, LABELS[part][rows])
        assert split.class_names == CIFAR10_CLASSES
        assert isinstance(split.images, np.memmap)

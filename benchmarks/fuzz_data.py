"""Spoilt files that priorscope did not write: CIFAR-10 in two carriers, and tables to score."""

import csv
import hashlib
import io
import os
import pickle
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from priorscope.analysis import Settings
from priorscope.analysis.external import score_files
from priorscope.data._carriers import CIFAR10_CLASSES, read_cifar
from priorscope.data._official import CIFAR10

Spoil = Callable[[Path, Path], str]
NUM_IMAGES = 20
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (NUM_IMAGES, 32, 32, 3), dtype=np.uint8)
LABELS = np.arange(NUM_IMAGES) % 10
ROWS = RNG.random((NUM_IMAGES, 10))


@dataclass(frozen=True)
class Kind:
    """What is spoilt.

    Attributes
    ----------
    pattern : files of a study's output folder, of which one is spoilt
    ended : the study has ended, or was stopped in training
    lost : a file beside it that is removed, so that it has to be made again
    use : in place of all this, spoils and uses a file of its own
    """

    pattern: str = ""
    ended: bool = True
    lost: str = ""
    use: Callable[[Path, Spoil, random.Random], str] | None = None


def _cifar_parquet(form: str) -> Callable[[Path, Spoil, random.Random], str]:
    def use(scratch: Path, spoil: Spoil, rng: random.Random) -> str:
        root = _fresh(scratch / "parquet")
        names = [f"{part}-00000-of-00001.parquet" for part in ("train", "test")]
        for name in names:
            rows = [{"bytes": _encoded(image, form), "path": ""} for image in IMAGES]
            table = pa.table({"img": rows, "label": LABELS})
            pq.write_table(table, root / "cifar10" / name)
        before = _read(root)
        path, other = (root / "cifar10" / name for name in rng.sample(names, 2))
        spoil(path, other)
        found = _read(root)
        if found == before:
            return "valid"
        # Nothing says what these pixels were: the fingerprint of every run tells them apart.
        return "other data" if found[0] != before[0] else _wrong("other images, same fingerprint")

    return use


def _read(root: Path) -> tuple[tuple[str, str], bytes]:
    official = replace(CIFAR10, per_class={"train": 2, "test": 2})
    dataset = read_cifar(root, official)
    parts = (dataset.train, dataset.test)
    content = b"".join(part.images.tobytes() + part.labels.tobytes() for part in parts)
    return (parts[0].fingerprint, parts[1].fingerprint), content


def _fresh(root: Path) -> Path:
    shutil.rmtree(root, ignore_errors=True)
    (root / "cifar10").mkdir(parents=True)
    os.environ["PRIORSCOPE_CACHE"] = str(root / "cache")
    return root


def _encoded(image: np.ndarray, form: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, form)
    return file.getvalue()


def _cache(scratch: Path, spoil: Spoil, rng: random.Random) -> str:
    root = _fresh(scratch / "cached")
    for part in ("train", "test"):
        rows = [{"bytes": _encoded(image, "PNG"), "path": ""} for image in IMAGES]
        table = pa.table({"img": rows, "label": LABELS})
        pq.write_table(table, root / "cifar10" / f"{part}-00000-of-00001.parquet")
    before = _read(root)
    files = sorted((root / "cache").glob("*/*"))
    path = rng.choice(files)
    other = next(file for file in files if file.name == path.name and file != path)
    content = path.read_bytes()
    spoil(path, other)
    if _read(root) != before:
        return _wrong("other images than those that were decoded")
    return "valid" if path.read_bytes() != content else "recovered"


def _official_pickle(scratch: Path, spoil: Spoil, rng: random.Random) -> str:
    root = _fresh(scratch / "official")
    folder = root / "cifar10" / CIFAR10.folder
    folder.mkdir()
    planes = IMAGES.transpose(0, 3, 1, 2).reshape(NUM_IMAGES, -1)
    contents = {
        "data_batch_1": {b"labels": LABELS.tolist(), b"data": planes},
        "test_batch": {b"labels": LABELS[::-1].tolist(), b"data": planes[::-1]},
        "batches.meta": {b"label_names": [name.encode() for name in CIFAR10_CLASSES]},
    }
    md5 = {}
    for name, content in contents.items():
        (folder / name).write_bytes(pickle.dumps(content, protocol=3))
        md5[name] = hashlib.md5((folder / name).read_bytes()).hexdigest()
    parts = {"train": "data_batch_1", "test": "test_batch", "meta": "batches.meta"}
    files = {part: {name: md5[name]} for part, name in parts.items()}
    official = replace(CIFAR10, files=files, per_class={"train": 2, "test": 2})
    name, other = rng.sample(sorted(contents), 2)
    before = (folder / name).read_bytes()
    spoil(folder / name, folder / other)
    if (folder / name).read_bytes() != before:
        shutil.rmtree(root / "cache", ignore_errors=True)
        read_cifar(root, official)
        return _wrong("a file of another md5 was read")
    return "valid"


def _score(form: str) -> Callable[[Path, Spoil, random.Random], str]:
    def use(scratch: Path, spoil: Spoil, rng: random.Random) -> str:
        root = _fresh(scratch / "score")
        labels, answers = root / f"labels.{form}", root / f"answers.{form}"
        _write_table(LABELS[:, None].astype(float), labels)
        _write_table(ROWS, answers)
        path, other = rng.sample([labels, answers], 2)
        spoil(path, other)
        files = {"net": answers}
        found = score_files(labels, files, metric="top1", settings=Settings(num_resamples=50))
        try:
            right = _read_table(labels), _read_table(answers)
        except (OSError, pa.ArrowException):  # it is stricter: then nothing may have changed
            right = LABELS[:, None], ROWS
        targets = right[0][:, 0] if right[0].shape[1] == 1 else right[0].argmax(1)
        said = right[1][:, 0] if right[1].shape[1] == 1 else right[1].argmax(1)
        estimate = found["models"]["net"]["estimate"]
        if found["num_examples"] != len(targets) or estimate != np.mean(said == targets):
            return _wrong(f"{estimate}, and another reader finds {np.mean(said == targets)}")
        return "valid"

    return use


def _write_table(rows: np.ndarray, path: Path) -> None:
    if path.suffix == ".npy":
        np.save(path, rows)
    elif path.suffix == ".parquet":
        pq.write_table(pa.table({f"c{i}": column for i, column in enumerate(rows.T)}), path)
    else:
        np.savetxt(path, rows, delimiter=",")


def _read_table(path: Path) -> np.ndarray:
    """Read with another reader than priorscope's, but for NPY, of which there is one."""
    if path.suffix == ".npy":
        return np.atleast_2d(np.load(path).astype(float).T).T
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        return np.stack([column.to_numpy().astype(float) for column in table.columns], axis=1)
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    try:
        [float(cell) for cell in rows[0]]
    except ValueError:
        rows = rows[1:]
    return np.array([[float(cell) for cell in row] for row in rows if row])


def _wrong(why: str) -> str:
    raise AssertionError(why)


DATA_KINDS = {
    "CIFAR-10 Parquet of PNG": Kind(use=_cifar_parquet("PNG")),
    "CIFAR-10 Parquet of JPEG": Kind(use=_cifar_parquet("JPEG")),
    "CIFAR-10 pickle": Kind(use=_official_pickle),
    "decoded images in the cache": Kind(use=_cache),
    "CSV to score": Kind(use=_score("csv")),
    "NPY to score": Kind(use=_score("npy")),
    "Parquet to score": Kind(use=_score("parquet")),
}

"""The layouts in which Hugging Face keeps CIFAR-10, whole or refused."""

import io
import json
import os
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cifar_files import IMAGES, LABELS, NUM, TINY, assert_right, encode, write_parquet
from PIL import Image

from priorscope.data._carriers import CIFAR10_CLASSES, KNOWN, read_cifar
from priorscope.data._fetch import verify
from priorscope.data.cifar10 import cifar10
from priorscope.errors import InputError

ONE = "{part}-00000-of-00001.parquet"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "data" / "cifar10").mkdir(parents=True)
    return tmp_path / "data"


def write(root, files, image="img", label="label", parts=NUM, features=None):
    """Write each split to files in order, an equal part to each."""
    for part in parts:
        rows = [{"bytes": encode(pixels, "PNG"), "path": ""} for pixels in IMAGES[part]]
        table = pa.table({image: rows, label: LABELS[part]})
        if features:
            said = json.dumps({"info": {"features": features}})
            table = table.replace_schema_metadata({"huggingface": said})
        ends = np.linspace(0, NUM[part], len(files) + 1).astype(int)
        for file, start, stop in zip(files, ends, ends[1:], strict=False):
            path = root / file.format(part=part)
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table.slice(start, stop - start), path)


@pytest.mark.parametrize(
    "files",
    [
        [f"cifar10/{ONE}"],
        [f"cifar10/data/{ONE}"],
        [ONE],
        ["cifar10/plain_text/{part}/0000.parquet"],
        ["cifar10/{part}/0000.parquet", "cifar10/{part}/0001.parquet"],
        [f"cifar10/{{part}}-0000{i}-of-00003.parquet" for i in range(3)],
        [f"cifar10/data/{{part}}-0000{i}-of-00002-b42c5{i}1bab8.parquet" for i in range(2)],
    ],
)
@pytest.mark.parametrize(("image", "label"), [("img", "label"), ("image", "label")])
def test_layouts_that_hugging_face_writes_are_read(root, files, image, label):
    write(root, files, image, label)
    dataset = read_cifar(root, TINY)
    assert_right(dataset)
    assert dataset.title == "CIFAR-10"


def test_the_numbers_of_shards_order_them(root):
    files = [f"cifar10/{{part}}-{i}-of-12.parquet" for i in range(12)]  # 10 sorts before 2 as text
    write(root, files, parts=["train"])
    write(root, [f"cifar10/{ONE}"], parts=["test"])
    assert_right(read_cifar(root, TINY))


@pytest.mark.parametrize(
    ("files", "remove", "extra"),
    [
        ([f"{{part}}-0000{i}-of-00003.parquet" for i in range(3)], "train-00001-of-00003", ""),
        (["{part}/0000.parquet", "{part}/0001.parquet"], "train/0000", ""),
        ([ONE], "", "train-00000-of-00002"),
        ([ONE], "", "train-00000-of-00001-b42c5"),
    ],
)
def test_shards_that_are_missing_or_extra_are_refused(root, files, remove, extra):
    write(root / "cifar10", files)
    if remove:
        (root / "cifar10" / f"{remove}.parquet").unlink()
    if extra:
        content = (root / "cifar10" / ONE.format(part="train")).read_bytes()
        (root / "cifar10" / f"{extra}.parquet").write_bytes(content)
    with pytest.raises(InputError, match="train split are not each there once") as caught:
        read_cifar(root, TINY)
    assert str(root / "cifar10") in str(caught.value)


def test_a_file_that_names_other_classes_is_refused(root):
    names = list(CIFAR10_CLASSES)
    write(root / "cifar10", [ONE], features={"label": {"names": names, "_type": "ClassLabel"}})
    assert_right(read_cifar(root, TINY))
    names[3], names[5] = names[5], names[3]
    write(root / "cifar10", [ONE], features={"label": {"names": names, "_type": "ClassLabel"}})
    with pytest.raises(InputError, match="number other classes") as caught:
        read_cifar(root, TINY)
    assert str(root / "cifar10" / ONE.format(part="train")) in str(caught.value)
    write(root / "cifar10", [ONE], features={"label": "of another shape"})
    assert_right(read_cifar(root, TINY))


def test_two_columns_of_images_are_refused(root):
    rows = [{"bytes": encode(pixels, "PNG"), "path": ""} for pixels in IMAGES["train"]]
    table = pa.table({"img": rows, "image": rows, "label": LABELS["train"]})
    write_parquet(root)
    pq.write_table(table, root / ONE.format(part="train"))
    with pytest.raises(InputError, match="unexpected columns"):
        read_cifar(root, TINY)


def test_a_pipe_is_not_opened(root):
    write_parquet(root)
    (root / ONE.format(part="test")).unlink()
    os.mkfifo(root / ONE.format(part="test"))  # opening it would wait for ever
    with pytest.raises(InputError, match="not a file") as caught:
        read_cifar(root, TINY)
    assert str(root / ONE.format(part="test")) in str(caught.value)


def test_pixels_are_decided_and_said_as_in_image_folders(root):
    values = np.random.default_rng(0).integers(0, 4096, (20, 32, 32), dtype=np.uint16)

    def content(pixels):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        return {"bytes": file.getvalue(), "path": ""}

    write_parquet(root)
    rows = [content(pixels) for pixels in values]
    table = pa.table({"img": rows, "label": np.arange(20) % 10})
    pq.write_table(table, root / ONE.format(part="train"))
    with pytest.raises(InputError, match="never go above 4095") as caught:
        read_cifar(root, TINY)
    assert "row 0 of train" in str(caught.value)
    dataset = read_cifar(root, TINY, (0.0, 4095.0))
    expected = (2 * 255 * values.astype(int) + 4095) // (2 * 4095)
    for channel in range(3):
        np.testing.assert_array_equal(dataset.train.images[..., channel], expected)
    assert any(note.startswith("20 of 30 images have more than 8 bits") for note in dataset.notes)


def test_a_range_without_a_use_is_refused(root):
    write_parquet(root)
    with pytest.raises(InputError, match="pixel_range has no use"):
        cifar10(root=root, pixel_range=(0.0, 4095.0))
    with pytest.raises(InputError, match="no range of pixels"):
        cifar10(root=root, pixel_range=(1.0, 0.0))


def test_verify_decodes_all_shards(root, monkeypatch):
    monkeypatch.setitem(KNOWN, "cifar10", TINY)
    write(root / "cifar10", ["{part}/0000.parquet", "{part}/0001.parquet"])
    checks = verify("cifar10", root)
    assert checks[0] == (root / "cifar10" / "train", "ok", "20 images decoded (png)")
    (root / "cifar10" / "test" / "0001.parquet").write_bytes(b"")
    assert [check.status for check in verify("cifar10", root)] == ["ok", "wrong"]


def test_folders_of_cifar_classes_are_found_in_any_case(root):
    for part in NUM:
        for i, (image, label) in enumerate(zip(IMAGES[part], LABELS[part], strict=True)):
            path = root / part.title() / CIFAR10_CLASSES[label] / f"{i:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(image, "PNG"))
    dataset = read_cifar(root, TINY)
    assert_right(dataset, order=lambda labels: np.argsort(labels, kind="stable"))
    (root / "training" / "dog").mkdir(parents=True)
    with pytest.raises(InputError, match="two folders of train images"):
        read_cifar(root, replace(TINY))

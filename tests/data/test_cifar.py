"""CIFAR-10 and CIFAR-100 from each carrier: tiny files of the real structure, and refusals."""

import hashlib
import pickle
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cifar_files import (
    IMAGES,
    LABELS,
    NUM,
    TINY,
    assert_right,
    dump,
    encode,
    planes,
    write_folder,
    write_official,
    write_parquet,
)

from priorscope.data._carriers import KNOWN, read_cifar
from priorscope.data._fetch import fetch, verify
from priorscope.data._official import CIFAR10, CIFAR100
from priorscope.data.cifar10 import cifar10
from priorscope.data.cifar100 import cifar100
from priorscope.errors import InputError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "data" / "cifar10").mkdir(parents=True)
    return tmp_path / "data"


@pytest.mark.parametrize("place", ["cifar10", "."])
def test_official(root, place):
    official = write_official(root / place / "cifar-10-batches-py")
    dataset = read_cifar(root, official)
    assert_right(dataset)
    assert dataset.title == "CIFAR-10"


@pytest.mark.parametrize("place", ["cifar10", ".", "cifar10/plain_text"])
def test_parquet(root, place):
    write_parquet(root / place)
    dataset = read_cifar(root, TINY)
    assert_right(dataset)
    assert dataset.title == "CIFAR-10"


@pytest.mark.parametrize("place", ["cifar10", "."])
def test_folder(root, place):
    write_folder(root / place)
    dataset = read_cifar(root, TINY)
    assert_right(dataset, order=lambda labels: np.argsort(labels, kind="stable"))
    assert dataset.title == "CIFAR-10"


@pytest.mark.parametrize(
    "write", [lambda f: write_parquet(f, "JPEG"), lambda f: write_folder(f, "jpg")]
)
def test_jpeg_is_named_in_the_title(root, write):
    write(root / "cifar10")
    for _ in range(2):  # decoded, and from the cache
        dataset = read_cifar(root, TINY)
        assert dataset.title == "CIFAR-10 (JPEG re-encoding)"
        assert sorted(dataset.test.labels) == sorted(LABELS["test"])


def test_carriers_give_the_same_fingerprint(tmp_path):
    official = write_official(tmp_path / "a" / "cifar-10-batches-py")
    write_parquet(tmp_path / "b")
    one, two = read_cifar(tmp_path / "a", official), read_cifar(tmp_path / "b", TINY)
    assert one.train.fingerprint == two.train.fingerprint
    assert one.test.fingerprint == two.test.fingerprint != one.train.fingerprint


def test_official_files_come_first(root):
    write_parquet(root / "cifar10", "JPEG")
    official = write_official(root / "cifar10" / "cifar-10-batches-py")
    assert read_cifar(root, official).title == "CIFAR-10"


def test_cifar100_reads_fine_labels(root):
    folder = root / "cifar100" / "cifar-100-python"
    folder.mkdir(parents=True)
    files = {}
    for part in NUM:
        content = {
            b"fine_labels": LABELS[part].tolist(),
            b"coarse_labels": [0] * NUM[part],
            b"data": planes(IMAGES[part]),
        }
        files[part] = {part: dump(folder / part, content)}
    names = {b"fine_label_names": [f"fine {i}".encode() for i in range(10)]}
    names[b"coarse_label_names"] = [b"coarse"]
    files["meta"] = {"meta": dump(folder / "meta", names)}
    dataset = read_cifar(root, replace(CIFAR100, files=files, per_class={"train": 2, "test": 1}))
    np.testing.assert_array_equal(dataset.train.images, IMAGES["train"])
    np.testing.assert_array_equal(dataset.test.labels, LABELS["test"])
    assert dataset.train.class_names[3] == "fine 3" and dataset.title == "CIFAR-100"


@pytest.mark.parametrize(("dataset", "name"), [(cifar10, "cifar10"), (cifar100, "cifar100")])
def test_missing_says_where_what_and_how(tmp_path, dataset, name):
    for root in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match="not found") as caught:
            dataset(root=root)
        text = str(caught.value)
        assert str(root / name) in text and f"priorscope data fetch {name}" in text
    assert str(tmp_path / "absent") in str(caught.value.found)
    assert "batches-py" in text or name == "cifar100"
    if name == "cifar10":
        assert ".parquet" in text and "train/<class>" in text


def test_md5_is_always_checked(root):
    folder = root / "cifar10" / "cifar-10-batches-py"
    write_official(folder)
    for name in CIFAR10.files["train"]:
        (folder / name).write_bytes((folder / "data_batch_1").read_bytes())
    with pytest.raises(InputError, match="wrong md5") as caught:
        cifar10(root=root)
    assert caught.value.where == str(folder / "batches.meta")


@pytest.mark.parametrize("name", ["data_batch_2", "test_batch", "batches.meta"])
def test_damaged_official_file_is_named(root, name):
    official = write_official(root / "cifar-10-batches-py")
    path = root / "cifar-10-batches-py" / name
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(InputError, match="wrong md5") as caught:
        read_cifar(root, official)
    assert caught.value.where == str(path)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read") as caught:
        read_cifar(root, official)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: c.update({b"labels": [10] * 10}), "label out of range"),
        (lambda c: c.update({b"labels": [0] * 10}), "wrong number of images"),
    ],
)
def test_wrong_content_of_an_official_file_is_named(root, change, problem):
    official = write_official(root / "cifar-10-batches-py")
    path = root / "cifar-10-batches-py" / "test_batch"
    content = pickle.loads(path.read_bytes())
    change(content)
    files = official.files | {"test": {"test_batch": dump(path, content)}}
    with pytest.raises(InputError, match=problem) as caught:
        read_cifar(root, replace(official, files=files))
    assert caught.value.where == str(path)


def table(part="test", **columns):
    rows = [{"bytes": encode(image, "PNG"), "path": ""} for image in IMAGES[part]]
    return pa.table({"img": rows, "label": LABELS[part]} | columns)


def with_row(value):
    rows = [{"bytes": encode(image, "PNG"), "path": ""} for image in IMAGES["test"]]
    rows[6]["bytes"] = value
    return table(img=rows)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (lambda: table().rename_columns(["picture", "label"]), "unexpected columns"),
        (lambda: table().drop_columns("label"), "unexpected columns"),
        (lambda: table(img=[b"x"] * 10), "unexpected columns"),
        (lambda: table(label=[0.5] * 10), "unexpected columns"),
        (lambda: table().slice(0, 0), "wrong number of images"),
        (lambda: table("train"), "wrong number of images"),
        (lambda: table(label=[-1, *range(1, 10)]), "label out of range"),
        (lambda: table(label=[None, *range(1, 10)]), "rows without"),
        (lambda: with_row(None), "rows without"),
        (lambda: with_row(b"no image"), "image cannot be read"),
        (lambda: with_row(encode(IMAGES["test"][0], "PNG")[:-300]), "image cannot be read"),
        (lambda: with_row(encode(IMAGES["test"][0], "JPEG")[:-300]), "image cannot be read"),
        (lambda: with_row(encode(IMAGES["test"][0][:31], "PNG")), "image of the wrong size"),
    ],
)
def test_wrong_parquet_is_named(root, wrong, problem):
    write_parquet(root)
    path = root / "test-00000-of-00001.parquet"
    pq.write_table(wrong(), path)
    with pytest.raises(InputError, match=problem) as caught:
        read_cifar(root, TINY)
    assert caught.value.where is not None and str(path) in caught.value.where
    if problem.startswith("image"):
        assert "row 6" in caught.value.where


def test_truncated_or_missing_parquet_is_named(root):
    write_parquet(root)
    path = root / "test-00000-of-00001.parquet"
    whole = path.read_bytes()
    for length in (0, 4, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="Parquet file cannot be read") as caught:
            read_cifar(root, TINY)
        assert caught.value.where == str(path)
    for start in range(8, len(whole) - 8, 997):  # no damage may end in another kind of error
        path.write_bytes(whole[:start] + bytes(8) + whole[start + 8 :])
        try:
            read_cifar(root, TINY)
        except InputError as error:
            assert error.where is not None and str(path) in error.where
    path.unlink()
    with pytest.raises(InputError, match="cannot be read") as caught:
        read_cifar(root, TINY)
    assert caught.value.where == str(path)


def test_a_part_of_the_dataset_is_read_and_called_so(root):
    write_parquet(root)
    path = root / "test-00000-of-00001.parquet"
    pq.write_table(pq.read_table(path).slice(3), path)
    dataset = read_cifar(root, TINY)
    assert dataset.title == "CIFAR-10 (7 of 10 test images)"
    np.testing.assert_array_equal(dataset.test.images, IMAGES["test"][3:])


def test_a_folder_of_other_classes_is_refused(root):
    write_folder(root / "cifar10")
    extra = root / "cifar10" / "test" / "zebra"
    extra.mkdir()
    (extra / "0.png").write_bytes(encode(IMAGES["test"][0], "PNG"))
    with pytest.raises(InputError, match="class folders are not") as caught:
        read_cifar(root, TINY)
    assert "zebra" in str(caught.value) and "image_folder" in str(caught.value.hint)
    (extra / "0.png").unlink()
    extra.rmdir()
    again = root / "cifar10" / "train" / "dog"
    for number in range(3):
        (again / f"more{number}.png").write_bytes(encode(IMAGES["train"][number], "PNG"))
    with pytest.raises(InputError, match="wrong number of images") as caught:
        read_cifar(root, TINY)
    assert "5 of class dog" in str(caught.value.found)


def test_changed_files_are_decoded_again(root):
    write_parquet(root)
    before = read_cifar(root, TINY)
    path = root / "test-00000-of-00001.parquet"
    rows = [{"bytes": encode(255 - image, "PNG"), "path": ""} for image in IMAGES["test"]]
    pq.write_table(table(img=rows), path)
    after = read_cifar(root, TINY)
    np.testing.assert_array_equal(after.test.images, 255 - IMAGES["test"])
    assert after.test.fingerprint != before.test.fingerprint
    assert after.train.fingerprint == before.train.fingerprint


def test_verify_decodes_what_has_no_official_md5(root, monkeypatch):
    # What is there and right is not fetched: the official address would fail here.
    monkeypatch.setitem(KNOWN, "cifar10", replace(TINY, url="http://127.0.0.1:9/file"))
    write_parquet(root / "cifar10", "JPEG")
    train, test = verify("cifar10", root)
    md5 = hashlib.md5(train.file.read_bytes()).hexdigest()
    assert train == (train.file, "ok", f"20 images decoded (jpeg), md5 {md5}")
    assert test.status == "ok" and "10 images" in test.detail
    assert fetch("cifar10", root) == root / "cifar10"
    pq.write_table(with_row(b"no image"), test.file)
    assert [check.status for check in verify("cifar10", root)] == ["ok", "wrong"]
    with pytest.raises(InputError, match="could not be downloaded"):
        fetch("cifar10", root)


def test_verify_of_folders_and_official_files(tmp_path, monkeypatch):
    monkeypatch.setitem(KNOWN, "cifar10", TINY)
    write_folder(tmp_path / "a")
    assert [check[1:] for check in verify("cifar10", tmp_path / "a")] == [
        ("ok", "20 images decoded (png)"),
        ("ok", "10 images decoded (png)"),
    ]
    official = write_official(tmp_path / "b" / "cifar-10-batches-py")
    monkeypatch.setitem(KNOWN, "cifar10", official)
    checks = verify("cifar10", tmp_path / "b")
    assert [check.status for check in checks] == ["ok"] * 4
    assert {check.file.name for check in checks} == {
        *("data_batch_1", "data_batch_2", "test_batch", "batches.meta")
    }

import io

import numpy as np
import polars as pl
import pytest
from PIL import Image

from priorscope.data import LabeledImages
from priorscope.errors import InputError
from priorscope.probes.report_background import report_background
from priorscope.runs.prepare import build_probe
from priorscope.study.spec import Component

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def source_of(class_names=CLASSES) -> LabeledImages:
    n = len(class_names)
    return LabeledImages(np.zeros((n, 32, 32, 3), np.uint8), np.arange(n), class_names, "blank")


def make(path, source=None):
    return report_background(source or source_of(), rng=np.random.default_rng(0), path=path)


def encoded(row: int, px: int = 128) -> bytes:
    """Encode one colour, a different one for every row, without loss."""
    stream = io.BytesIO()
    Image.new("RGB", (px, px), (row, 255 - row, 7)).save(stream, "PNG")
    return stream.getvalue()


def write(path, images=None, labels=None, **more):
    images = [encoded(row) for row in range(20)] if images is None else images
    labels = [row % 10 for row in range(len(images))] if labels is None else labels
    img = [{"bytes": data, "path": f"{row}.png"} for row, data in enumerate(images)]
    pl.DataFrame({"img": img, "label": labels, **more}).write_parquet(path)
    return path


def refused(*arguments) -> InputError:
    with pytest.raises(InputError) as caught:
        make(*arguments)
    return caught.value


def test_rows_become_scenes_in_order(tmp_path):
    probe = make(write(tmp_path / "a.parquet"))
    assert probe.images.shape == (20, 128, 128, 3)
    assert (probe.images[:, 5, 5] == [(row, 255 - row, 7) for row in range(20)]).all()
    assert probe.targets.tolist() == [*range(10)] * 2
    assert probe.ids.tolist() == list(range(20))
    assert probe.arms == ("background",)
    assert set(probe.conditions["scale"].tolist()) == {0.25}
    assert probe.clusters.tolist() == ["background 0"] * 10 + ["background 1"] * 10
    assert probe.class_names == CLASSES


def test_a_study_names_the_file_beside_itself(tmp_path):
    write(tmp_path / "a.parquet")
    component = Component("report_background", {"path": "a.parquet"})
    probe = build_probe(component, source_of(), tmp_path, where="probes.p", name="p")
    assert len(probe) == 20


def test_a_missing_file_is_named_with_its_key(tmp_path):
    component = Component("report_background", {"path": "absent.parquet"})
    with pytest.raises(InputError) as caught:
        build_probe(component, source_of(), tmp_path, where="probes.p", name="p")
    assert caught.value.where == "probes.p.path"
    assert caught.value.found == tmp_path / "absent.parquet"


def test_a_folder_is_refused(tmp_path):
    assert "background_images.parquet" in refused(tmp_path).allowed


@pytest.mark.parametrize("kept", [0, 4, 300])
def test_a_truncated_file_is_named(tmp_path, kept):
    whole = write(tmp_path / "a.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:kept])
    assert refused(tmp_path / "cut.parquet").where == str(tmp_path / "cut.parquet")


def test_a_damaged_image_is_named_by_row(tmp_path):
    images = [encoded(row) for row in range(20)]
    images[13] = images[13][:60]
    assert "row 13" in refused(write(tmp_path / "a.parquet", images)).where


def test_an_image_of_another_size_is_named_by_row(tmp_path):
    images = [encoded(row, 64 if row == 7 else 128) for row in range(10)]
    error = refused(write(tmp_path / "a.parquet", images))
    assert "row 7" in error.where and "64 x 64" in error.found


def test_other_columns_are_refused(tmp_path):
    pl.DataFrame({"image": [b""], "label": [0]}).write_parquet(tmp_path / "a.parquet")
    assert "image: " in refused(tmp_path / "a.parquet").found
    pl.DataFrame({"img": [b""], "label": [0]}).write_parquet(tmp_path / "b.parquet")
    assert refused(tmp_path / "b.parquet").problem == "unexpected columns"


@pytest.mark.parametrize("images", [[], [encoded(0)] * 9, [encoded(0)] * 9 + [None]])
def test_backgrounds_without_all_classes_are_refused(tmp_path, images):
    path = tmp_path / "a.parquet"
    write(path)
    schema = pl.read_parquet_schema(path)
    img = [{"bytes": data, "path": ""} for data in images]
    pl.DataFrame({"img": img, "label": list(range(len(images)))}, schema=schema).write_parquet(path)
    assert f"{len(images)} rows" in refused(path).found


@pytest.mark.parametrize("wrong", [3, -1, 10, None])
def test_labels_in_another_order_are_refused_by_row(tmp_path, wrong):
    labels = [*range(10)] * 2
    labels[14] = wrong
    error = refused(write(tmp_path / "a.parquet", labels=labels))
    assert "row 14" in error.where and str(wrong) in error.found


@pytest.mark.parametrize("names", [CLASSES[::-1], CLASSES[:9], tuple("0123456789")])
def test_other_classes_are_refused(tmp_path, names):
    error = refused(write(tmp_path / "a.parquet"), source_of(names))
    assert "airplane" in error.allowed and names[0] in error.found


def test_the_report_s_own_images(shared_data):
    path = shared_data / "paper" / "background_images.parquet"
    if not path.is_file():
        pytest.skip("no raw outputs of the report beside CIFAR-10")
    probe = make(path)
    labels = np.loadtxt(path.with_name("background_labels.csv")).argmax(axis=1)
    np.testing.assert_array_equal(probe.targets, labels)
    assert probe.images.shape == (200, 128, 128, 3)
    assert len(set(probe.clusters)) == 20
    # Crops of one picture resemble each other in colour: their means lie closer than others'.
    colour = probe.images.reshape(20, 10, -1, 3).mean(axis=2)
    within = np.square(colour - colour.mean(axis=1, keepdims=True)).sum(axis=(1, 2)).sum()
    total = np.square(colour - colour.mean(axis=(0, 1))).sum()
    assert within < 0.5 * total

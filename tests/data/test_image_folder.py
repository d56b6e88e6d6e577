"""Any folder of images: splits, sizes, and refusals that name the file."""

import io

import numpy as np
import pytest
from PIL import Image

from priorscope.components import bind
from priorscope.data.image_folder import image_folder
from priorscope.errors import InputError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))


def paint(path, colour=(0, 0, 0), size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def plain(tmp_path):
    """Three classes of 10 images each; the red channel is the number of the image."""
    for label, name in enumerate(["ant", "bee", "cow"]):
        for i in range(10):
            paint(tmp_path / "mine" / name / f"{i}.png", (10 * label + i, label, 0))
    return tmp_path


def numbers(split):
    return split.images[:, 0, 0, 0].tolist()


def test_plain_folder_gets_a_seeded_stratified_test_part(plain):
    dataset = image_folder(root=plain, path="mine", test_fraction=0.3)
    assert dataset.title == "mine" and dataset.train.class_names == ("ant", "bee", "cow")
    assert np.bincount(dataset.test.labels).tolist() == [3, 3, 3]
    assert sorted(numbers(dataset.train) + numbers(dataset.test)) == list(range(30))
    for split in (dataset.train, dataset.test):
        assert split.labels.tolist() == [number // 10 for number in numbers(split)]
        assert isinstance(split.images, np.memmap)
    again = image_folder(root=plain, path="mine", test_fraction=0.3)
    assert again.test.fingerprint == dataset.test.fingerprint
    other = image_folder(root=plain, path=str(plain / "mine"), test_fraction=0.3, seed=1)
    assert numbers(other.test) != numbers(dataset.test)


def test_train_and_test_folders_are_kept(tmp_path):
    for part, count in (("train", 3), ("test", 2)):
        for name in ("a", "b"):
            for i in range(count):
                paint(tmp_path / "set" / part / name / "deeper" / f"{i}.JPG")
    (tmp_path / "set" / "train" / "a" / ".hidden.png").write_bytes(b"no image")
    (tmp_path / "set" / "train" / "a" / "notes.txt").write_text("no image")
    dataset = image_folder(root=tmp_path, path="set")
    assert (len(dataset.train), len(dataset.test)) == (6, 4)
    assert dataset.train.labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_other_sizes_are_scaled_and_cropped_at_the_centre(tmp_path):
    # Left and right quarters red, the middle half green: only green survives a centre crop.
    wide = Image.new("RGB", (64, 32), (255, 0, 0))
    wide.paste((0, 255, 0), (16, 0, 48, 32))
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        wide.save(tmp_path / "set" / name / "wide.png")
        wide.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "set" / name / "tall.png")
    dataset = image_folder(root=tmp_path, path="set", image_px=16, test_fraction=0.5)
    for split in (dataset.train, dataset.test):
        assert split.images.shape == (2, 16, 16, 3)
        inner = split.images[:, 2:-2, 2:-2]
        assert (inner == [0, 255, 0]).all()


def test_grey_and_transparent_images_become_rgb(tmp_path):
    for name in ("a", "b"):
        paint(tmp_path / "set" / name / "0.png", (7, 8, 9))
        Image.new("L", (8, 8), 50).save(tmp_path / "set" / name / "1.png")
        Image.new("RGBA", (8, 8), (1, 2, 3, 128)).save(tmp_path / "set" / name / "2.png")
    dataset = image_folder(root=tmp_path, path="set", test_fraction=0.34)
    pixels = np.concatenate([dataset.train.images, dataset.test.images])[:, 4, 4]
    on_white = (128, 128, 129)
    assert {tuple(pixel) for pixel in pixels.tolist()} == {(7, 8, 9), (50, 50, 50), on_white}


def test_a_changed_file_is_seen(plain):
    before = image_folder(root=plain, path="mine")
    for path in (plain / "mine" / "ant").iterdir():
        paint(path, (99, 99, 99))
    after = image_folder(root=plain, path="mine")
    assert after.train.fingerprint != before.train.fingerprint
    assert (after.train.images[after.train.labels == 0] == 99).all()


def refused(problem, root, path="mine", **parameters):
    with pytest.raises(InputError, match=problem) as caught:
        image_folder(root=root, path=path, **parameters)
    return str(caught.value)


def test_sizes_that_differ_need_image_px(plain):
    paint(plain / "mine" / "bee" / "large.png", size=(9, 9))
    text = refused("not all square and of one size", plain)
    assert "9 x 9 px" in text and "image_px" in text
    assert image_folder(root=plain, path="mine", image_px=8).train.image_px == 8


def test_oblong_images_need_image_px(tmp_path):
    for name in ("a", "b"):
        for i in range(3):
            paint(tmp_path / "mine" / name / f"{i}.png", size=(9, 6))
    assert "of 9 x 6 px" in refused("not all square", tmp_path)


def test_an_unreadable_image_is_named(plain):
    path = plain / "mine" / "cow" / "broken.jpg"
    path.write_bytes(b"no image")
    assert str(path) in refused("image cannot be read", plain)
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG")
    path.write_bytes(buffer.getvalue()[:-40])  # the header is whole, the pixels are not
    assert str(path) in refused("image cannot be read", plain)


def test_refusals(plain):
    assert str(plain / "none") in refused("image folder not found", plain, path="none")
    (plain / "file").write_text("")
    assert "a file" in refused("image folder not found", plain, path="file")
    (plain / "empty").mkdir()
    assert str(plain / "empty") in refused("no class folders", plain, path="empty")
    paint(plain / "one" / "ant" / "0.png")
    assert "ant" in refused("at least two classes", plain, path="one")
    (plain / "one" / "bee").mkdir()
    assert str(plain / "one" / "bee") in refused("class folder without images", plain, path="one")
    for name in ("ant", "bee"):
        paint(plain / "half" / "train" / name / "0.png")
    assert "train/ alone" in refused("go together", plain, path="half")
    for name in ("ant", "cow"):
        paint(plain / "half" / "test" / name / "0.png")
    text = refused("different classes", plain, path="half")
    assert "only in train: 'bee'; only in test: 'cow'" in text
    outside = [("image_px", 0), ("seed", -1)]
    for key, value in outside + [("test_fraction", each) for each in (0, 1, -0.5, float("nan"))]:
        with pytest.raises(InputError) as caught:
            bind(image_folder, {"path": "mine", key: value}, where="data", reserved=["root"])
        assert f"data.{key}" in str(caught.value)
    refused("would be drawn", plain, test_fraction=0.01)
    paint(plain / "mine" / "dog" / "only.png")
    text = refused("class without a training image", plain, test_fraction=0.5)
    assert str(plain / "mine" / "dog") in text

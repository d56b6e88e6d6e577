"""Images that are replaced in place: noticed by what changed, and not by what did not."""

import os
import time

import numpy as np
import pytest
from PIL import Image

from priorscope.data import _image_files
from priorscope.data._image_files import files_key, list_images
from priorscope.data.image_folder import image_folder

LONG_AGO = 10**18  # ns


def write(root, value):
    for number, name in enumerate("ab"):
        (root / "set" / name).mkdir(parents=True, exist_ok=True)
        for i in range(4):
            path = root / "set" / name / f"{i}.bmp"
            Image.fromarray(np.full((8, 8, 3), value + number, np.uint8)).save(path)
            os.utime(path, ns=(LONG_AGO, LONG_AGO))


@pytest.fixture(autouse=True)
def own_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("how", ["written over", "renamed into place"])
def test_pixels_are_the_new_ones_under_the_same_size_and_time(tmp_path, how):
    write(tmp_path, 10)
    assert image_folder(root=tmp_path, path="set").train.images.mean() == 10.5
    if how == "written over":
        write(tmp_path, 200)
    else:
        write(tmp_path / "new", 200)
        for path in (tmp_path / "new").rglob("*.bmp"):
            path.replace(tmp_path / path.relative_to(tmp_path / "new"))
    assert image_folder(root=tmp_path, path="set").train.images.mean() == 200.5


def test_contents_are_read_once_until_the_file_system_says_otherwise(tmp_path, monkeypatch):
    write(tmp_path, 10)
    # As if the files had lain there for an hour.
    now = time.time_ns()
    monkeypatch.setattr(_image_files.time, "time_ns", lambda: now + 3600 * 10**9)
    key = files_key(list_images(tmp_path / "set"), "")
    with monkeypatch.context() as patched:
        patched.setattr(_image_files.hashlib, "file_digest", None)
        assert files_key(list_images(tmp_path / "set"), "") == key
    for path in tmp_path.rglob("*.bmp"):
        os.utime(path, ns=(1, 1))  # another state, the same content
    assert files_key(list_images(tmp_path / "set"), "") == key


def test_what_changed_a_moment_ago_is_read_again(tmp_path, monkeypatch):
    write(tmp_path, 10)
    files = list_images(tmp_path / "set")
    key = files_key(files, "")
    write(tmp_path, 200)  # within one tick of a coarse clock, the stamps would be the same
    assert files_key(files, "") != key


def test_another_decoder_is_another_key(tmp_path, monkeypatch):
    write(tmp_path, 10)
    files = list_images(tmp_path / "set")
    key = files_key(files, "")
    monkeypatch.setattr(_image_files, "DECODER", "Pillow 0")
    assert files_key(files, "") != key

"""What is read of class folders: each image once, wherever links lead, and nothing else."""

import os
import socket

import pytest
from image_sets import colours_of, fill, paint
from PIL import Image

from priorscope.data.image_folder import image_folder
from priorscope.errors import InputError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def painted(tmp_path):
    """Two classes of five images each."""
    found = fill(tmp_path / "set")
    return {name: sorted(colours) for (_, name), colours in found.items()}


@pytest.fixture
def read(tmp_path):
    """Read the set: class -> colours of both splits, and what is said."""

    def read(**parameters):
        dataset = image_folder(root=tmp_path, path="set", **parameters)
        parts = [colours_of(images) for images in (dataset.train, dataset.test)]
        return {name: sorted(parts[0][name] + parts[1][name]) for name in parts[0]}, dataset.notes

    return read


def refused(problem, tmp_path, **parameters):
    with pytest.raises(InputError, match=problem) as caught:
        image_folder(root=tmp_path, path="set", **parameters)
    return str(caught.value)


@pytest.mark.parametrize(
    ("link", "target"),
    [("up", ".."), ("self", "."), ("bee", "../bee"), ("above", "../../.."), ("again", "../bee/in")],
)
def test_links_to_what_is_read_already_are_not_followed_and_named(
    tmp_path, painted, read, link, target
):
    painted["bee"] = sorted([*painted["bee"], paint(tmp_path / "set" / "bee" / "in" / "6.png")])
    for name in ("ant", "bee"):  # of two links that lead to each other, too
        (tmp_path / "set" / name / link).symlink_to(target)
    found, notes = read()
    assert found == painted
    (note,) = notes
    assert "not followed" in note and f"'ant/{link}'" in note


def test_links_that_lead_out_are_followed_once_and_named(tmp_path, painted, read):
    outside = [paint(tmp_path / "store" / "deep" / f"{i}.png") for i in range(3)]
    alone = paint(tmp_path / "alone.png")
    (tmp_path / "set" / "ant" / "more").symlink_to(tmp_path / "store")
    (tmp_path / "store" / "back").symlink_to(tmp_path / "set")
    (tmp_path / "set" / "ant" / "one.png").symlink_to(tmp_path / "alone.png")
    (tmp_path / "set" / "bee" / "one.png").symlink_to(tmp_path / "alone.png")
    (tmp_path / "set" / "bee" / "more").symlink_to(tmp_path / "store" / "deep")
    (tmp_path / "set" / "ant" / "less.png").symlink_to(tmp_path / "store" / "deep" / "0.png")
    found, notes = read()
    assert found == painted | {"ant": sorted([*painted["ant"], *outside, alone])}
    assert "links that are followed: 2 ('ant/more', 'ant/one.png')" in notes
    assert any("not followed: 4 ('ant/less.png', 'ant/more/back'" in note for note in notes)


def test_class_folders_may_be_links_but_not_to_what_is_read_already(tmp_path, painted, read):
    cows = [paint(tmp_path / "store" / f"{i}.png") for i in range(5)]
    (tmp_path / "set" / "cow").symlink_to(tmp_path / "store")
    assert read()[0] == painted | {"cow": sorted(cows)}
    (tmp_path / "set" / "formica").symlink_to("ant")
    text = refused("class folder that is a link", tmp_path)
    assert str(tmp_path / "set" / "formica") in text and str(tmp_path / "set" / "ant") in text


def test_no_image_stands_in_both_splits_by_a_link(tmp_path, read):
    trained = fill(tmp_path / "set", ("train", "test"))
    for name in ("ant", "bee"):
        (tmp_path / "set" / "test" / name / "known.png").symlink_to(f"../../train/{name}/0.png")
    found, notes = read()
    for name in ("ant", "bee"):
        assert found[name] == sorted(trained["train", name] + trained["test", name])
    assert any("'test/ant/known.png'" in note for note in notes)


@pytest.mark.parametrize("place", ["ant/lost.png", "lost", "ant/loop"])
def test_links_that_lead_nowhere_are_refused_by_name(tmp_path, painted, place):
    link = tmp_path / "set" / place
    link.symlink_to(link if place.endswith("loop") else "nowhere")
    assert str(link) in refused("a link that leads nowhere", tmp_path)


def test_pipes_and_sockets_are_named_and_never_opened(tmp_path, painted, read, monkeypatch):
    os.mkfifo(tmp_path / "set" / "ant" / "pipe.png")  # opening it would wait for ever
    (tmp_path / "set" / "bee" / "link.png").symlink_to(tmp_path / "set" / "ant" / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "set" / "bee" / "other.png").symlink_to(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path / "set" / "ant")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.png")  # a socket's path must be short
        found, notes = read()
    assert found == painted
    named = "'ant/pipe.png', 'ant/s.png', 'bee/other.png'"
    assert f"pipes, sockets and devices, never opened: 3 ({named})" in notes


def test_whatever_pillow_reads_is_an_image_and_other_files_are_named(tmp_path, read):
    forms = {"jfif": "JPEG", "avif": "AVIF", "JP2": "JPEG2000", "tga": "TGA", "qoi": "QOI"}
    for name in ("ant", "bee"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for suffix, form in forms.items():
            Image.new("RGB", (8, 8), (9, 9, 9)).save(tmp_path / "set" / name / f"0.{suffix}", form)
        paint(tmp_path / "set" / name / "0.png", (9, 9, 9))
        (tmp_path / "set" / name / "0.png").rename(tmp_path / "set" / name / "n0001")
    for name, content in (("notes.txt", b"words"), ("p.pdf", b"%PDF-1.4"), ("x.npy", b"\x93NUMPY")):
        (tmp_path / "set" / "ant" / name).write_bytes(content)
    found, notes = read()
    assert {name: len(colours) for name, colours in found.items()} == {"ant": 6, "bee": 6}
    others = "'ant/notes.txt', 'ant/p.pdf', 'ant/x.npy'"
    assert f"files that are no images, passed over: 3 ({others})" in notes
    assert any("by their content" in note and "'ant/n0001'" in note for note in notes)


def test_results_caches_and_hidden_folders_are_no_classes(tmp_path, painted, read):
    places = {
        "outputs/first": ["study.json"],
        "outputs/second": ["study.json"],
        "ant/tried": ["study.json"],
        "pr": ["examples.csv", "classes.txt"],
        "old": ["CACHEDIR.TAG"],
        "venv": ["pyvenv.cfg"],
        ".git": [],
        "__MACOSX": [],
        "@eaDir": [],
    }
    for place, marks in places.items():
        paint(tmp_path / "set" / place / "figures" / "0.png")
        for mark in marks:
            (tmp_path / "set" / place / mark).write_text("")
    found, notes = read()
    assert found == painted
    (note,) = notes
    assert note.startswith("folders that are no classes, passed over: 6 ('ant/tried (results of")


def test_the_cache_may_lie_in_the_folder(tmp_path, painted, read, monkeypatch):
    for cache in ("cache", "old cache"):
        monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "set" / cache))
        for _ in range(2):
            assert read()[0] == painted


def test_images_beside_the_class_folders_are_said(tmp_path, painted, read):
    paint(tmp_path / "set" / "stray.png")
    assert read() == (painted, ("images beside the class folders, passed over: 1 ('stray.png')",))


def test_a_class_folder_without_images_says_what_it_holds(tmp_path, painted):
    (tmp_path / "set" / "cow").mkdir()
    (tmp_path / "set" / "cow" / "0.heic").write_bytes(b"unknown")
    text = refused("class folder without images", tmp_path)
    assert str(tmp_path / "set" / "cow") in text and "0.heic" in text and "classes: [" in text
    image_folder(root=tmp_path, path="set", classes=("ant", "bee"))


def test_names_in_notes_cannot_command_a_terminal(tmp_path, painted, read):
    (tmp_path / "set" / "ant" / "a\x1b[31m\nb.txt").write_text("")
    (note,) = read()[1]
    assert note.isprintable() and "\\x1b[31m\\nb.txt" in note

"""The cache: one decoding, damage found and repaired, two processes at once."""

import multiprocessing
import stat
from dataclasses import replace

import numpy as np
import pytest

from priorscope.data import cache_root, data_root, fingerprint
from priorscope.data._cache import Source, Split, cached, content_key
from priorscope.data._pixels import Tally
from priorscope.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 4, 4, 3), dtype=np.uint8)
LABELS = np.arange(10) % 2


def source():
    tally = Tally()

    def blocks():
        yield IMAGES[:7]
        yield IMAGES[7:]
        for index in (3, 5):  # what is counted while images are decoded is kept with them
            tally.count("turned", index)

    return Source((10, 4, 4), blocks(), LABELS, ("a", "b"), "png", tally)


class Counted:
    """A split that counts how often it is decoded."""

    def __init__(self):
        self.num_reads = 0
        self.split = Split((), lambda: "0123", self.read)

    def read(self):
        self.num_reads += 1
        return source()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def assert_right(found):
    images, encoding, tally = found
    np.testing.assert_array_equal(images.images, IMAGES)
    np.testing.assert_array_equal(images.labels, LABELS)
    assert images.class_names == ("a", "b") and encoding == "png"
    assert tally.counts == {"turned": 2} and tally.first == {"turned": 3}
    assert images.fingerprint == fingerprint(IMAGES, LABELS)


def test_decoded_once_then_mapped_read_only(cache):
    counted = Counted()
    assert_right(cached("some", counted.split))
    images, *_ = found = cached("some", counted.split)
    assert_right(found)
    assert counted.num_reads == 1
    assert isinstance(images.images, np.memmap) and not images.images.flags.writeable
    assert [path.name for path in cache.iterdir()] == ["some-0123"]
    names = {path.name for path in (cache / "some-0123").iterdir()}
    assert names == {"images.npy", "labels.npy", "meta.json"}


def shorten(path):
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"x")


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


def flip_last(path):
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def rename_a_class(path):
    path.write_text(path.read_text().replace('"a"', '"c"'))


def another_shape(path):
    np.save(path, np.load(path)[:-1])


DAMAGES = [
    ("images.npy", [shorten, lengthen, empty, remove, another_shape, flip_last]),
    ("labels.npy", [shorten, empty, remove, another_shape]),
    ("meta.json", [shorten, lengthen, empty, remove, rename_a_class]),
]


@pytest.mark.parametrize(("name", "damage"), [(n, d) for n, kinds in DAMAGES for d in kinds])
def test_damage_is_found_and_repaired(cache, name, damage):
    counted = Counted()
    cached("some", counted.split)
    damage(cache / "some-0123" / name)
    assert_right(cached("some", counted.split))
    assert counted.num_reads == 2
    assert [path.name for path in cache.iterdir()] == ["some-0123"]


def test_changed_labels_are_found(cache):
    counted = Counted()
    cached("some", counted.split)
    np.save(cache / "some-0123" / "labels.npy", 1 - LABELS)
    assert_right(cached("some", counted.split))


def test_a_failed_decoding_leaves_nothing(cache):
    def blocks():
        yield IMAGES[:7]
        raise InputError("image cannot be read")

    broken = Split((), lambda: "0123", lambda: replace(source(), blocks=blocks()))
    with pytest.raises(InputError, match="image cannot be read"):
        cached("some", broken)
    assert list(cache.iterdir()) == []
    assert_right(cached("some", Counted().split))


def test_unusable_cache_folder_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match="cannot be written") as caught:
        cached("some", Counted().split)
    assert str(tmp_path / "file") in str(caught.value)
    assert "PRIORSCOPE_CACHE" in str(caught.value.hint)


def load_with_others(barrier, results):
    def read():
        barrier.wait(timeout=30)  # every process finds no cache, then all write it
        return source()

    images, *_ = cached("some", Split((), lambda: "0123", read))
    results.put((images.fingerprint, int(images.images.sum())))


def test_processes_may_decode_at_once(cache):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(4), context.Queue()
    processes = [
        context.Process(target=load_with_others, args=(barrier, results)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    found = {results.get(timeout=30) for _ in processes}
    for process in processes:
        process.join(timeout=30)
        assert process.exitcode == 0
    assert found == {(fingerprint(IMAGES, LABELS), int(IMAGES.sum()))}
    assert [path.name for path in cache.iterdir()] == ["some-0123"]


def test_content_key_follows_content_order_and_salt(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"1")
    two.write_bytes(b"2")
    keys = [content_key(files, salt) for files, salt in [([one, two], "s"), ([two, one], "s")]]
    keys.append(content_key([one, two], "t"))
    two.write_bytes(b"3")
    keys.append(content_key([one, two], "s"))
    assert len(set(keys)) == 4
    two.write_bytes(b"2")
    one.touch()
    assert content_key([one, two], "s") == keys[0]
    with pytest.raises(InputError, match="cannot be read") as caught:
        content_key([tmp_path / "three"], "s")
    assert "three" in str(caught.value)


def test_cache_folders_follow_the_umask(cache):
    cached("some", Counted().split)
    (cache / "beside").mkdir()
    modes = {stat.S_IMODE((cache / name).stat().st_mode) for name in ("some-0123", "beside")}
    assert len(modes) == 1


def test_roots(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_DATA", str(tmp_path / "named"))
    assert data_root(tmp_path / "given") == tmp_path / "given"
    assert data_root() == tmp_path / "named"
    monkeypatch.delenv("PRIORSCOPE_DATA")
    assert data_root() == tmp_path / "cache" / "data"
    monkeypatch.delenv("PRIORSCOPE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root().name == "priorscope"
    assert data_root() == cache_root() / "data"

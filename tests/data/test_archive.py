"""Archives are extracted whole, and inside of their folder."""

import tarfile

import numpy as np
import pytest
from archives import archive

from priorscope.data._archive import extract
from priorscope.errors import InputError

CONTENT = np.random.default_rng(0).bytes(5_000)


def test_extract_replaces_what_is_there(tmp_path):
    path = archive(tmp_path / "a.tar.gz", [("folder/one", b"1"), ("folder/sub/two", b"2")])
    (tmp_path / "out" / "folder").mkdir(parents=True)
    (tmp_path / "out" / "folder" / "old").write_text("")
    assert extract(path, tmp_path / "out" / "folder") == tmp_path / "out" / "folder"
    found = sorted(p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.rglob("out/**/*"))
    assert found == ["folder", "folder/one", "folder/sub", "folder/sub/two"]
    assert (tmp_path / "out" / "folder" / "sub" / "two").read_bytes() == b"2"


def link(name, target):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return (name, info)


@pytest.mark.parametrize(
    "members",
    [
        [("../evil", b"")],
        [("folder/../../evil", b"")],
        [link("folder/up", "../../.."), ("folder/up/evil", b"")],
        [link("folder", "/etc")],
        [("other/one", b"1")],
    ],
)
def test_extract_stays_in_its_folder(tmp_path, members):
    path = archive(tmp_path / "a.tar.gz", members)
    with pytest.raises(InputError, match="archive") as caught:
        extract(path, tmp_path / "out" / "folder")
    assert caught.value.where == str(path)
    assert not list(tmp_path.rglob("evil")) and not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("keep", [0, 20, 100, 3000])
def test_extract_refuses_a_truncated_archive(tmp_path, keep):
    path = archive(tmp_path / "a.tar.gz", [("folder/one", CONTENT)])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="cannot be extracted"):
        extract(path, tmp_path / "out" / "folder")
    assert not list((tmp_path / "out").iterdir())

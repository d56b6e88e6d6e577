"""Downloads, against a server on loopback that misbehaves as told."""

import hashlib
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from archives import archive

from priorscope.data._carriers import KNOWN
from priorscope.data._download import download
from priorscope.data._fetch import fetch, verify
from priorscope.data._official import CIFAR10
from priorscope.errors import InputError

CONTENT = np.random.default_rng(0).bytes(900_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


@dataclass
class Server:
    """What the server does, and what it was asked."""

    url: str = ""
    content: bytes = CONTENT
    ranges: bool = True  # honours the Range header
    length: bool = True  # tells Content-Length
    cuts: list[int] = field(default_factory=list)  # connection n ends after cuts[n] bytes
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range


@contextmanager
def running(**behaviour):
    server = Server(**behaviour)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range")
            server.asked.append((self.path, asked))
            if "absent" in self.path:
                self.send_error(404)
                return
            start = int(asked[6:-1]) if asked and server.ranges else 0
            if start and start >= len(server.content):
                self.send_error(416)
                return
            body = server.content[start:]
            self.send_response(206 if asked and server.ranges else 200)
            if asked and server.ranges:
                size = len(server.content)
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            if server.length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: server.cuts.pop(0)] if server.cuts else body)

        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "new" / "file.bin"


def assert_only(target):
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_progress_and_nothing_twice(target):
    calls = []
    with running() as server:
        urls = [f"{server.url}/file"]
        assert download(urls, target, md5=MD5, on_progress=lambda *c: calls.append(c)) == target
        assert_only(target)
        done, totals = zip(*calls, strict=True)
        assert len(calls) > 2 and list(done) == sorted(done)
        assert done[-1] == len(CONTENT) and set(totals) == {len(CONTENT)}
        download(urls, target, md5=MD5)
        assert len(server.asked) == 1
        target.write_bytes(b"damaged")
        download(urls, target, md5=MD5)
        assert_only(target)


def test_unknown_length(target):
    calls = []
    with running(length=False) as server:
        download([f"{server.url}/file"], target, md5=MD5, on_progress=lambda *c: calls.append(c))
    assert calls[-1] == (len(CONTENT), None)
    assert_only(target)


def test_a_cut_connection_is_resumed(target):
    calls = []
    with running(cuts=[300_000, 100_000]) as server:
        download([f"{server.url}/file"], target, md5=MD5, on_progress=lambda *c: calls.append(c))
        assert [asked for _, asked in server.asked] == [None, "bytes=300000-", "bytes=400000-"]
    assert calls[-1] == (len(CONTENT), len(CONTENT))
    assert_only(target)


def test_a_later_call_resumes(target):
    with running(cuts=[300_000, 0]) as server:
        with pytest.raises(InputError, match="could not be downloaded") as caught:
            download([f"{server.url}/file"], target, md5=MD5)
        assert "300,000 of 900,000 bytes" in str(caught.value.found)
        assert not target.exists()
        download([f"{server.url}/file"], target, md5=MD5)
        assert server.asked[-1] == ("/file", "bytes=300000-")
    assert_only(target)


def test_a_server_that_ignores_range(target):
    with running(ranges=False, cuts=[300_000]) as server:
        download([f"{server.url}/file"], target, md5=MD5)
        assert [asked for _, asked in server.asked] == [None, "bytes=300000-"]
    assert_only(target)


@pytest.mark.parametrize("length", [1, 500_000, 900_000, 1_000_000])
def test_a_file_that_changed_is_fetched_from_its_start(target, length):
    target.parent.mkdir()
    target.with_name("file.bin.part").write_bytes(b"\0" * length)
    with running() as server:
        download([f"{server.url}/file"], target, md5=MD5)
        assert [asked for _, asked in server.asked] == [f"bytes={length}-", None]
    assert_only(target)


def test_a_whole_part_file_is_taken(target):
    target.parent.mkdir()
    target.with_name("file.bin.part").write_bytes(CONTENT)
    with running() as server:
        download([f"{server.url}/file"], target, md5=MD5)
        assert len(server.asked) == 1
    assert_only(target)


def test_next_mirror(target):
    with socket.socket() as closed:  # bound and not listening: refuses connections
        closed.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}/file"
        with running() as server, running(content=b"another file") as wrong:
            urls = [dead, f"{server.url}/absent", f"{wrong.url}/file", f"{server.url}/file"]
            download(urls, target, md5=MD5)
            assert [path for path, _ in server.asked] == ["/absent", "/file"]
            # After the wrong checksum nothing of the wrong file is used.
            assert server.asked[-1] == ("/file", None)
    assert_only(target)


def test_a_mirror_completes_what_another_began(target):
    with running(cuts=[300_000, 0]) as one, running() as two:
        download([f"{one.url}/file", f"{two.url}/file"], target, md5=MD5)
        assert two.asked == [("/file", "bytes=300000-")]
    assert_only(target)


def test_a_wrong_checksum_is_refused_and_nothing_stays(target):
    with running(content=b"another file") as server:
        urls = [f"{server.url}/file", f"{server.url}/absent"]
        with pytest.raises(InputError, match="could not be downloaded") as caught:
            download(urls, target, md5=MD5)
    found = str(caught.value.found)
    assert hashlib.md5(b"another file").hexdigest() in found and "HTTP 404" in found
    assert all(url in found for url in urls) and MD5 in str(caught.value)
    assert list(target.parent.iterdir()) == []


def test_a_silent_server_times_out(target):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file"
        with pytest.raises(InputError, match="could not be downloaded") as caught:
            download([url], target, md5=MD5, timeout_seconds=0.2)
    assert "timed out" in str(caught.value.found)


def test_only_http_and_a_writable_folder(target, tmp_path):
    (tmp_path / "secret").write_bytes(CONTENT)
    with pytest.raises(InputError, match="not an address"):
        download([f"file://{tmp_path}/secret"], target, md5=MD5)
    (tmp_path / "new").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="cannot write") as caught:
        download(["http://127.0.0.1:9/file"], target, md5=MD5)
    assert str(tmp_path / "new") in str(caught.value)


PICKLES = {"data_batch_1": b"one", "test_batch": b"two", "batches.meta": b"three"}


@pytest.fixture
def official(tmp_path, monkeypatch):
    """An official distribution of three small files, and its archive's bytes."""
    path = archive(
        tmp_path / "made.tar.gz", [(f"cifar-10-batches-py/{n}", c) for n, c in PICKLES.items()]
    )
    md5s = {name: hashlib.md5(content).hexdigest() for name, content in PICKLES.items()}
    parts = dict(zip(("train", "test", "meta"), ({n: m} for n, m in md5s.items()), strict=True))
    content = path.read_bytes()
    # The official address is none that a test could reach: a port without a server.
    url = "http://127.0.0.1:9/cifar-10-python.tar.gz"
    made = replace(CIFAR10, url=url, archive_md5=hashlib.md5(content).hexdigest(), files=parts)
    monkeypatch.setitem(KNOWN, "cifar10", made)
    return made, content


def test_fetch(tmp_path, official):
    _, content = official
    root = tmp_path / "root"
    folder = root / "cifar10" / "cifar-10-batches-py"
    with running(content=content) as server:
        mirrors = [f"{server.url}/pub/"]
        assert fetch("cifar10", root, mirrors=mirrors) == folder
        assert server.asked == [("/pub/cifar-10-python.tar.gz", None)]
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == PICKLES
        assert list(folder.parent.iterdir()) == [folder]
        assert fetch("cifar10", root, mirrors=mirrors) == folder
        assert len(server.asked) == 1
        (folder / "test_batch").write_bytes(b"damaged")
        (folder / "data_batch_1").unlink()
        assert fetch("cifar10", root, mirrors=mirrors) == folder
        assert len(server.asked) == 2
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == PICKLES
    assert list(folder.parent.iterdir()) == [folder]


def test_fetch_uses_an_archive_that_is_there(tmp_path, official):
    _, content = official
    (tmp_path / "cifar10").mkdir()
    given = tmp_path / "cifar10" / "cifar-10-python.tar.gz"
    given.write_bytes(content)
    folder = fetch("cifar10", tmp_path)
    assert {path.name for path in folder.iterdir()} == set(PICKLES)
    assert given.read_bytes() == content


def test_fetch_lists_what_each_mirror_gave(tmp_path, official):
    made, _ = official
    with running() as server, pytest.raises(InputError) as caught:
        fetch("cifar10", tmp_path, mirrors=[f"{server.url}/absent"])
    assert "HTTP 404" in str(caught.value.found) and made.url in str(caught.value.found)


def test_verify_official(tmp_path):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "test_batch").write_bytes(b"damaged")
    checks = {check.file.name: check for check in verify("cifar10", tmp_path)}
    assert len(checks) == 7
    assert checks["test_batch"].status == "wrong"
    assert hashlib.md5(b"damaged").hexdigest() in checks["test_batch"].detail
    assert checks["data_batch_3"].status == "missing"
    assert "54ebc095f3ab1f0389bbae665268c751" in checks["data_batch_3"].detail


def test_verify_of_other_carriers(tmp_path):
    path = tmp_path / "cifar10" / "train-00000-of-00001.parquet"
    path.parent.mkdir()
    path.write_bytes(b"truncated")
    wrong, missing = verify("cifar10", tmp_path)
    assert (wrong.file, wrong.status) == (path, "wrong") and "Parquet" in wrong.detail
    assert missing.status == "missing"


def test_names_and_absence(tmp_path):
    for call in (fetch, verify):
        with pytest.raises(InputError, match="unknown dataset") as caught:
            call("cifar1", tmp_path)
        assert caught.value.hint is not None and "cifar10" in caught.value.hint
    with pytest.raises(InputError, match="not found"):
        verify("cifar10", tmp_path)

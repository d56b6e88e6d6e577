"""Machines that lack what most have: processors to ask for, a home, signs, locks, short paths."""

import errno
import fcntl
import io
import os
import pwd
import shlex
import signal
import sys
import time
import warnings
from pathlib import Path

import pytest
import torch

from priorscope.api import trackers
from priorscope.cli import main, run_command
from priorscope.data import cache_root, data_root
from priorscope.errors import InputError, PriorscopeWarning, StorageFailed
from priorscope.execution._pool import Asked, check_threads
from priorscope.runs.environment import check_num_devices, choose_threads, num_processors
from priorscope.runs.locks import lock_run, locked, refuse_busy
from priorscope.runs.store import read_study

STUDY = """
name: t
data: {name: synthetic, num_train: 60, num_test: 20}
recipe: {epochs: 1, batch_size: 30}
models: {a: {name: linear}, b: {name: pixel_set_mlp}}
hypotheses:
  - {id: H, statement: "größer – ≥ 日本", contrast: {a: a, b: b}, probe: test, metric: top1,
     expect: equivalent, margin: 0.1}
"""


@pytest.fixture
def study(tmp_path) -> Path:
    (tmp_path / "t.yaml").write_text(STUDY, encoding="utf-8")
    return tmp_path / "t.yaml"


def test_without_a_call_that_tells_its_processors_all_of_the_machine_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert num_processors() == 6
    assert check_threads(Asked(num_threads=3), 2) == 3
    with pytest.raises(InputError, match="not as many processors"):
        check_threads(Asked(num_threads=4), 2)
    with pytest.raises(InputError, match="not as many devices"):
        check_num_devices(torch.device("cpu"), 7, 14)
    before = torch.get_num_threads()
    assert choose_threads() <= 6
    torch.set_num_threads(before)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert num_processors() == 1


def test_without_a_home_the_cache_is_among_temporary_files_and_a_tilde_is_refused(monkeypatch):
    def unknown(_):
        raise KeyError("no passwd entry")

    for name in ("HOME", "XDG_CACHE_HOME", "PRIORSCOPE_CACHE", "PRIORSCOPE_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert cache_root().is_absolute() and "~" not in str(cache_root())
    assert data_root() == cache_root() / "data"
    with pytest.raises(InputError, match="no home folder is known") as caught:
        data_root(Path("~/data"))
    assert caught.value.where == "--data-root"
    monkeypatch.setenv("PRIORSCOPE_CACHE", "~/cache")
    with pytest.raises(InputError, match="no home folder is known"):
        cache_root()


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_signs_that_a_terminal_lacks_are_replaced(study, tmp_path, monkeypatch, encoding):
    commands = [["check", str(study)]]
    if encoding == "ascii":  # it has the fewest signs; verdicts and what follows a training too
        commands.append(["run", str(study), "--out", str(tmp_path / "o"), "--device", "cpu"])
    before = signal.getsignal(signal.SIGTERM)
    for command in commands:
        said = io.BytesIO()
        stream = io.TextIOWrapper(said, encoding=encoding)
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
        with pytest.raises(SystemExit) as ended:
            main(command)
        stream.flush()
        signal.signal(signal.SIGTERM, before)
        assert ended.value.code == 0
        assert b"?" in said.getvalue() and b"study hash" in said.getvalue()


def test_folders_may_have_names_that_are_not_utf_8(study, tmp_path):
    out = Path(os.fsdecode(os.fsencode(tmp_path) + b"/gr\xf6\xdfe"))
    assert run_command(["run", str(study), "--out", str(out)]) == 0
    assert read_study(out)["command"].endswith(shlex.quote(str(out)))
    assert (out / "report" / "index.html").is_file()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP])
def test_where_a_file_system_has_no_locks_files_stand_for_them(tmp_path, monkeypatch, number):
    def no_locks(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.warns(PriorscopeWarning, match="has no locks"):
        lock = lock_run(tmp_path, "run")
    assert lock is not None
    with warnings.catch_warnings(action="ignore"):
        assert lock_run(tmp_path, "run") is None
        lock.release()
        refuse_busy(tmp_path)
        with locked(tmp_path), pytest.raises(InputError, match="another process"), locked(tmp_path):
            pass


def test_what_is_no_want_of_locks_is_said_as_before(tmp_path, monkeypatch):
    def fails(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", fails)
    with pytest.raises(InputError, match="cannot write there"), locked(tmp_path):
        pass


@pytest.mark.parametrize(
    ("number", "hint", "other"),
    [
        (errno.ENOSPC, "make room", "right to write"),
        (errno.EDQUOT, "make room", "right to write"),
        (errno.EACCES, "right to write", "make room"),
        (errno.EROFS, "right to write", "make room"),
    ],
)
def test_a_full_disk_and_a_forbidden_one_are_told_apart(number, hint, other):
    said = str(StorageFailed(OSError(number, os.strerror(number), "/some/file")))
    assert hint in said and other not in said and "/some/file" in said


def test_a_tracker_that_does_not_answer_is_waited_for_once(tmp_path, monkeypatch):
    asked = []

    def hangs(name, *_):
        asked.append(name)
        time.sleep(60)

    monkeypatch.setattr(trackers, "_open", hangs)
    monkeypatch.setattr(trackers, "_ANSWER_SECONDS", 0.2)
    logs = trackers.RunLogs(("wandb",), "study", tmp_path)
    runs = [type("Run", (), {"run_id": str(number)}) for number in range(3)]
    with pytest.warns(PriorscopeWarning, match="does not answer") as said:
        for run in runs:
            logs.open(run)
            logs.close(run)
    assert asked == ["wandb"] and len(said) == 1


def test_rays_sockets_get_a_short_path(monkeypatch):
    cluster = pytest.importorskip("priorscope.execution._ray_cluster")
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setenv("TMPDIR", "/tmp")
    assert cluster._place_of_sockets() == {}
    monkeypatch.setenv("TMPDIR", "/" + "long/" * 20)
    with pytest.warns(PriorscopeWarning, match="too long for Ray's sockets"):
        (place,) = cluster._place_of_sockets().values()
    longest = f"{place}/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store.10"
    assert len(longest) < 104  # what macOS has for it; Linux has 108

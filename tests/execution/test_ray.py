"""A Ray cluster on this machine: the bits of one process, also when workers are lost."""

import dataclasses
import json
import os
import socket
import sys
from pathlib import Path

import pytest

from priorscope.components import resolve
from priorscope.errors import InputError
from priorscope.execution import _worker
from priorscope.execution._pool import Asked

from .conftest import away, epochs, interrupted, weights

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'priorscope[ray]'")


@pytest.fixture(scope="module")
def cluster(small_once):
    """Start Ray on this machine."""
    os.environ.pop("RAY_ADDRESS", None)
    execute = resolve("executors", "ray", base=Path())
    with execute(Asked("cpu", num_jobs=2), small_once.study.recipe) as pool:
        yield pool


def test_lost_workers_are_replaced_and_nothing_changes(small, cluster, tmp_path):
    (small.flags / "itself").write_text("itself")  # the process that trains
    (small.flags / "starter").write_text("starter")  # Ray's own
    jobs = [away(job) for job in small.jobs(cluster, tmp_path / "out")]
    failed, told = small.execute(cluster, jobs)
    assert not failed
    assert weights(tmp_path / "out") == small.reference
    for model, events in told.items():
        kinds = [event["event"] for event in events]
        assert kinds.count("again") == (model != "plain")
        # No epoch is trained twice. What a worker told in its last moment may be lost with it; what
        # it wrote is not.
        heard = epochs(events)
        assert heard == sorted(set(heard)) and heard[-1] == 3
        assert model != "plain" or heard == [1, 2, 3]
        assert kinds[-1] == "finished"
    for metrics in (tmp_path / "out").glob("runs/*/metrics.jsonl"):
        lines = metrics.read_text().splitlines()
        assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3]


def test_interrupted_every_run_keeps_its_checkpoint(small, cluster, tmp_path):
    out = tmp_path / "out"
    jobs = small.jobs(cluster, out)
    interrupted(small, cluster, jobs)
    (small.flags / "itself").write_text("raise")
    failed, told = small.execute(cluster, jobs)
    assert failed == ["itself"]
    assert "no training today" in told["itself"][-1]["text"]
    found = weights(out)
    assert found == {run_id: small.reference[run_id] for run_id in found}
    assert len(found) == 2


def test_runs_that_wait_for_a_node_say_so(small, cluster, tmp_path, monkeypatch):
    from priorscope.execution import _ray_cluster

    monkeypatch.setattr(_ray_cluster, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(_ray_cluster, "_nodes", lambda: [{"GPU": 8.0}])
    failed, told = small.execute(cluster, small.jobs(cluster, tmp_path / "out"))
    assert not failed
    texts = [e["text"] for events in told.values() for e in events if e["event"] == "warning"]
    assert texts == ["no node of the Ray cluster has 1 CPUs any more: the runs wait for one"]


def test_a_worker_elsewhere_says_what_it_does_not_see(small, cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(_worker, "_SIGHT_SECONDS", 0.0)
    job = small.jobs(cluster, tmp_path / "out")[0]
    studies = _worker._Studies(tmp_path)
    for change, words in [
        ({"out": str(tmp_path / "not")}, "a worker does not see the output folder"),
        ({"mark": ("other", "date")}, "another study.json"),
        ({"fingerprints": {"train": "other"}}, "a worker has other data"),
        ({"run_id": "other"}, "no run other"),
    ]:
        with pytest.raises(InputError, match=words):
            studies.prepare(dataclasses.replace(job, **change), cluster.device)


def refusal(small, **options) -> str:
    execute = resolve("executors", "ray", base=Path())
    with pytest.raises(InputError) as caught, execute(Asked(**options), small.study.recipe):
        pass
    return str(caught.value)


def test_addresses_without_a_cluster_are_refused_at_once(small):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"127.0.0.1:{free.getsockname()[1]}"
    assert closed in refusal(small, address=closed)
    for address in ("ray://head:10001", "head", "head:port"):
        assert "HOST:PORT" in refusal(small, address=address)


def test_a_run_that_no_node_has_room_for_is_refused():
    from priorscope.execution._ray_cluster import _check_room

    nodes = [{"CPU": 8.0, "GPU": 2.0}, {"CPU": 64.0}]
    _check_room({"CPU": 2.0, "GPU": 2.0}, nodes)
    _check_room({"CPU": 64.0}, nodes)
    for needed in ({"CPU": 4.0, "GPU": 4.0}, {"CPU": 16.0, "GPU": 1.0}, {"CPU": 65.0}):
        with pytest.raises(InputError, match="no node of the Ray cluster has room"):
            _check_room(needed, nodes)


def test_without_ray_the_command_to_install_it_is_said(small, monkeypatch):
    monkeypatch.setitem(sys.modules, "priorscope.execution._ray_cluster", None)
    monkeypatch.delitem(sys.modules, "priorscope.execution._ray_cluster")
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "pip install 'priorscope[ray]'" in refusal(small)

"""The wall clock may jump: what a study computes and when it keeps its state do not hang on it."""

import itertools
import json
import time
from datetime import UTC, datetime, timedelta

from priorscope.runs import store
from priorscope.training.checkpoint import Checkpoints


def test_a_clock_that_runs_backwards_changes_no_result(
    run, expected, results, tmp_path, monkeypatch
):
    hours = itertools.count()
    monkeypatch.setattr(time, "time", lambda: 1e9 - 3600 * next(hours))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(store, "now", lambda: str(start - timedelta(hours=next(hours))))
    out = tmp_path / "out"
    assert run(out) == 0
    assert results(out) == expected
    (metrics,) = out.glob("runs/*/metrics.jsonl")
    assert all(json.loads(line)["seconds"] > 0 for line in metrics.read_text().splitlines())


def test_checkpoints_are_due_by_the_time_that_passed(tmp_path, monkeypatch):
    passed = itertools.accumulate(itertools.chain([100.0], itertools.repeat(20.0)))
    monkeypatch.setattr(time, "monotonic", lambda: next(passed))
    checkpoints = Checkpoints(tmp_path, every_seconds=50)
    checkpoints.save({}, step=1)
    for hour in (10, -10, 0):  # the wall clock goes where it likes
        monkeypatch.setattr(time, "time", lambda hour=hour: 1e9 + 3600 * hour)
        if hour:
            assert not checkpoints.due()
    assert checkpoints.due()

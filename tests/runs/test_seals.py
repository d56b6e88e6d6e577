"""Records and files of a run that are not what was written are refused, and older ones are read."""

import hashlib
import json
import re

import pytest

from priorscope.errors import InputError
from priorscope.runs.seals import check_file
from priorscope.runs.store import read_json, read_run, write_json

RECORD = {"run_id": "a-s0", "model": "a", "seed": 0, "n": 272474, "rate": 0.1, "é": ["x", None]}


def test_a_sealed_record_comes_back_and_no_changed_digit_passes(tmp_path):
    path = tmp_path / "run.json"
    write_json(RECORD, path, sealed=True)
    assert read_json(path, "run_id") == RECORD
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(r"\d", text):
        other = str((int(match[0]) + 1) % 10)
        path.write_text(text[: match.start()] + other + text[match.end() :], encoding="utf-8")
        with pytest.raises(InputError, match="changed since priorscope wrote it"):
            read_json(path)


def test_a_record_without_a_seal_is_read(tmp_path):
    write_json(RECORD, tmp_path / "run.json")
    assert read_json(tmp_path / "run.json") == RECORD


def test_another_runs_record_or_metrics_are_refused(tmp_path):
    folder, other = tmp_path / "a-s0", tmp_path / "a-s1"
    for each in (folder, other):
        each.mkdir()
        (each / "metrics.jsonl").write_text(json.dumps({"run": each.name}))
        digest = hashlib.sha256((each / "metrics.jsonl").read_bytes()).hexdigest()
        files = {"files": {"metrics.jsonl": digest}}
        write_json({**RECORD, "run_id": each.name, **files}, each / "run.json", sealed=True)
    record = read_run(folder)
    check_file(folder / "metrics.jsonl", record)
    (folder / "metrics.jsonl").write_bytes((other / "metrics.jsonl").read_bytes())
    with pytest.raises(InputError, match="another run's"):
        read_run(folder)
    (folder / "metrics.jsonl").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        read_run(folder)
    (folder / "run.json").write_bytes((other / "run.json").read_bytes())
    with pytest.raises(InputError, match="the record of another run"):
        read_run(folder)

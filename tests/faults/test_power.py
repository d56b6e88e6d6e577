"""A power cut may leave empty or halved files: such a run is made anew, and the others go on."""

import os
from pathlib import Path

import pytest

from priorscope.errors import PriorscopeWarning


def test_what_a_record_speaks_of_is_on_the_disk_before_it(run, tmp_path, monkeypatch):
    synced, missing, rename, sync = set(), [], Path.replace, os.fsync

    def fsync(number):
        synced.add(os.fstat(number).st_ino)
        sync(number)

    def replace(self, target):
        needed = [self] if Path(target).suffix == ".ckpt" else []
        if Path(target).name == "run.json":
            needed = [self, *(self.with_name(n) for n in ("model.safetensors", "metrics.jsonl"))]
        missing.extend(path for path in needed if path.stat().st_ino not in synced)
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    assert run(tmp_path / "out") == 0
    assert synced and not missing


def _empty(folder):
    (folder / "run.json").write_bytes(b"")


def _halve(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    (folder / "predictions" / "test.parquet").unlink()


def _change(folder):
    lines = (folder / "metrics.jsonl").read_text()
    (folder / "metrics.jsonl").write_text(lines.replace("1", "2", 1))


@pytest.mark.parametrize("damage", [_empty, _halve, _change])
def test_a_damaged_finished_run_is_made_anew_and_others_are_trained(
    damage, run, study, expected, results, tmp_path
):
    out = tmp_path / "out"
    assert run(out) == 0
    (folder,) = (out / "runs").iterdir()
    damage(folder)
    study.write_text(study.read_text() + "seeds: [0, 1]\n")
    with pytest.warns(PriorscopeWarning, match=f"{folder.name} is damaged and made anew"):
        assert run(out) == 0
    assert len(list(out.glob("runs/*/run.json"))) == 2
    (aside,) = (out / "damaged").iterdir()
    assert (aside / "model.safetensors").is_file()
    found = results(out)
    files = [name for name in expected if name.startswith("runs/")]
    assert files and all(found[name] == expected[name] for name in files)
    assert run(out) == 0  # nothing is left to say

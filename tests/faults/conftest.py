"""A study of seconds, and what it ends in when nothing goes wrong."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from priorscope.cli import run_command

STUDY = """
name: small
data: {name: synthetic, task: objects, num_train: 60, num_test: 40}
recipe: {batch_size: 20, epochs: 2}
models: {pixels: {name: linear}}
"""


@pytest.fixture
def study(tmp_path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(STUDY)
    return path


@pytest.fixture
def run(study):
    """Run the study, with a checkpoint after every step."""

    def call(out: Path) -> int:
        return run_command(["run", str(study), "--out", str(out), "--checkpoint-minutes", "0"])

    return call


@pytest.fixture(scope="session")
def results():
    """Return the function that reads weights and predictions bit by bit, and the scores."""
    return _results


@pytest.fixture(scope="session")
def expected(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("expected")
    (folder / "small.yaml").write_text(STUDY)
    assert run_command(["run", str(folder / "small.yaml"), "--out", str(folder / "out")]) == 0
    found = _results(folder / "out")
    shutil.rmtree(folder / "out")
    return found


def _results(out: Path) -> dict:
    files = [*out.glob("runs/*/*.safetensors"), *out.glob("runs/*/*/*.parquet")]
    assert len(files) >= 2
    found: dict = {str(path.relative_to(out)): path.read_bytes() for path in files}
    for table in ("scores", "estimates"):
        found[table] = pl.read_parquet(out / "analysis" / f"{table}.parquet").to_dicts()
    return found

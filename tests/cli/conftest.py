"""One small study, run once; tests that change it work on a copy."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from priorscope.cli import run_command


@dataclass
class Finished:
    """A study file and its output folder."""

    study: Path
    out: Path

    def again(self, *options: str) -> int:
        """Run the same command again, with more options."""
        return run_command(["run", str(self.study), "--out", str(self.out), *options])

    def add_model(self, name: str, code: str) -> None:
        """Add a model to the study, from a file beside it; it comes before `vit`."""
        (self.study.parent / f"{name}.py").write_text(code)
        text = self.study.read_text()
        listed = f"  {name}: {{name: ./{name}.py:{name}}}\n"
        self.study.write_text(text.replace("  vit:", f"{listed}  vit:"))


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory, tiny):
    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.yaml").write_text(tiny)
    made = Finished(folder / "tiny.yaml", folder / "out")
    assert made.again() == 0
    return made


@pytest.fixture
def finished(finished_once, tmp_path):
    """Return a copy of a finished study."""
    shutil.copytree(finished_once.study.parent, tmp_path / "copy")
    return Finished(tmp_path / "copy" / "tiny.yaml", tmp_path / "copy" / "out")


@pytest.fixture
def shell():
    """Run priorscope as a user does; returns the finished process."""

    def call(*arguments, **options):
        command = [sys.executable, "-m", "priorscope", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)

    return call

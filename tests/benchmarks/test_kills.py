"""The benchmark of kills, at the size of a test."""

import subprocess
import sys
from pathlib import Path

KILLS = Path(__file__).parents[2] / "benchmarks" / "kills.py"


def test_a_study_that_is_killed_ends_in_the_same_bits():
    command = [sys.executable, KILLS, "--kills", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "killed                               3 times" in done.stdout

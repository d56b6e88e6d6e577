"""The benchmark that spoils files, at the size of a test."""

import re
import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).parents[2] / "benchmarks" / "fuzz.py"


def test_nothing_spoilt_is_taken_for_sound():
    command = [sys.executable, FUZZ, "--studies", "150", "--files", "18", "--seed", "5000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| ([\w. -]+) \|" + r" (\d+) \|" * 5, done.stdout, re.MULTILINE)
    found = {name: tuple(map(int, counts)) for name, *counts in rows}
    assert sum(found["study file"]) == 150
    assert found["study file"][0] > 5 and found["study file"][2] > 50  # both kinds were met
    assert {sum(counts) for name, counts in found.items() if name != "study file"} == {1}
    assert len(found) == 19 and not any(counts[-1] for counts in found.values())

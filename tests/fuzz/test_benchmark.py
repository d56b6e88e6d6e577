"""The benchmark that spoils files, at the size of a test."""

import re
import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).parents[2] / "benchmarks" / "fuzz.py"


def test_nothing_spoilt_is_taken_for_sound():
    command = [sys.executable, FUZZ, "--studies", "150", "--files", "19", "--folders", "64"]
    command += ["--seed", "5000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| ([\w. -]+) \|" + r" (\d+) \|" * 5, done.stdout, re.MULTILINE)
    found = {name: tuple(map(int, counts)) for name, *counts in rows}
    assert sum(found["study file"]) == 150
    assert found["study file"][0] > 5 and found["study file"][2] > 50  # both kinds were met
    folders = {name: counts for name, counts in found.items() if "folder" in name}
    assert {sum(counts) for counts in folders.values()} == {8} and len(folders) == 8
    others = {name for name in found if name != "study file"} - set(folders)
    assert {sum(found[name]) for name in others} == {1} and len(others) == 19
    assert not any(counts[-1] for counts in found.values())

"""The benchmark that writes tables in the dialects of other tools, at the size of a test."""

import re
import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).parents[2] / "benchmarks" / "fuzz_tables.py"


def test_no_table_is_read_wrong():
    command = [sys.executable, FUZZ, "--tables", "200", "--seed", "7000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| [\w ]+ \|" + r" (\d+) \|" * 4, done.stdout, re.MULTILINE)
    right, told, refused, wrong = (sum(map(int, counts)) for counts in zip(*rows, strict=True))
    assert right + told + refused == 200 and wrong == 0
    assert right > 50 and told > 50 and refused < 50  # all kinds were met

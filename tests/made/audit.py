"""The script of the audit, run in this process, and what its numbers are checked with."""

import itertools
import runpy
import sys
from fractions import Fraction
from math import comb
from pathlib import Path
from statistics import NormalDist

AUDIT = Path(__file__).parents[2] / "results" / "report_audit"
MODELS = ("ResNet50", "ViT", "Local ViT")
PAIRS = list(itertools.combinations(MODELS, 2))
z = NormalDist().inv_cdf


def run(*arguments) -> int:
    """Run the script as its command does, but in this process, which has imported so much."""
    argv, path, modules = sys.argv, sys.path.copy(), set(sys.modules)
    sys.argv, sys.path[:0] = ["make.py", *map(str, arguments)], [str(AUDIT)]
    try:
        runpy.run_path(str(AUDIT / "make.py"), run_name="__main__")
    except SystemExit as done:
        assert isinstance(done.code, int)
        return done.code
    finally:
        sys.argv, sys.path[:] = argv, path
        for name in {file.stem for file in AUDIT.glob("*.py")} & (set(sys.modules) - modules):
            del sys.modules[name]
    raise AssertionError("the script ends with an exit code")


def number(row, key) -> float:
    return float(row[key])


def pair_rows(rows):
    return {(row["a"], row["b"]): row for row in rows}


def two_sided(n: int, hits: int, chance: Fraction) -> float:
    """Sum the probabilities of all counts that are at most as probable, in exact arithmetic."""
    pmf = [comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(n + 1)]
    return float(sum(p for p in pmf if p <= pmf[hits]))


def holm(p_values):
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, so_far = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        so_far = max(so_far, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = so_far
    return adjusted


def split_page(text: str) -> tuple[str, str]:
    page, heading, made_with = text.partition("## Command, versions, hardware, date")
    assert heading
    return page, made_with

"""Attack the inference with an adversary's simulation, and count what does not hold.

    python benchmarks/adversary.py [--studies 2000] [--quick] [--only PATTERN] [--jobs 2]

The studies are made by a generator of its own (`adversary_networks`: effects add up on logits,
images are skewed in difficulty, networks have tastes and views of images and of clusters) and
judged by the public functions of `priorscope.stats` alone. Every kind of row has a file, which says
what is simulated and what it must reach. Rates are in percent, in brackets where nothing is asked
of them; the last lines of a table take rows together. A row fails, `!`, where the 99 % limit of its
simulated rate lies beyond the bound: at 2,000 studies a rate of at most 6 % fails from 7.3 % on.
Exits 1 where a row fails. The same seed gives the same numbers, whatever the number of jobs and
whatever other rows are simulated.

`--quick` simulates fewer studies of every eleventh row of a table, within about a minute.
"""

import argparse
import gc
import multiprocessing
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from itertools import groupby, repeat

import adversary_contrasts
import adversary_crossings
import adversary_decisions
import adversary_given
import adversary_humps
import adversary_matched
import adversary_multipliers
import adversary_pairs
from adversary_rows import Row, Tally, simulate, tables

from priorscope.runs.environment import describe

KINDS = (
    adversary_contrasts,
    adversary_given,
    adversary_humps,
    adversary_decisions,
    adversary_matched,
    adversary_crossings,
    adversary_multipliers,
    adversary_pairs,
)
QUICK_STUDIES, QUICK_EVERY = 100, 11  # 11 so that every column takes several of its values


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--studies", type=int, help="of each row; 2000, or 100 with --quick")
    parser.add_argument("--quick", action="store_true", help="fewer studies of few rows")
    parser.add_argument("--only", default="", metavar="PATTERN", help="of rows' kinds and columns")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    num_studies = arguments.studies or (QUICK_STUDIES if arguments.quick else 2000)
    rows = [row for row in all_rows().values() if re.search(arguments.only, row.name)]
    if arguments.quick:
        tables_of_rows = [list(of_kind) for _, of_kind in groupby(rows, key=lambda row: row.kind)]
        rows = [row for of_kind in tables_of_rows for row in of_kind[::QUICK_EVERY]]
    if not rows:
        parser.error(f"no row's name has {arguments.only!r}")
    started, num_failing = time.perf_counter(), 0
    for table, failing in tables(rows, _tallies(rows, num_studies, arguments)):
        print(table, flush=True)
        num_failing += failing
    minutes = (time.perf_counter() - started) / 60
    print(
        f"{num_studies} studies a row, seed {arguments.seed}, {minutes:.1f} minutes\n{describe()}"
    )
    print(f"{num_failing} of {len(rows)} rows fail")
    return 1 if num_failing else 0


@lru_cache
def all_rows() -> dict[str, Row]:
    """List the rows of all kinds by their names."""
    rows = {row.name: row for kind in KINDS for row in kind.rows()}
    assert len(rows) == sum(1 for kind in KINDS for _ in kind.rows()), "two rows have one name"
    return rows


def _tallies(
    rows: Sequence[Row], num_studies: int, arguments: argparse.Namespace
) -> Iterator[Tally]:
    """Simulate rows in their order, several at once."""
    names = [row.name for row in rows]
    repeated = repeat(num_studies), repeat(arguments.seed)
    if arguments.jobs == 1:
        yield from map(_simulated, names, *repeated)
        return
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(threads, "1")
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.jobs, mp_context=fresh) as pool:
        yield from pool.map(_simulated, names, *repeated)


def _simulated(name: str, num_studies: int, seed: int) -> Tally:
    gc.freeze()  # statsmodels collects garbage in each call of `holm`: 0.2 s beside torch's objects
    return simulate(all_rows()[name], num_studies, seed)


if __name__ == "__main__":
    sys.exit(main())

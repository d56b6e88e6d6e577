"""Spoil study files and data at random, and count what becomes of them.

    python benchmarks/fuzz.py --studies 1000 --folders 1000 --files 200

A spoilt study file must be valid still, or be refused by an `InputError` (exit code 2), in bounded
time and memory and with a message that a terminal can show. A folder of images must be read as it
was made, however odd (`fuzz_folders.py`), or be refused where it can be read in two ways. A spoilt
file of data or of an output folder must be refused, or be made again, or say what the unspoilt one
said; a study that is brought to its end again must end in the numbers of one that was never spoilt.
"Other data" are images that nothing can tell from sound ones (a JPEG has no checksum): their
fingerprint differs, and runs with two fingerprints are never compared. The table has a row for each
kind; exits 1 where anything is wrong, and says with which seed it can be had again.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

from fuzz_files import KINDS, Folders, outcome_of_file
from fuzz_folders import MUTATIONS, read_folder
from fuzz_judge import judge
from fuzz_studies import outcome_of_study, spoilt

from priorscope.runs.environment import describe

OUTCOMES = ("valid", "other data", "refused", "recovered", "wrong")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--folders", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    counts: dict[str, Counter[str]] = {}
    seconds: Counter[str] = Counter()

    def count(kind: str, seed: int, outcome: tuple[str, str], took: float) -> None:
        word, why = outcome
        counts.setdefault(kind, Counter())[word] += 1
        seconds[kind] += took  # type: ignore[assignment]
        if word == "wrong":
            print(f"{kind}, seed {seed}: {why}", file=sys.stderr)

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for seed in range(arguments.seed, arguments.seed + arguments.studies):
            content, started = spoilt(seed), time.perf_counter()
            outcome = outcome_of_study(content, folder)
            count("study file", seed, outcome, time.perf_counter() - started)
        for number in range(arguments.folders):
            name, seed = list(MUTATIONS)[number % len(MUTATIONS)], arguments.seed + number
            started = time.perf_counter()
            outcome = judge(partial(read_folder, name, folder, seed))
            count(name, seed, outcome, time.perf_counter() - started)
        if not arguments.files:
            return report(counts, seconds)
        folders = Folders(folder)
        for number in range(arguments.files):
            name = list(KINDS)[number % len(KINDS)]
            started, seed = time.perf_counter(), arguments.seed + number
            outcome = outcome_of_file(KINDS[name], folders, seed)
            count(name, seed, outcome, time.perf_counter() - started)
    return report(counts, seconds)


def report(counts: dict[str, Counter[str]], seconds: Counter[str]) -> int:
    print(f"| spoilt | {' | '.join(OUTCOMES)} | seconds |")
    print("|---|" + "---:|" * (len(OUTCOMES) + 1))
    for kind, found in counts.items():
        numbers = " | ".join(str(found[word]) for word in OUTCOMES)
        print(f"| {kind} | {numbers} | {seconds[kind]:.1f} |")
    print(f"\n{describe()}")
    return 1 if any(found["wrong"] for found in counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

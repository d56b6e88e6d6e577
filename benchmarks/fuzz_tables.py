"""Write labels and predictions in the dialects of other tools, and count how they are read.

    python benchmarks/fuzz_tables.py --tables 1000

Every pair of files holds what is known: how many examples and classes there are, and how many
predictions are right. pandas, NumPy, polars, Arrow and a writer by hand put it down with headers
and indices, in encodings and with decimal signs of any kind, with labels beside probabilities,
class ids that start at 1, names for ids, rows in other orders. `priorscope score` must find these
numbers, or refuse; what it refuses with an option is tried again with that option, as the truth has
it. Nothing may be read wrong, and nothing may end in a traceback. Exits 1 otherwise, and says with
which seed.
"""

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fuzz_judge import LONGEST_MESSAGE, bounded
from table_writers import WRITERS, NotWritten, Part, Rng, index_of, pick, rows_of

from priorscope.analysis import Settings
from priorscope.analysis.external import score_files
from priorscope.errors import InputError
from priorscope.runs.environment import describe
from priorscope.tables import Reading

OUTCOMES = ("right", "right when told", "refused", "wrong")
SETTINGS = Settings(num_resamples=20)
CLASS_NAMES = ["cat", "dog", "bird", "ant", "zebra", "größe", "horse", "ship", "cow", "elk", "fox"]
MOST_ASKED = 6


@dataclass
class Case:
    """Labels and predictions, and what is to be found in them."""

    labels: Part
    answers: Part
    form: str
    num_classes: int
    estimate: float
    truth: dict[str, Any]
    readable: bool = True


def case_of(rng: Rng) -> Case:
    """Draw labels and predictions whose score is known."""
    n, k = int(pick(rng, rng.integers(5, 12), rng.integers(12, 60))), int(rng.integers(2, 12))
    form, rows = rows_of(rng, n, k)
    said = rows.argmax(axis=1)
    tied = rows == rows.max(axis=1, keepdims=True)
    targets = np.where(rng.random(n) < 0.6, said, rng.integers(k, size=n))
    kind = pick(rng, *["ids"] * 6, "from 1", "from 1", "names", "names", "one-hot", "dates")
    kind_of_answers = pick(rng, "rows", "rows", "rows", "ids", "renamed")
    order = [str(name) for name in rng.permutation(CLASS_NAMES)[:k]]
    columns = pick(rng, None, "p{}", "class_{}")
    names = None if columns is None else [columns.format(i) for i in range(k)]
    if kind == "names" and kind_of_answers != "ids":
        names = pick(rng, order, None)
        order = order if names else sorted(order)
    elif kind_of_answers == "renamed":  # by numbers, in another order
        moved = rng.permutation(k)
        form_of_name = pick(rng, "{}", "p{}")
        rows, names = rows[:, moved], [form_of_name.format(i) for i in moved]
    first = int(kind == "from 1")
    truth = {"first_class": first, "num_classes": k, "class_names": tuple(order)}
    known = {"ids": targets, "from 1": targets + 1, "names": np.array(order)[targets]}
    known |= {"one-hot": np.eye(k)[targets]}
    known |= {"dates": 20260101 + rng.integers(10_000, size=n)}
    if kind_of_answers == "ids":
        values = np.array(order)[said] if kind == "names" else said + first
        answers = Part(values, [pick(rng, "prediction", "y_pred", "label")])
    else:
        named = kind_of_answers == "renamed" or (kind == "names" and names is not None)
        answers = Part(rows, names, named=named)
    if kind_of_answers == "ids" and kind != "one-hot":  # nothing else says how many there are
        seen = np.unique(np.concatenate([said, targets]))
        contiguous = len(seen) == seen.max() + 1
        k = len(seen) if kind == "names" or contiguous else k
    named = pick(rng, "label", "label", "target", "y", "class", None)  # None: pandas' 0
    labels = Part(known[kind], None if kind == "one-hot" or named is None else [named])
    add_columns(rng, labels, answers, targets + first)
    truth |= add_rows(rng, labels, answers)
    if kind_of_answers == "ids":
        estimate = float(np.mean(said == targets))
    else:  # where classes tie, the expectation over which of them is taken
        estimate = float(np.mean(tied[np.arange(n), targets] / tied.sum(axis=1)))
    return Case(labels, answers, form, k, estimate, truth, readable=kind != "dates")


def add_columns(rng: Rng, labels: Part, answers: Part, targets: np.ndarray) -> None:
    """Put columns beside the classes that are none."""
    n = len(targets)
    if rng.random() < 0.15:
        labels.extra["image"] = np.array([f"{i}.png" for i in range(n)])
        labels.front, labels.named = ("image",), True
    if rng.random() < 0.25 and answers.values.ndim == 2:
        name = pick(rng, "label", "target", "y_true")
        answers.extra[name] = targets
        answers.front = pick(rng, (), (name,))
    if rng.random() < 0.1 and answers.values.ndim == 2 and answers.names:
        answers.extra["confidence"] = answers.values.max(axis=1)
        answers.named = True


def add_rows(rng: Rng, labels: Part, answers: Part) -> dict[str, Any]:
    """Return the rows indices or ids, and say by which they belong together."""
    n = len(labels.values)
    kind = pick(rng, "none", "none", "indices", "indices", "one index", "ids", "shuffled index")
    if kind == "none":
        return {}
    if kind == "indices":
        labels.index, answers.index = index_of(rng, n), index_of(rng, n)
    elif kind == "one index":
        labels.index = answers.index = index_of(rng, n)
    else:
        keys = np.array([f"{rng.integers(100):02}-{i}" for i in range(n)])
        keys = pick(rng, keys, rng.permutation(10 * n)[:n])
        labels.named = answers.named = True
        if kind == "ids":
            labels.extra["id"] = answers.extra["id"] = keys
        else:
            labels.index = answers.index = pd.Index(keys)
        shuffle(answers, rng.permutation(n))
        return {"match_rows": "ids"}
    return {"match_rows": "order"}


def shuffle(part: Part, rows: np.ndarray) -> None:
    part.values = part.values[rows]
    part.extra = {name: column[rows] for name, column in part.extra.items()}
    part.index = None if part.index is None else part.index[rows]


def outcome_of(seed: int, folder: Path) -> tuple[str, str, str]:
    """Write a case, read it, and say by whom it was written, what became of it, and why."""
    rng = np.random.default_rng(seed)
    for path in folder.iterdir():
        path.unlink()
    while True:
        case = case_of(rng)
        try:
            paths, by = [], ""
            for part, name in ((case.labels, "labels"), (case.answers, "answers")):
                by = pick(rng, *WRITERS)
                writer, suffixes = WRITERS[by]
                paths.append(folder / f"{name}.{pick(rng, *suffixes)}")
                writer(part, paths[-1], rng, case.form)
            break
        except (NotWritten, UnicodeEncodeError):
            continue
    return by, *judge(case, paths)


def judge(case: Case, paths: list[Path]) -> tuple[str, str]:
    told: dict[str, Any] = {}
    probabilities = None
    for _ in range(MOST_ASKED):
        try:
            with bounded():
                found = score_files(
                    paths[0],
                    {"net": paths[1]},
                    metric="top1",
                    probabilities=probabilities,
                    reading=Reading(**told),
                    settings=SETTINGS,
                )
        except InputError as error:
            message = str(error)
            if len(message) > LONGEST_MESSAGE:
                return "wrong", f"a message of {len(message)} letters"
            if "--no-probabilities" in (error.hint or ""):
                probabilities = False
                continue
            answer = answer_to(error, case, paths)
            if all(told.get(option) == value for option, value in answer.items()):
                return "refused", message
            told |= answer
            continue
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return "wrong", f"{type(error).__name__}: {error}"
        right = (len(case.labels.values), case.num_classes, round(case.estimate, 9))
        score = found["models"]["net"]["estimate"]
        read = (found["num_examples"], found["num_classes"], round(score, 9))
        if not case.readable or read != right:
            return "wrong", f"{read} in place of {right}, told {told}, notes {found['notes']}"
        return ("right when told" if told else "right"), ""
    return "refused", f"asked again and again, told {told}"


def answer_to(error: InputError, case: Case, paths: list[Path]) -> dict[str, Any]:
    """Answer with the option that a message names, as the truth has it."""
    hint, where = error.hint or "", error.where or ""
    asked = case.labels if where.startswith(str(paths[0])) else case.answers
    answer: dict[str, Any] = {}
    if "--header" in hint:
        answer["header"] = asked.truth.get("header", False)
    if "--skip-columns" in hint:
        parts = zip(paths, (case.labels, case.answers), strict=True)
        skipped = [f"{path}:{name}" for path, part in parts for name in part.truth["skip"]]
        answer["skip_columns"] = (*skipped, "none")
    if "--decimal" in hint and asked.truth.get("decimal"):
        answer["decimal"] = asked.truth["decimal"]
    for option in ("first_class", "num_classes", "class_names", "match_rows"):
        if f"--{option.replace('_', '-')}" in hint and option in case.truth:
            answer[option] = case.truth[option]
    return answer


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tables", type=int, default=1000, help="pairs of files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show-refused", action="store_true")
    arguments = parser.parse_args()
    counts: dict[str, Counter[str]] = {by: Counter() for by in WRITERS}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.seed, arguments.seed + arguments.tables):
            by, word, why = outcome_of(seed, Path(folder))
            counts[by][word] += 1
            if word == "wrong" or (arguments.show_refused and word == "refused"):
                print(f"seed {seed}, {by}, {word}: {why}", file=sys.stderr)
    print(f"| predictions written by | {' | '.join(OUTCOMES)} |")
    print("|---|" + "---:|" * len(OUTCOMES))
    for by, found in counts.items():
        print(f"| {by} | {' | '.join(str(found[word]) for word in OUTCOMES)} |")
    print(f"\n{describe()}")
    return 1 if any(found["wrong"] for found in counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

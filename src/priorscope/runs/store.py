"""A study's output folder: what lies where, and writing that never leaves a half-written file."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from priorscope.errors import InputError
from priorscope.runs.earlier import other_code, other_weights
from priorscope.runs.locks import locked, refuse_busy
from priorscope.runs.seals import SEAL, check_file, json_digest
from priorscope.study.hypotheses import digests
from priorscope.study.plan import Run
from priorscope.study.spec import Study

# What makes two studies different ones. Models, seeds, levels, probes and hypotheses may be added
# to a study that has results: every run carries its own hash, so nothing old passes for new.
IDENTITY = ("data", "recipe")
DAMAGED = "damaged"  # beside `runs`: runs that were set aside, see `study/finished.py`
_STUDY_KEYS = ("plan", "study")
_RUN_KEYS = ("model", "seed")


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def run_folder(out: Path, run: Run) -> Path:
    """Say where a run's files lie."""
    return out / "runs" / run.run_id


def is_finished(out: Path, run: Run) -> bool:
    """Tell whether a run has been trained to its end (`run.json` is written last)."""
    return (run_folder(out, run) / "run.json").is_file()


def write_json(value: Mapping[str, Any], path: Path, *, sealed: bool = False) -> None:
    """Write JSON beside its place and rename it into it.

    `sealed` adds a digest of what it says, and waits until it is on the disk.
    """
    if sealed:
        value = {**value, SEAL: json_digest(value)}
    _write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", path, wait=sealed)


def write_lines(values: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write JSON lines beside their place and rename them into it."""
    _write_text("".join(json.dumps(value) + "\n" for value in values), path)


def _write_text(text: str, path: Path, *, wait: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".partial")
    # Names of folders that are no UTF-8 are written as JSON escapes them, and read back the same.
    beside.write_text(text, encoding="utf-8", errors="backslashreplace")
    if wait:
        on_disk(beside)
    beside.replace(path)


def on_disk(path: Path) -> None:
    """Wait until what was written to a file is on the disk, where a power cut leaves it alone."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def read_json(path: Path, *required: str) -> dict[str, Any]:
    """Read a JSON object that has the required keys, and says what it said when it was sealed.

    Raises
    ------
    InputError : no such file, damaged, or a key is missing
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("cannot be read", where=path, found=error) from None
    missing = [key for key in required if key not in value] if isinstance(value, dict) else required
    if not isinstance(value, dict) or missing:
        raise InputError(
            "not what priorscope writes",
            where=path,
            found=f"without {', '.join(missing)}" if missing else type(value).__name__,
            hint="damaged: set the folder aside with --fresh, or remove the run's own folder",
        )
    seal = value.pop(SEAL, None)
    if seal is not None and seal != json_digest(value):
        raise InputError(
            "changed since priorscope wrote it",
            where=path,
            found=f"its digest is {json_digest(value)}",
            allowed=str(seal),
            hint="damaged: set the folder aside with --fresh, or remove the run's own folder",
        )
    return value


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines, each an object; none where there is no file.

    Raises
    ------
    InputError : damaged
    """
    if not path.is_file():
        return []
    try:
        lines = [json.loads(line) for line in path.read_bytes().splitlines() if line]
    except (ValueError, RecursionError) as error:
        raise InputError("file is not JSON lines", where=path, found=error) from None
    for line in lines:
        if not isinstance(line, dict):
            raise InputError("a line is no object", where=path, found=line)
    return lines


def recorded_plan(record: Mapping[str, Any], budget: float = 1.0) -> list[dict[str, Any]]:
    """Return the planned runs of a `study.json`; at another budget than 1 those of `stability`."""
    return record["plan"] if budget == 1 else record.get("budget_plan", [])


def read_study(out: Path) -> dict[str, Any]:
    """Read `study.json`.

    Raises
    ------
    InputError : as `read_json`
    """
    return read_json(out / "study.json", *_STUDY_KEYS)


def read_run(folder: Path) -> dict[str, Any]:
    """Read a finished run's `run.json`.

    Raises
    ------
    InputError : as `read_json`, it is another run's, or `metrics.jsonl` is not what was written
    """
    record = read_json(folder / "run.json", *_RUN_KEYS)
    if record.get("run_id", folder.name) != folder.name:
        raise InputError(
            "the record of another run",
            where=folder / "run.json",
            found=record["run_id"],
            allowed=folder.name,
            hint=f"remove {folder} and run the study again",
        )
    check_file(folder / "metrics.jsonl", record)
    return record


def check_folder(out: Path, study: Study) -> None:
    """Refuse an output folder that holds something else than this study.

    Raises
    ------
    InputError : another study's results, or a folder with foreign files
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError("the output is not a folder", where="--out", found=out)
    if not (out / "study.json").is_file():
        _refuse_foreign(out)
        return
    stored = read_json(out / "study.json", "name", "hash", "created", "history", "study")
    differing = [
        f"{section}.{key}"
        for section in IDENTITY
        for key in sorted(set(stored["study"][section]) | set(study.as_dict()[section]))
        if stored["study"][section].get(key) != study.as_dict()[section].get(key)
    ]
    if stored["name"] != study.name:
        differing.insert(0, f"name ({stored['name']}, not {study.name})")
    if differing:
        raise InputError(
            "the output folder belongs to another study",
            where=out,
            found=f"these differ: {', '.join(differing)}",
            hint="choose another --out, or --fresh to set the old results aside and start anew",
        )


def _refuse_foreign(out: Path) -> None:
    # What was cut off while the study was written for the first time is no stranger's.
    if any(file.name not in (".lock", "study.json.partial") for file in out.iterdir()):
        raise InputError(
            "the output folder holds files, but no study",
            where="--out",
            found=out,
            allowed="a new or empty folder, or that of an earlier run of this study",
        )


def set_aside(out: Path) -> Path | None:
    """Rename an existing output folder, so that `--fresh` destroys nothing.

    Raises
    ------
    InputError : the folder is no output of priorscope, or another process is working in it
    """
    out = out.resolve()
    if not out.exists():
        return None
    if not (out / "study.json").is_file():
        _refuse_foreign(out)
    for number in range(1, 10_000):
        aside = out.with_name(f"{out.name}.old{number}")
        if not aside.exists():
            with locked(out):
                refuse_busy(out)
                shutil.move(out, aside)
            return aside
    raise InputError("too many folders set aside", where=out)


def open_study(out: Path, study: Study, runs: Sequence[Run], *, about: Mapping[str, Any]) -> None:
    """Store the study and its hash before anything is trained.

    `about` has the command, versions, hardware and data of this invocation. What an earlier
    invocation stored stays in `history` with its date, so that a report can say what changed, and
    whether any run had begun by then.

    Raises
    ------
    InputError : runs have begun, and the images of a cell are no longer those that they saw
    """
    history: list[dict[str, Any]] = []
    created = now()
    planned = [_planned(run) for run in runs if run.budget == 1]
    state = {
        "hash": study.hash,
        "results": any(out.glob("runs/*/metrics.jsonl"))
        or any(out.glob("runs/*/run.json"))
        or (out / DAMAGED).is_dir(),
        "hypotheses": digests(study.as_dict()["hypotheses"]),
    }
    if (out / "study.json").is_file():
        stored = read_json(out / "study.json", "name", "hash", "created", "history", "study")
        _refuse_other_data(out, stored, about)
        history, created = stored["history"], stored["created"]
        before, after = stored["study"], study.as_dict()
        changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        if "models" not in changed and other_code(stored["plan"], planned):
            changed.append("code")
        if "models" not in changed and other_weights(stored["plan"], planned):
            changed.append("weights")
        if changed or stored["hash"] != study.hash:
            history = [*history, {"date": now(), "changed": changed, **state}]
    else:
        history = [{"date": created, "changed": [], **state}]
    at_part = [_planned(run) | {"budget": run.budget} for run in runs if run.budget != 1]
    write_json(
        {
            "name": study.name,
            "description": study.description,
            "hash": study.hash,
            "created": created,
            "history": history,
            "study": study.as_dict(),
            "plan": planned,
            **({"budget_plan": at_part} if at_part else {}),
            **about,
        },
        out / "study.json",
        sealed=True,
    )
    _write_text(study.text, out / "study.yaml")


def _planned(run: Run) -> dict[str, Any]:
    plain: dict[str, Any] = {"run_id": run.run_id, "model": run.model, "seed": run.seed}
    plain |= {"levels": dict(run.levels)} if run.levels else {}
    return plain | ({} if run.weights is None else {"weights": run.weights})


def _refuse_other_data(out: Path, stored: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    if not any(out.glob("runs/*/*")):
        return
    before, after = _fingerprints(stored), _fingerprints(about)  # a new cell is no change
    for cell in before.keys() & after.keys():
        if changed := [part for part, of in before[cell].items() if after[cell].get(part) != of]:
            raise InputError(
                "the data changed since the runs of this folder were begun",
                where=out,
                found=f"other {' and '.join(changed)} images" + (f" of {cell}" if cell else ""),
                allowed=", ".join(f"{part} {before[cell][part]}" for part in changed),
                hint="bring the old data back, or --fresh to set the results aside and start anew",
            )


def _fingerprints(about: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return cell -> part of its images -> fingerprint."""
    named = {entry["cell"]: entry["data"] for entry in about.get("cells", [])}
    return {
        cell: {
            part: value["fingerprint"]
            for part, value in data.items()
            if isinstance(value, Mapping) and "fingerprint" in value
        }
        for cell, data in (named or {"": about.get("data", {})}).items()
    }

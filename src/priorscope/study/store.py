"""A study's output folder: what lies where, and writing that never leaves a half-written file."""

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from priorscope.errors import InputError
from priorscope.study.plan import Run
from priorscope.study.spec import Study

# What makes two studies different ones. Models, seeds, probes and hypotheses may be added to a
# study that has results: every run carries its own hash, so nothing old passes for new.
IDENTITY = ("data", "recipe")


def now() -> str:
    """Give the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def run_folder(out: Path, run: Run) -> Path:
    """Say where a run's files lie."""
    return out / "runs" / run.run_id


def is_finished(out: Path, run: Run) -> bool:
    """Tell whether a run has been trained to its end (`run.json` is written last)."""
    return (run_folder(out, run) / "run.json").is_file()


def write_json(value: Mapping[str, Any], path: Path) -> None:
    """Write JSON beside its place and rename it into it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".partial")
    beside.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    InputError : no such file, or damaged
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("cannot be read", where=path, found=error) from None
    if not isinstance(value, dict):
        raise InputError("not what priorscope writes", where=path, found=type(value).__name__)
    return value


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
        if any(out.iterdir()):
            raise InputError(
                "the output folder holds files, but no study",
                where="--out",
                found=out,
                allowed="a new or empty folder, or that of an earlier run of this study",
            )
        return
    stored = read_json(out / "study.json")
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


def set_aside(out: Path) -> Path | None:
    """Rename an existing output folder, so that `--fresh` destroys nothing."""
    if not out.exists():
        return None
    for number in range(1, 10_000):
        aside = out.with_name(f"{out.name}.old{number}")
        if not aside.exists():
            shutil.move(out, aside)
            return aside
    raise InputError("too many folders set aside", where=out)


def open_study(out: Path, study: Study, runs: Sequence[Run], *, about: Mapping[str, Any]) -> None:
    """Store the study and its hash before anything is trained.

    `about` has the command, versions, hardware and data of this invocation. What an earlier
    invocation stored stays in `history` with its date, so that a report can say what changed.
    """
    history: list[dict[str, Any]] = []
    created = now()
    if (out / "study.json").is_file():
        stored = read_json(out / "study.json")
        history, created = stored["history"], stored["created"]
        if stored["hash"] != study.hash:
            before, after = stored["study"], study.as_dict()
            changed = [key for key in after if before.get(key) != after[key]]
            history = [*history, {"date": now(), "hash": study.hash, "changed": changed}]
    else:
        history = [{"date": created, "hash": study.hash, "changed": []}]
    write_json(
        {
            "name": study.name,
            "description": study.description,
            "hash": study.hash,
            "created": created,
            "history": history,
            "study": study.as_dict(),
            "plan": [{"run_id": r.run_id, "model": r.model, "seed": r.seed} for r in runs],
            **about,
        },
        out / "study.json",
    )
    beside = out / "study.yaml.partial"
    beside.write_text(study.text, encoding="utf-8")
    beside.replace(out / "study.yaml")

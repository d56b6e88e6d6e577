"""One run as plain data: all that a process elsewhere needs to bring it to its end."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from priorscope.own_code import own_modules
from priorscope.study.plain import strings
from priorscope.study.spec import Study


@dataclass(frozen=True)
class Job:
    """A run, where it is written to, and how; images are not in it, a worker loads them itself.

    Attributes
    ----------
    run_id, title : of the run
    text, base, files : the study, the folder that it lies in, and the user's files that it names,
        with those beside them that they import: path relative to the folder -> bytes, as Latin-1
    out, data_root : folders that the worker must see too
    mark : what `study.json` there must have as hash and date, to be the same folder
    size : parameters and MACs of the model
    rehearsed : what two steps of its training showed
    foreign : whether it has code of other people, which may end the process that it is in
    fingerprints : of the images
    device : its type where the executor gives a worker devices of its own
    checkpoint_seconds : between two checkpoints
    wait_seconds : for another process to let go of the run
    may_be_taken : whether others work in the folder too, so that their runs are left to them
    """

    run_id: str
    title: str
    text: str
    base: str
    files: Mapping[str, str]
    out: str
    data_root: str
    mark: tuple[str, str]
    size: Mapping[str, Any]
    rehearsed: Mapping[str, Any]
    foreign: bool
    fingerprints: Mapping[str, str]
    device: str
    checkpoint_seconds: float
    wait_seconds: float = 0.0
    may_be_taken: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain values that can be written as JSON."""
        return asdict(self)


def job_from(plain: Mapping[str, Any]) -> Job:
    """Read what `Job.as_dict` gave."""
    return Job(**{**plain, "mark": tuple(plain["mark"])})


def named_files(study: Study) -> dict[str, str]:
    """Read the user's files that a study names: relative path -> bytes as Latin-1.

    What they import from files beside them, or in folders beside them, comes too, and so on. A file
    that is named by an absolute path does not travel, nor does what is only read.
    """
    found: dict[str, str] = {}
    for reference in strings(study.as_dict()):
        own = own_modules(reference, study.base)
        if "" not in own or Path(reference).is_absolute():
            continue
        named = Path(reference.rpartition(":")[0])
        for path in own.values():
            if path.is_relative_to(own[""].parent):
                below = path.relative_to(own[""].parent)
                name = os.path.normpath(named.parent / below)
                found[name] = path.read_bytes().decode("latin-1")
    return found


def base_for(job: Job, scratch: Path) -> Path:
    """Return the study's folder where it is here with the same files, else put them in `scratch`.

    Whole paths are kept below `scratch`, so that `../model.py` finds its place too.
    """
    own = Path(job.base)
    files = {name: content.encode("latin-1") for name, content in job.files.items()}
    if all((own / n).is_file() and (own / n).read_bytes() == c for n, c in files.items()):
        return own
    base = scratch.joinpath(*own.parts[1:])
    for name, content in files.items():
        path = Path(os.path.normpath(base / name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    base.mkdir(parents=True, exist_ok=True)
    return base

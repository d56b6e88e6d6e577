"""One run as plain data: all that a process elsewhere needs to bring it to its end."""

import ast
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from priorscope.study.spec import Study

_FILE = re.compile(r"(.+\.py):\w+")


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
    size: Mapping[str, int]
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

    What they import from `.py` files beside them comes too, and so on. A file that is named by an
    absolute path does not travel, nor does what is imported in another way or only read.
    """
    matches = [_FILE.fullmatch(value) for value in _strings(study.as_dict())]
    names = [match[1] for match in matches if match and not Path(match[1]).is_absolute()]
    found: dict[str, str] = {}
    while names:
        name = names.pop()
        if name not in found and (study.base / name).is_file():
            content = (study.base / name).read_bytes()
            found[name] = content.decode("latin-1")
            names += [str(Path(name).with_name(f"{each}.py")) for each in _imported(content)]
    return found


def _imported(content: bytes) -> set[str]:
    """List the first names of the modules that a file imports; none where it is not Python."""
    try:
        nodes = list(ast.walk(ast.parse(content)))
    except (SyntaxError, ValueError, RecursionError):
        return set()
    modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {module.partition(".")[0] for module in modules}


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


def let_import(job: Job, base: Path) -> None:
    """Let the user's files import those beside them, as where the command was given from there."""
    for name in job.files:
        folder = str((base / name).resolve().parent)
        if folder not in sys.path:
            sys.path.append(folder)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)

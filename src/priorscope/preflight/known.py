"""What an earlier look at a study found, kept in the cache by all that it depends on.

A look builds, measures and compares every model: seconds, and PyTorch's import before them. None
of it changes while the study, its data, the versions of the libraries and priorscope itself stay.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import priorscope
from priorscope.components import bind, companion, errors_at, resolve
from priorscope.data import cache_root
from priorscope.own_code import REFERENCE, code_digest, own_modules
from priorscope.preflight.checked import Checked, as_plain, from_plain
from priorscope.runs.environment import cpu_name, versions
from priorscope.study.cells import SPLIT_KEYS, cells, study_at
from priorscope.study.plain import digest, strings
from priorscope.study.plan import fingerprints
from priorscope.study.spec import Component, Study

if TYPE_CHECKING:
    from priorscope.runs.load_cells import Cell
    from priorscope.study.levels import Levels

FORMAT = 5  # of what is kept
_VERSIONED = ("timm:", "torchvision:")


def look_key(study: Study, root: Path) -> str | None:
    """Hash all that a look at a study depends on, or give None where not all of it can be told.

    Of the data it is paths, sizes, times and places on the disk of the files; a dataset names them
    by a function `sources(*, root, ...)` beside it. Of code that the study names it is the content
    of all own files, as in the identity of a run, and so it is of files of weights.

    Raises
    ------
    InputError : unknown dataset, or its files or those of weights are missing
    """
    weights = fingerprints(study).values()
    of_cells = [study_at(study, levels) for levels in cells(study)]
    datasets = {json.dumps(at.data.as_dict()): at.data for at in of_cells}
    states = [_state_of_data(component, root, study.base) for component in datasets.values()]
    if None in states:
        return None
    plain = study.as_dict()
    references = [word for word in strings(plain) if REFERENCE.fullmatch(word)]
    references = [word for word in references if not word.startswith(_VERSIONED)]
    code = [code_digest(own_modules(reference, study.base)) for reference in references]
    if None in code:
        return None  # an installed package of the user's may have changed without a trace
    package = _stats(Path(priorscope.__file__).parent)
    return digest([FORMAT, plain, versions(), states, code, package, *weights])


def machine_key(key: str | None, device: str) -> str | None:
    """Hash what a time depends on beside the study: processor, threads, GPUs and `device`."""
    if key is None:
        return None
    gpus = sorted(str(path) for path in Path("/dev").glob("nvidia[0-9]*"))
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
    given = [os.environ.get(name) for name in names]
    return digest([key, device, cpu_name(), os.cpu_count(), gpus, given])


def look(
    study: Study, key: str | None, load: "Callable[[Levels], Cell]", *, anew: bool = False
) -> Checked:
    """Check every cell as `check_cells` does, unless that was done and all it depends on stayed.

    Parameters
    ----------
    key : see `look_key`
    load : makes a cell, see `cell_loader`

    Raises
    ------
    InputError : as `check_cells`
    """

    def check() -> Any:
        from priorscope.preflight.check_cells import check_cells

        return as_plain(check_cells(study, load))

    plain = kept("look", key, check, anew=anew)
    return from_plain(study, plain)


def kept(kind: str, key: str | None, make: Callable[[], Any], *, anew: bool = False) -> Any:
    """Return the plain values that were kept under a key, or make and keep them.

    Without a key nothing is kept. A file that cannot be read counts as none, and a cache that
    cannot be written is only slower.
    """
    if key is None:
        return make()
    path = _path(kind, key)
    if not anew:
        with suppress(OSError, ValueError, KeyError, TypeError):
            return _read(path)
    value = json.loads(json.dumps(make()))  # the same values, kept or not
    text = json.dumps(value)
    beside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps({"sha256": _sha256(text), "value": value}), encoding="utf-8")
        beside.replace(path)
    return value


def _read(path: Path) -> Any:
    """Read what `kept` wrote.

    Raises
    ------
    OSError, ValueError, KeyError, TypeError : absent or damaged
    """
    stored = json.loads(path.read_bytes())
    if stored["sha256"] != _sha256(json.dumps(stored["value"])):
        raise ValueError("damaged")
    return stored["value"]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _path(kind: str, key: str) -> Path:
    return cache_root() / "known" / f"{kind}-{key}.json"


def _state_of_data(component: Component, root: Path, base: Path) -> list[Any] | None:
    """Return path, size and time of every file of a dataset, or None where it names none."""
    function = resolve("data", component.name, base=base, where="data.name")
    sources = companion(function, "sources")
    if sources is None:
        return None
    where = {"where": "data", "reserved": ("root",), "beside": SPLIT_KEYS, "base": base}
    given = bind(function, component.parameters, **where)
    with errors_at("data"):
        found: list[Path] = sources(root=root, **given)
    return [[str(path), *_stats(path)] for path in found]


def _stats(path: Path) -> list[Any]:
    """Hash names and states of the files under a folder; caches of Python are left out.

    The time of change and the place on the disk move where a file is replaced under its old time.
    """
    total = hashlib.sha256()
    for name, stat in sorted(_files(path), key=lambda file: file[0]):
        state = f"{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ctime_ns}\0{stat.st_ino}"
        total.update(f"{name}\0{state}\n".encode("utf-8", "surrogateescape"))
    return [total.hexdigest()[:16]]


def _files(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Walk files, each folder once however many links lead to it."""
    if not path.is_dir():
        if path.exists():  # what is missing is said when the data are read
            yield path.name, path.stat()
        return
    folders, seen = [("", str(path))], set()
    while folders:
        prefix, folder = folders.pop()
        if (real := os.path.realpath(folder)) in seen:
            continue
        seen.add(real)
        for entry in os.scandir(folder):
            name, is_link = prefix + entry.name, entry.is_symlink()
            if Path(entry.path).is_dir() if is_link else entry.is_dir():
                if entry.name != "__pycache__":
                    folders.append((f"{name}/", entry.path))
            else:
                is_lost = is_link and not Path(entry.path).exists()
                yield name, entry.stat(follow_symlinks=not is_lost)

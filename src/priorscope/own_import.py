"""Import the user's own code so that what is executed is what its files say now.

Python keeps a module by its name alone, and what it compiled by the time and size of the file. Both
are not enough here: two studies may each have a `helper.py`, and a helper may change while a
notebook is open. So modules of own code are compiled from their files, and imported anew where the
file of that name is another one or has changed.
"""

import hashlib
import importlib
import importlib.util
import sys
import warnings
from importlib.machinery import SOURCE_SUFFIXES, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from priorscope.errors import InputError, PriorscopeWarning
from priorscope.own_code import code_digest, is_installed, own_modules

_places: dict[str, Path] = {}  # name of a module of own code -> its file, as last asked for
_bases: dict[str, Path] = {}  # -> the base that it was last asked for
_digests: dict[str, str | None] = {}  # what a reference names -> all of its code when imported


def import_file(path: Path, reference: str, base: Path, *, where: object = None) -> ModuleType:
    """Import a file by its path, with its neighbours, unless that was done and all are unchanged.

    The module's name is made of the path, so that two files `model.py` do not collide.

    Parameters
    ----------
    reference, base : as for `own_modules`; what is imported for one base stays together
    where : the key's path, for messages

    Raises
    ------
    InputError : two modules of one name
    Exception : whatever the file raises
    """
    name = (
        f"priorscope_user_{hashlib.sha256(str(path).encode('utf-8', 'replace')).hexdigest()[:12]}"
    )
    own = own_modules(reference, base)
    named = {each or name: of_each for each, of_each in own.items()}
    return _import(name, named, base, where, beside=path.parent)


def import_module(name: str, reference: str, base: Path, *, where: object = None) -> ModuleType:
    """Import a module by its name, anew where own code of it has changed since.

    Raises
    ------
    InputError, Exception : as `import_file`
    """
    return _import(name, own_modules(reference, base), base, where)


def _import(
    name: str, own: dict[str, Path], base: Path, where: object, beside: Path | None = None
) -> ModuleType:
    for each, path in own.items():
        _refuse_collision(each, path, base, where)
    _bases.update(dict.fromkeys(own, base))
    digest = code_digest(own)
    there = {each: sys.modules[each] for each in own if each in sys.modules}
    in_place = all(_is_at(module, own[each]) for each, module in there.items())
    if name in sys.modules and in_place and _digests.setdefault(name, digest) == digest:
        return sys.modules[name]
    for each in own:
        sys.modules.pop(each, None)
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    _places.update(own)
    if beside is not None and str(beside) not in sys.path:
        sys.path.append(str(beside))  # for names that are put together at run time
    before = set(sys.modules)
    try:
        module = importlib.import_module(name)
    except BaseException:
        for each in own:
            sys.modules.pop(each, None)
        raise
    _digests[name] = digest
    if beside is not None:
        _warn_of_unseen(set(sys.modules) - before - set(own), beside)
    return module


def _refuse_collision(name: str, path: Path, base: Path, where: object) -> None:
    """Refuse a module whose name another one has that must stay: installed, or of the same study.

    Raises
    ------
    InputError : names both
    """
    there = sys.modules.get(name)
    if there is None or _is_at(there, path) or _bases.get(name, base) != base:
        return
    raise InputError(
        f"two modules are called {name}",
        where=where,
        found=f"{path}, and {getattr(there, '__file__', None) or 'a module of Python'}",
        hint="rename the file: Python knows only one module of a name",
    )


def _is_at(module: ModuleType, path: Path) -> bool:
    place = getattr(module, "__file__", None)
    return place is not None and Path(place).resolve() == path


def _warn_of_unseen(names: set[str], beside: Path) -> None:
    """Warn of neighbours that were imported though no name of theirs stands in the code."""
    for name in sorted(names):
        place = getattr(sys.modules.get(name), "__file__", None)
        if place and Path(place).resolve().is_relative_to(beside) and not is_installed(place):
            said = (
                f"{place} is imported by a name that is put together at run time: runs do not "
                "notice when it changes; import it by name"
            )
            warnings.warn(PriorscopeWarning(said), stacklevel=2)


class _FromSource(SourceFileLoader):
    """Compile a file each time: what is kept of it is told from a changed one by size and time."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        return self.source_to_code(self.get_data(self.path), self.path)


class _Finder:
    """Find modules of own code at the files that were found for a reference."""

    @staticmethod
    def find_spec(name: str, *_: object) -> ModuleSpec | None:
        place = _places.get(name)
        if place is None or not place.is_file() or place.suffix not in SOURCE_SUFFIXES:
            return None
        return importlib.util.spec_from_file_location(
            name,
            place,
            loader=_FromSource(name, str(place)),
            submodule_search_locations=[str(place.parent)] if place.stem == "__init__" else None,
        )


_FINDER: Any = _Finder()

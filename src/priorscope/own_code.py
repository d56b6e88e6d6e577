"""The user's own code: all files that a reference in a study executes, found without executing any.

`./file.py:callable` finds its imports beside the file first, as a script does, then on Python's
path; `package.module:callable` finds them on the path alone. A file is own code unless it belongs
to Python or to an installed package, which have versions instead. Imports are found wherever they
stand in the text, in functions too, and so are `import_module` and `__import__` of a name that is
written out; a name that is put together at run time is not.
"""

import ast
import hashlib
import json
import re
import sys
import sysconfig
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path

# What may name code in a study; the first part of a reference is a file, or a module.
REFERENCE = re.compile(r"(?P<place>.+\.py|[A-Za-z_][\w.]*):(?P<callable>[A-Za-z_]\w*)")
_INSTALLED = {
    Path(sysconfig.get_path(kind)).resolve()
    for kind in ("stdlib", "platstdlib", "purelib", "platlib")
}
_PACKAGE = Path(__file__).resolve().parent
_DYNAMIC = {"import_module", "__import__"}


def own_modules(reference: str, base: Path) -> dict[str, Path]:
    """Find the files of own code that a reference executes: name of a module -> its file.

    A file that is named by its path is the module `""` and comes first. There are none where the
    reference names a packaged component, a library's model or an installed module, or nothing.

    Parameters
    ----------
    base : the folder that `./file.py` is relative to
    """
    match = REFERENCE.fullmatch(reference)
    if match is None:
        return {}
    place, found = match["place"], {}
    if place.endswith(".py"):
        path = (base / place).resolve()
        if path.is_file():
            found[""] = path
            _follow("", path, path.parent, found)
    else:
        _add(place, None, found)
    return found


def code_digest(modules: dict[str, Path]) -> str | None:
    """Hash the contents of files of own code to 16 hex digits; None where there are none.

    Where they lie does not matter: a copy on another machine is the same code.
    """
    if not modules:
        return None
    contents = {name: file_hash(path) for name, path in modules.items()}
    if len(contents) == 1:
        return next(iter(contents.values()))[:16]
    text = json.dumps(sorted(contents.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_hash(path: Path) -> str:
    """Hash a file (SHA-256)."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_installed(path: str | Path) -> bool:
    """Tell whether a file belongs to Python, to an installed package, or to priorscope."""
    real = Path(path).resolve()
    if {"site-packages", "dist-packages"} & set(real.parts):
        return True
    return any(real.is_relative_to(place) for place in (*_INSTALLED, _PACKAGE))


def _follow(name: str, path: Path, root: Path | None, found: dict[str, Path]) -> None:
    """Add what a file of own code imports, and so on."""
    is_package = path.stem == "__init__"
    package = name if is_package else name.rpartition(".")[0]
    for imported in _imports(path, package):
        _add(imported, root, found)


def _add(name: str, root: Path | None, found: dict[str, Path]) -> None:
    """Add a module, and the packages that it lies in, where they are own code."""
    places: list[Path] | None = None  # where the next part is looked for; at first not known
    parts = name.split(".")
    for number, part in enumerate(parts, start=1):
        path, places = _find(part, root) if places is None else _in_folders(part, places)
        if path is not None:
            if is_installed(path):
                return
            module = ".".join(parts[:number])
            if module not in found:
                found[module] = path
                if path.suffix in SOURCE_SUFFIXES:
                    _follow(module, path, root, found)
        if not places:
            return


def _find(name: str, root: Path | None) -> tuple[Path | None, list[Path]]:
    """Find a module by its first name: its file, if it has one, and the folders of a package."""
    if root is not None:
        found = _in_folders(name, [root])
        if found != (None, []):
            return found
    if name in sys.builtin_module_names or name in sys.stdlib_module_names:
        return None, []
    for finder in sys.meta_path:
        spec = finder.find_spec(name, None) if hasattr(finder, "find_spec") else None
        if spec is not None:
            path = Path(spec.origin) if spec.has_location and spec.origin else None
            return path, [Path(place) for place in spec.submodule_search_locations or ()]
    return None, []


def _in_folders(name: str, folders: list[Path]) -> tuple[Path | None, list[Path]]:
    """Find a module in folders, as Python does: a package, then a file, then a mere folder."""
    for folder in folders:
        for stem, is_package in ((Path(name, "__init__"), True), (Path(name), False)):
            for suffix in (*EXTENSION_SUFFIXES, *SOURCE_SUFFIXES):
                path = folder / f"{stem}{suffix}"
                if path.is_file():
                    return path.resolve(), [path.parent.resolve()] if is_package else []
    return None, [folder / name for folder in folders if (folder / name).is_dir()]


def _imports(path: Path, package: str) -> Iterator[str]:
    """List the names of what a file may import: modules, and what may be modules of a package."""
    try:
        nodes = ast.walk(ast.parse(path.read_bytes()))
        for node in nodes:
            yield from _imports_of(node, package)
    except (SyntaxError, ValueError, RecursionError, OSError):
        return  # importing it will say what is wrong


def _imports_of(node: ast.AST, package: str) -> Iterator[str]:
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom():
            module = _absolute("." * node.level + (node.module or ""), package)
            yield from filter(None, [module])
            yield from (f"{module}.{alias.name}".lstrip(".") for alias in node.names)
        case ast.Call(
            func=ast.Attribute(attr=called) | ast.Name(id=called),
            args=[ast.Constant(value=str(name)), *_],
        ) if called in _DYNAMIC:
            yield _absolute(name, package)


def _absolute(name: str, package: str) -> str:
    """Write `..name`, which is relative to a package, in full."""
    level = len(name) - len(name.lstrip("."))
    if not level:
        return name
    parts = package.split(".")
    return ".".join(filter(None, [*parts[: len(parts) - level + 1], name.lstrip(".")]))

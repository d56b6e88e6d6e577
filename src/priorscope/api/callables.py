"""From a callable to the reference by which a study names it."""

import ast
import functools
import inspect
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any

from priorscope.api.described import describe
from priorscope.components import IN_PROCESS, PACKAGES, keep
from priorscope.errors import InputError
from priorscope.own_code import is_installed

_WHAT = "a function or a class; (callable, {parameters}) or functools.partial for parameters"
_MAIN = ("__name__ == '__main__'", "'__main__' == __name__")
_functions: dict[str, tuple[Callable[..., Any], str]] = {}  # reference -> callable, its source


def name_callable(
    function: Callable[..., Any], base: Path, *, relative: bool, where: str
) -> tuple[str, dict[str, Any]]:
    """Return a callable's reference, and the parameters that `functools.partial` gave it.

    `package.module:name` for one that can be imported, `./file.py:name` for one of a script or of a
    module beside it, and `python:<name>.<digest>` for one that stays in this process.

    Parameters
    ----------
    base : the folder that `./file.py` is relative to
    relative : whether it may be relative to it; else the file's whole path is named
    where : the key's path, for messages

    Raises
    ------
    InputError : no function or class, positional arguments, or what it does cannot be told
    """
    if isinstance(function, functools.partial):
        if function.args:
            raise InputError(
                "parameters are given by name",
                where=where,
                found=f"functools.partial with {len(function.args)} positional arguments",
                allowed="functools.partial(callable, name=value)",
            )
        reference, given = name_callable(function.func, base, relative=relative, where=where)
        return reference, given | function.keywords
    if not isinstance(function, type | FunctionType | BuiltinFunctionType):
        raise _no_component(function, where)
    module, name = function.__module__, function.__qualname__
    package, _, last = module.rpartition(".")
    if package in PACKAGES.values() and name == last:
        return name, {}
    file = _file_to_import(function)
    if file is not None:
        path = os.path.relpath(file, base) if relative else str(file)
        return f"{path if path.startswith(('.', '/')) else f'./{path}'}:{name}", {}
    if module == "__main__" and (spec := sys.modules["__main__"].__spec__) and _is_main(function):
        return f"{spec.name}:{name}", {}  # python -m package.module
    if module != "__main__" and getattr(sys.modules.get(module), name, None) is function:
        return f"{module}:{name}", {}
    return _keep(function, where), {}


def is_kept(text: str) -> bool:
    """Tell whether a text is a reference to a callable that is kept in a process."""
    return text.startswith(f"{IN_PROCESS}:")


def source_of(reference: str) -> str:
    """Return the source of a callable that is kept in this process."""
    return _functions[reference][1]


def check_unchanged(reference: str) -> None:
    """Refuse a kept callable that refers to other values than when its study was made.

    Raises
    ------
    InputError : it does, so that its name is not that of what it does now
    """
    if reference in _functions:
        function, _ = _functions[reference]
        if _reference(function, describe(function, reference)[0]) != reference:
            raise InputError(
                "a callable refers to something that has changed since the study was made",
                where=reference,
                found=function.__qualname__,
                hint="make the study again, with ps.Study(...)",
            )


def _keep(function: Callable[..., Any], where: str) -> str:
    digest, source = describe(function, where)
    reference = _reference(function, digest)
    _functions[reference] = function, source
    keep(function, reference)
    return reference


def _reference(function: Callable[..., Any], digest: str) -> str:
    name = re.sub(r"\W", "", function.__qualname__.rpartition(".")[2])
    return f"{IN_PROCESS}:{name}.{digest}"


def _no_component(found: Any, where: str) -> InputError:
    if hasattr(found, "state_dict") and hasattr(found, "forward"):
        return InputError(
            "a network, where a callable that builds one is needed: every run starts from weights "
            "of its own",
            where=where,
            found=f"an instance of {type(found).__name__}",
            allowed=_WHAT,
            hint=f"give {type(found).__name__} itself, or a function that returns it",
        )
    return InputError(
        "no callable that a study can name",
        where=where,
        found=f"{type(found).__name__}: {found!r}",
        allowed=_WHAT,
    )


def _file_to_import(function: Callable[..., Any]) -> Path | None:
    """Find the script, or the module beside it, that defines a callable when it is imported."""
    module = sys.modules.get(function.__module__)
    named = getattr(module, "__file__", None)
    if not named or getattr(module, function.__qualname__, None) is not function:
        return None
    file = Path(named).resolve()
    if file.suffix != ".py" or not file.is_file() or is_installed(file):
        return None
    if function.__module__ == "__main__":
        as_module = getattr(module, "__spec__", None) is not None
        return file if not as_module and _is_main(function) else None
    # A module of a package may import its neighbours by it.
    return None if getattr(module, "__package__", "") else file


def _is_main(function: Callable[..., Any]) -> bool:
    """Tell whether an import of the script that runs would define a callable of it."""
    file = Path(str(getattr(sys.modules["__main__"], "__file__", "")))
    code = _first_code(function)
    # A console may have been started by a script, and the callable be defined in the console.
    if not file.is_file() or (code is not None and Path(code).resolve() != file.resolve()):
        return False
    body = [node for node in ast.parse(file.read_bytes()).body if not _is_main_part(node)]
    names = {
        getattr(node, "name", None) or getattr(node, "id", None)
        for statement in body
        for node in ast.walk(statement)
    }
    return function.__qualname__ in names


def _first_code(function: Any) -> str | None:
    if isinstance(function, type):
        methods = [value for value in vars(function).values() if inspect.isfunction(value)]
        function = methods[0] if methods else function
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else code.co_filename


def _is_main_part(node: ast.stmt) -> bool:
    """Tell whether a statement is `if __name__ == "__main__":`, without an `else`."""
    return isinstance(node, ast.If) and not node.orelse and ast.unparse(node.test) in _MAIN

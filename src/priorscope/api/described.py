"""What a callable of this process does, as a digest: its code and all that it refers to.

Two callables with one digest do the same; one whose code, defaults, closure or global values change
gets another. That is what a run's identity needs where there is no file to hash.
"""

import dis
import functools
import hashlib
import inspect
import io
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any

from priorscope.errors import InputError
from priorscope.own_code import file_hash, is_installed

_SHORT = 100  # letters of a value that is written beside the source
_LOOK_UP = {"LOAD_GLOBAL", "LOAD_NAME"}
# Of a class what says nothing about what it does, or differs from process to process.
_OF_NO_ACCOUNT = {"__dict__", "__weakref__", "__doc__", "__firstlineno__", "__static_attributes__"}
_OF_NO_ACCOUNT |= {"__annotate_func__", "__annotations_cache__", "__abstractmethods__", "_abc_impl"}


def describe(function: Callable[..., Any], where: str) -> tuple[str, str]:
    """Return a digest of what a callable does, 12 hex digits, and its source.

    Its source, bytecode and defaults count, and the values of its closure and of the global names
    that it looks up; so do those of functions and classes among them that stand in no module.
    Modules count by name, and where they are not installed by their file's content.

    Raises
    ------
    InputError : the source cannot be had, or a value that it refers to cannot be described
    """
    try:
        first, source = _written(function)
        again, _ = _written(function)
        if first != again:
            raise TypeError("a value is written in another way each time")
    except _NoSource as error:
        raise InputError(
            "the source of a callable cannot be had, so a change of it would pass unnoticed",
            where=where,
            found=str(error),
            allowed="a callable of a file or of a notebook",
            hint="define it in a file beside the study: ./my_model.py:my_model",
        ) from None
    except Exception as error:  # what pickle cannot write raises almost anything
        raise InputError(
            "a callable refers to a value that cannot be compared from run to run",
            where=where,
            found=f"{type(error).__name__}: {error}",
            allowed="numbers, texts, arrays, functions, classes and what is made of them",
            hint="make it a parameter of the callable, or define the callable in a file",
        ) from None
    return hashlib.sha256(first).hexdigest()[:12], source


def _written(function: Callable[..., Any]) -> tuple[bytes, str]:
    written = io.BytesIO()
    description = _Description(written)
    description.dump(function)
    return written.getvalue(), description.source


class _NoSource(Exception):
    """Names a function whose source cannot be had."""


class _Description(pickle.Pickler):
    """Write a graph of values, with functions and classes by what they do in place of their names.

    `source` is that of all functions on the way, the first of them first, each with the short
    values that it looks up.
    """

    def __init__(self, file: io.BytesIO):
        super().__init__(file, protocol=4)
        self.fast = True  # equal values are written alike, whether they are one object or two
        self.seen: dict[int, int] = {}
        self.sources: list[str] = []

    @property
    def source(self) -> str:
        return "\n".join(dict.fromkeys(self.sources))

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, ModuleType):
            return ("module", obj.__name__, _own_file(obj))
        if isinstance(obj, set | frozenset):  # their order differs from process to process
            return ("set", sorted(map(repr, obj)))
        if isinstance(obj, MappingProxyType):
            return ("mapping", dict(obj))
        if isinstance(obj, CodeType):
            imported = [_imported(name) for name in sorted(_names_in(obj, {"IMPORT_NAME"}))]
            return ("code", obj.co_code, obj.co_consts, obj.co_names, obj.co_freevars, imported)
        if hasattr(obj, "untyped_storage"):  # a tensor, which is pickled by its address
            values = obj.detach().cpu().flatten().tolist()
            return ("tensor", str(obj.dtype), tuple(obj.shape), values)
        if not isinstance(obj, FunctionType | type):
            return None
        module = sys.modules.get(obj.__module__)
        in_module = getattr(module, obj.__qualname__.partition(".")[0], None) is not None
        if in_module and obj.__module__ != "__main__" and "<" not in obj.__qualname__:
            return ("name", obj.__module__, obj.__qualname__, _own_file(module))
        if id(obj) in self.seen:
            return ("again", self.seen[id(obj)])
        self.seen[id(obj)] = len(self.seen)
        return self._function(obj) if isinstance(obj, FunctionType) else self._class(obj)

    def _function(self, function: FunctionType) -> Any:
        try:
            source = inspect.getsource(function)
        except (OSError, TypeError, SyntaxError):
            raise _NoSource(
                f"{function.__qualname__}, of {function.__code__.co_filename}"
            ) from None
        names = _names_in(function.__code__, _LOOK_UP)
        values = {name: function.__globals__[name] for name in names & {*function.__globals__}}
        cells = [_content(cell) for cell in function.__closure__ or ()]
        named = {**values, **dict(zip(function.__code__.co_freevars, cells, strict=True))}
        self.sources += [f"{name} = {value!r}" for name, value in named.items() if _is_short(value)]
        self.sources.append(source)
        defaults = (function.__defaults__, function.__kwdefaults__)
        return ("function", source, function.__code__, defaults, cells, sorted(values.items()))

    def _class(self, found: type) -> Any:
        members = {name: value for name, value in vars(found).items() if name not in _OF_NO_ACCOUNT}
        plain = {name: _within(value) for name, value in members.items()}
        self.sources.append(
            f"class {found.__name__}({', '.join(b.__name__ for b in found.__bases__)}):"
        )
        return ("class", found.__qualname__, found.__bases__, sorted(plain.items()))


def _within(member: Any) -> Any:
    """Return what a descriptor of a class wraps; of what `dataclass` wrote, the code."""
    if isinstance(member, functools.cached_property):
        return ("cached_property", member.func)
    code = getattr(inspect.unwrap(member) if callable(member) else None, "__code__", None)
    if code is not None and code.co_filename == "<string>":
        return code
    if isinstance(member, staticmethod | classmethod):
        return (type(member).__name__, member.__func__)
    if isinstance(member, property):
        return ("property", member.fget, member.fset, member.fdel)
    return member


def _is_short(value: Any) -> bool:
    return isinstance(value, bool | int | float | str | None) and len(repr(value)) < _SHORT


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not yet filled
        return "empty"


def _names_in(code: CodeType, operations: set[str]) -> set[str]:
    """Collect the names that operations of code are about, and those of the functions within it."""
    names = {each.argval for each in dis.get_instructions(code) if each.opname in operations}
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return names.union(*(_names_in(each, operations) for each in inner))


def _imported(name: str) -> tuple[str, str | None]:
    """Describe a module that a function imports when it is called."""
    try:
        __import__(name)
    except Exception:  # said when the function is called
        return (name, "missing")
    return (name, _own_file(sys.modules.get(name)))


def _own_file(module: ModuleType | None) -> str | None:
    """Hash the file of a module that is not installed: it may change between two runs."""
    named = getattr(module, "__file__", None)
    if not named or not Path(named).is_file() or is_installed(named):
        return None
    return file_hash(Path(named))[:16]

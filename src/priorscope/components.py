"""Name -> callable: the listing of components, and the only dynamic import in the package.

A public file `x.py` in a component package defines the callable `x`; `_x.py` is support. A
reference in a study is one of

- `x`: a packaged component;
- `./file.py:callable`: a file beside the study, which may import its neighbours as a script may;
- `package.module:callable`: anything importable;
- `timm:<name>`, `torchvision:<name>`: their classifiers (models only);
- `python:<name>.<digest>`: a callable of this process that is in no file, see `keep`.

Naming a file or a module in a study executes the code in it, as any import does.
"""

import ast
import functools
import importlib
import inspect
import json
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from priorscope.errors import InputError, did_you_mean, unknown_name
from priorscope.own_import import import_file, import_module

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

PACKAGES = {
    "models": "priorscope.models",
    "mixers": "priorscope.models.mixers",
    "data": "priorscope.data",
    "interventions": "priorscope.interventions",
    "probes": "priorscope.probes",
    "metrics": "priorscope.metrics",
    "measures": "priorscope.measures",
    "executors": "priorscope.execution",
}
PREFIXES = {
    ("models", "timm"): "priorscope.models._timm:timm_classifier",
    ("models", "torchvision"): "priorscope.models._torchvision:torchvision_classifier",
}
IN_PROCESS = "python"
_kept: dict[str, Callable[..., Any]] = {}  # by references that change with what they stand for
_importing: list[Path | str] = []  # the user's files and modules, the innermost last

_ENDS = (  # of a range, as JSON schema has them
    (("minimum", "at least"), ("exclusiveMinimum", "greater than")),
    (("maximum", "at most"), ("exclusiveMaximum", "less than")),
)


@dataclass(frozen=True)
class Packaged:
    """A packaged component: its name, its file, and the first line of its docstring."""

    name: str
    path: Path
    summary: str


@functools.cache
def listing(kind: str) -> Mapping[str, Packaged]:
    """List the packaged components of a kind by name, without importing them.

    Raises
    ------
    InputError : no such kind
    """
    if kind not in PACKAGES:
        raise unknown_name("kind of component", kind, PACKAGES)
    folder = Path(__file__).parent.joinpath(*PACKAGES[kind].split(".")[1:])
    found = {}
    for path in sorted(folder.glob("[!_]*.py")):
        tree = ast.parse(path.read_bytes())
        body = [node for node in tree.body if getattr(node, "name", None) == path.stem]
        text = ast.get_docstring(body[0]) if body else None  # type: ignore[arg-type]
        found[path.stem] = Packaged(path.stem, path, (text or "").partition("\n")[0])
    return MappingProxyType(found)


def resolve(kind: str, reference: str, *, base: Path, where: object = None) -> Callable[..., Any]:
    """Import the callable that a study names.

    Parameters
    ----------
    kind : a key of `PACKAGES`
    reference : see the module's docstring
    base : the folder that `./file.py` is relative to
    where : the key's path, for messages

    Raises
    ------
    InputError : nothing has that name, or importing it fails
    """
    prefix, colon, rest = reference.partition(":")
    if not colon:
        names = listing(kind)
        if reference not in names:
            raise unknown_name(_singular(kind), reference, names, where=where)
        module = importlib.import_module(f"{PACKAGES[kind]}.{reference}")
        return getattr(module, reference)
    if prefix == IN_PROCESS:
        return _kept_as(reference, where)
    if (kind, prefix) in PREFIXES:
        module_name, _, name = PREFIXES[kind, prefix].partition(":")
        return functools.partial(
            getattr(importlib.import_module(module_name), name), architecture=rest
        )
    module = _import_user_module(prefix, base, reference, where)
    if not callable(getattr(module, rest, None)):
        names = [n for n, v in vars(module).items() if callable(v) and not n.startswith("_")]
        raise unknown_name(f"callable in {prefix}", rest, names, where=where)
    return getattr(module, rest)


def keep(function: Callable[..., Any], reference: str) -> None:
    """Let `resolve` find a callable of this process, for as long as the process lives.

    Parameters
    ----------
    reference : `python:<name>.<digest>`; the digest must change with anything that the callable
        does, so that one reference never means two things
    """
    _kept[reference] = function


def _kept_as(reference: str, where: object) -> Callable[..., Any]:
    if reference not in _kept:
        raise InputError(
            "a callable of a Python process that is not this one",
            where=where,
            found=reference,
            hint="make the study in this process first, as it was made there; or define the "
            "callable in a file and name it ./file.py:callable",
        )
    return _kept[reference]


def importing() -> Path | str | None:
    """Return the user's file or module that is being imported for a component, if one is."""
    return _importing[-1] if _importing else None


def companion(function: Callable[..., Any], name: str) -> Any:
    """Find the public `name` that stands in the same file as a component, or None.

    Of a function that was defined in a notebook or a script it is the attribute of that name: what
    stands beside it there are the user's own variables.
    """
    inner = inspect.unwrap(function)
    home = inner if inner.__module__ == "__main__" else sys.modules[inner.__module__]
    return getattr(home, name, None)


def bind(
    function: Callable[..., Any],
    parameters: Mapping[str, Any],
    *,
    where: str,
    reserved: Iterable[str] = (),
    beside: Iterable[str] = (),
    base: Path = Path(),
) -> dict[str, Any]:
    """Check a study's parameters against a component's signature; return them converted.

    `reserved` are the arguments that priorscope itself passes; `beside` are keys that may stand
    beside the parameters and are read elsewhere: an error names them too. Positional arguments are
    never the user's. A `**kwargs` lets any further parameter pass unchecked. A parameter whose type
    is a Path, and a `./file.py:callable` in one, is relative to `base`, the folder of the study.

    Raises
    ------
    InputError : unknown, missing, of the wrong type or out of range; names the key's path
    """
    from pydantic import ConfigDict, Field, ValidationError, create_model  # slow to import

    try:
        hints = typing.get_type_hints(inspect.unwrap(_innermost(function)), include_extras=True)
    except NameError as error:
        raise InputError("an annotation names nothing", where=where, found=error) from None
    given = inspect.signature(function).parameters.values()
    bound_already = function.keywords if isinstance(function, functools.partial) else {}
    open_ended = any(p.kind is p.VAR_KEYWORD for p in given)
    fields: dict[str, Any] = {
        p.name: (hints.get(p.name, Any), ... if p.default is p.empty else Field(default=p.default))
        for p in given
        if p.kind is p.KEYWORD_ONLY and p.name not in set(reserved) | set(bound_already)
    }
    unknown = [name for name in parameters if name not in fields]
    if unknown and not open_ended:
        names = sorted({*fields, *beside})
        raise InputError(
            "unknown parameter",
            where=f"{where}.{unknown[0]}",
            found=unknown[0],
            allowed=names or "no parameters",
            hint=did_you_mean(unknown[0], names),
        )
    config = ConfigDict(
        strict=True, arbitrary_types_allowed=True, protected_namespaces=(), allow_inf_nan=False
    )
    model = create_model("parameters", __config__=config, **fields)
    checked = {name: value for name, value in parameters.items() if name in fields}
    try:
        # JSON mode: strict about numbers and strings, yet a list may become a tuple.
        values = model.model_validate_json(json.dumps(checked))
    except ValidationError as error:
        raise _first_error(error, where, model) from None
    extra = {name: value for name, value in parameters.items() if name not in fields}
    return {name: _located(getattr(values, name), base) for name in checked} | extra


def _located(value: Any, base: Path) -> Any:
    if isinstance(value, str) and value.startswith(("./", "../")) and ".py:" in value:
        return str(base.absolute() / value)
    return base / value.expanduser() if isinstance(value, Path) else value


@contextmanager
def errors_at(where: str) -> Iterator[None]:
    """Let a component's InputError name the key's path in the study, not the bare parameter."""
    try:
        yield
    except InputError as error:
        key_like = error.where is not None and error.where.replace(".", "_").isidentifier()
        joint = "." if key_like else ": "  # a parameter's name continues the path, a file does not
        error.where = f"{where}{joint}{error.where}" if error.where else where
        raise
    except Exception as error:
        raise InputError(
            "the component fails",
            where=where,
            found=f"{type(error).__name__}: {error}",
        ) from error


def _first_error(error: "ValidationError", where: str, model: "type[BaseModel]") -> InputError:
    """Turn the first of pydantic's errors into ours, with the key's path and its whole range."""
    first = error.errors()[0]
    path = ".".join([where, *(str(part) for part in first["loc"])])
    if first["type"] == "missing":
        return InputError("missing parameter", where=path)
    allowed = first["msg"]
    if first["type"].startswith(("less_than", "greater_than")):
        allowed = _range(model, str(first["loc"][0])) or allowed
    return InputError("value not allowed", where=path, found=repr(first["input"]), allowed=allowed)


def _range(model: "type[BaseModel]", name: str) -> str | None:
    """Write the range of a number: "at least 1, less than 8"; None where it has not both ends."""
    from pydantic import create_model

    field = model.model_fields[name]  # alone: the others may have types that no schema can say
    alone: dict[str, Any] = {name: (field.annotation, field)}
    schema = create_model("number", **alone).model_json_schema()["properties"][name]
    for part in (schema, *schema.get("anyOf", ())):  # the latter where None may stand instead
        ends = [[f"{words} {part[key]:g}" for key, words in pair if key in part] for pair in _ENDS]
        if all(ends):
            return ", ".join(end for (end,) in ends)
    return None


def _import_user_module(prefix: str, base: Path, reference: str, where: object) -> ModuleType:
    try:
        if prefix.endswith(".py"):
            path = (base / prefix).resolve()
            if not path.is_file():
                raise InputError("no such file", where=where, found=path)
            with _noted(path):
                return import_file(path, reference, base, where=where)
        with _noted(prefix):
            return import_module(prefix, reference, base, where=where)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # a script without a guard may well end the process
        raise InputError(
            f"cannot import {prefix}",
            where=where,
            found=f"{reference} ({type(error).__name__}: {error})",
            allowed="a component's name, ./file.py:callable or package.module:callable",
        ) from error


@contextmanager
def _noted(imported: Path | str) -> Iterator[None]:
    _importing.append(imported)
    try:
        yield
    finally:
        _importing.pop()


def _innermost(function: Callable[..., Any]) -> Callable[..., Any]:
    inner = function.func if isinstance(function, functools.partial) else function
    return inner.__init__ if inspect.isclass(inner) else inner


def _singular(kind: str) -> str:
    return {"data": "dataset"}.get(kind, kind.removesuffix("s"))

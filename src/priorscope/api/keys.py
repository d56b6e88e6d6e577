"""The keys of a study that is written in Python: to plain values, as a study file has them."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.api.callables import check_unchanged, is_kept, name_callable, source_of
from priorscope.errors import InputError, shown

_COMPONENTS = ("models", "probes", "measures")  # name -> component; `data` is one itself


def home() -> Path:
    """Return the folder that `./file.py` is relative to: the script's, or the current one."""
    main = sys.modules["__main__"]
    script = Path(str(getattr(main, "__file__", "")))
    is_script = getattr(main, "__spec__", None) is None and script.suffix == ".py"
    return script.resolve().parent if is_script and script.is_file() else Path.cwd()


def as_plain(keys: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Return a study's keys as values that YAML can hold; callables become references.

    Parameters
    ----------
    base : the folder that a reference to a file is relative to

    Raises
    ------
    InputError : names the key's path, where a value is none of these, or a callable cannot be named
    """
    return {key: _plain(value, (key,), base) for key, value in keys.items()}


def sources_of(plain: Mapping[str, Any]) -> str:
    """Return the sources of callables that are kept in this process, as comments of a study file.

    Empty where there are none.
    """
    text = ""
    for reference in kept_in(plain):
        lines = [f"{reference} was, in the process that made this study:", ""]
        lines += source_of(reference).rstrip().splitlines()
        text += "\n" + "".join(f"# {shown(line)}".rstrip() + "\n" for line in lines)
    return text


def kept_in(plain: object) -> list[str]:
    """List the references to callables that are kept in a process, each once."""
    return [text for text in dict.fromkeys(_texts(plain)) if is_kept(text)]


def _texts(plain: object) -> Iterator[str]:
    if isinstance(plain, str):
        yield plain
    elif isinstance(plain, Mapping | list | tuple):
        for each in plain.values() if isinstance(plain, Mapping) else plain:
            yield from _texts(each)


def _plain(value: Any, path: tuple[str, ...], base: Path) -> Any:
    where = ".".join(path)
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Path):
        return str(value)
    is_component = path == ("data",) or (len(path) == 2 and path[0] in _COMPONENTS)
    if isinstance(value, tuple) and len(value) == 2 and callable(value[0]):
        function, parameters = value
        if not isinstance(parameters, Mapping):
            raise InputError(
                "the parameters of a callable are a mapping",
                where=where,
                found=type(parameters).__name__,
                allowed="(callable, {name: value})",
            )
        return _with_name({"name": function, **parameters}, path, base)
    if isinstance(value, Mapping):
        return _with_name(value, path, base)
    if isinstance(value, list | tuple | range):
        return [_plain(each, (*path, str(place)), base) for place, each in enumerate(value)]
    if callable(value):
        reference, parameters = _named(value, path, base)
        return {"name": reference, **parameters} if is_component or parameters else reference
    raise InputError(
        "a value that no study file can hold",
        where=where,
        found=f"{type(value).__name__}: {value!r}",
        allowed="a callable where a component stands; numbers, texts, lists and mappings elsewhere"
        if is_component
        else "numbers, texts, lists and mappings, or a callable where a component stands",
    )


def _with_name(value: Mapping[Any, Any], path: tuple[str, ...], base: Path) -> dict[Any, Any]:
    """Return a mapping as plain values; parameters of a callable under `name` stand beside it."""
    found: dict[Any, Any] = {}
    for key, each in value.items():
        if key == "name" and callable(each):
            reference, parameters = _named(each, (*path, "name"), base)
            found |= {"name": reference, **parameters}
            if twice := [name for name in parameters if name in value]:
                raise InputError(
                    "a parameter is given by functools.partial, and beside it",
                    where=".".join([*path, twice[0]]),
                    found=value[twice[0]],
                )
        else:
            found[key] = _plain(each, (*path, str(key)), base)
    return found


def _named(
    function: Callable[..., Any], path: tuple[str, ...], base: Path
) -> tuple[str, dict[str, Any]]:
    # Data, models and probes are resolved beside the study, what their parameters name is not.
    in_reach = path[:-1] if path[-1] == "name" else path
    relative = in_reach in (("data",), ("data", "intervention"))
    relative |= len(in_reach) == 2 and in_reach[0] in _COMPONENTS
    reference, given = name_callable(function, base, relative=relative, where=".".join(path))
    return reference, {key: _plain(each, (*path, key), base) for key, each in given.items()}


def check_kept(plain: object) -> None:
    """Refuse callables of this process that are not what they were when the study was made.

    Raises
    ------
    InputError : names the callable
    """
    for reference in kept_in(plain):
        check_unchanged(reference)

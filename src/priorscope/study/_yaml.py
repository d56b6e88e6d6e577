"""Read YAML as YAML 1.2 says, safely and within limits.

PyYAML follows YAML 1.1, in which `1e-3` is a string, `no` is false and `1:30` is 90; its loader
also keeps the last of two equal keys without a word. A study must not depend on either.
"""

import re
from typing import Any

import yaml

from priorscope.errors import InputError

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_NODES = 20_000  # after aliases are followed: nested aliases can make a small file explode


class _Loader(yaml.SafeLoader):
    """The safe loader with the scalars of YAML 1.2's core schema."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    if len(text) > 40:
        raise yaml.MarkedYAMLError(problem="integer too long", problem_mark=node.start_mark)
    bases = {"0x": 16, "0o": 8}
    return int(text, bases.get(text[:2], 10))


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def read_yaml(text: str) -> Any:
    """Parse one YAML document into plain values.

    Raises
    ------
    InputError : not YAML, an unknown tag, a key twice, too large or too deep; names the line
    """
    if len(text) > MAX_BYTES:
        raise InputError(
            "study file too large", found=f"{len(text)} characters", allowed=f"at most {MAX_BYTES}"
        )
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _check(node, depth=0, budget=[MAX_NODES])
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = f"line {mark.line + 1}, column {mark.column + 1}" if mark else None
        raise InputError("not a YAML file", where=at, found=error.problem) from None
    except yaml.YAMLError as error:
        raise InputError("not a YAML file", found=str(error)) from None
    except RecursionError:
        raise InputError("nested too deep", allowed=f"{MAX_DEPTH} levels") from None


def _check(node: yaml.Node, *, depth: int, budget: list[int]) -> None:
    """Walk the node as if aliases were written out, and refuse what no study needs."""
    at = f"line {node.start_mark.line + 1}"
    budget[0] -= 1
    if depth > MAX_DEPTH or budget[0] < 0:
        raise InputError(
            "nested too deep or too many values",
            where=at,
            allowed=f"{MAX_DEPTH} levels, {MAX_NODES} values",
        )
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise InputError("a key must be a word", where=at)
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise InputError(
                    "a key stands twice", where=f"line {key.start_mark.line + 1}", found=key.value
                )
            seen.add(key.value)
            _check(value, depth=depth + 1, budget=budget)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check(value, depth=depth + 1, budget=budget)

"""Read and write YAML as YAML 1.2 says, safely and within limits.

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

# YAML 1.2's core schema: what a plain word must look like, and the letters that it may begin with.
_SCALARS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "int": (r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "merge": (r"<<", "<"),
}
_TAG = "tag:yaml.org,2002:"
_LONGEST_INTEGER = 40


class _Loader(yaml.SafeLoader):
    """The safe loader with the scalars of YAML 1.2's core schema, and limits while it reads."""

    num_nodes = depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Read one node with all that it holds; too many or too deep are not read to their end."""
        self.num_nodes += 1
        self.depth += 1
        if self.depth > MAX_DEPTH + 1 or self.num_nodes > 2 * MAX_NODES:  # keys are nodes as well
            raise _too_much(self.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _scalar(loader: _Loader, node: yaml.ScalarNode) -> bool | int | float | None:
    """Read a word that is tagged, or looks, as one of the schema's scalars."""
    kind, text = node.tag.removeprefix(_TAG), loader.construct_scalar(node)
    if not re.fullmatch(_SCALARS[kind][0], text):
        raise yaml.MarkedYAMLError(problem=f"{text!r} is no {kind}", problem_mark=node.start_mark)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "float":
        return float(re.sub(r"\.(?=inf|nan)", "", text.lower()))
    if len(text) > _LONGEST_INTEGER:
        raise yaml.MarkedYAMLError(problem="integer too long", problem_mark=node.start_mark)
    return int(text, {"0x": 16, "0o": 8}.get(text[:2], 10))


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    """Read a string; two escapes may be the halves of one character, as in JSON."""
    text = loader.construct_scalar(node)
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        problem = "an escape is half a character"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None


# No other tag is known: no dates, sets or binary data, which no key of a study takes.
_SAFE = yaml.SafeLoader.yaml_constructors
_Loader.yaml_constructors = {
    f"{_TAG}str": _text,
    **{f"{_TAG}{kind}": _scalar for kind in ("bool", "null", "int", "float")},
    **{tag: _SAFE[tag] for tag in (f"{_TAG}seq", f"{_TAG}map", None)},
}
_Loader.yaml_implicit_resolvers = {}
for _kind, (_pattern, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(f"^(?:{_pattern})$"), list(_first))


class _Dumper(yaml.SafeDumper):
    """The safe dumper, which quotes every text that the loader above would take for a number."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers

    def ignore_aliases(self, _data: Any) -> bool:
        """Write a value that stands in two places twice."""
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Quote and escape what is not printable: as it is, some of it reads as a blank."""
        style = None if data.isprintable() else '"'
        return self.represent_scalar(f"{_TAG}str", data, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)


def write_yaml(value: Any) -> str:
    """Write plain values as a YAML document; `read_yaml` returns the same values."""
    return yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=98,
    )


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


def _too_much(mark: yaml.Mark) -> InputError:
    return InputError(
        "nested too deep or too many values",
        where=f"line {mark.line + 1}",
        allowed=f"{MAX_DEPTH} levels, {MAX_NODES} values",
    )


def _check(node: yaml.Node, *, depth: int, budget: list[int]) -> None:
    """Walk the node as if aliases were written out, and refuse what no study needs."""
    at = f"line {node.start_mark.line + 1}"
    budget[0] -= 1
    if depth > MAX_DEPTH or budget[0] < 0:
        raise _too_much(node.start_mark)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise InputError("a key must be a word", where=at)
            if key.value in seen and key.tag != f"{_TAG}merge":
                raise InputError(
                    "a key stands twice", where=f"line {key.start_mark.line + 1}", found=key.value
                )
            seen.add(key.value)
            _check(value, depth=depth + 1, budget=budget)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check(value, depth=depth + 1, budget=budget)

"""Whatever stands in a study file: a study, or an InputError, and never another exception."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from priorscope.cli import run_command
from priorscope.errors import InputError
from priorscope.study.load import MOST_RUNS, parse_study
from priorscope.study.plan import plan
from priorscope.study.spec import Study
from priorscope.study.yaml_text import MAX_DEPTH, MAX_NODES, read_yaml

QUICK = settings(max_examples=80, deadline=None, derandomize=True)
TEXT = st.text(max_size=20)
PLAIN = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | TEXT
PLAIN |= st.floats(allow_nan=False, allow_infinity=False)
TREES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)
WORDS = st.sampled_from(
    ["a", "a: ", "- ", "[", "]", "{", "}", "&x ", "*x", "<<: ", "!!", "!!float ", "!!int ",
     "!!set ", "!!python/name:os.system", "\n", "  ", "? ", "|", ">", "'", '"', "#", "\\", "%",
     "---\n", "0x", "1e3", ".nan", "~", "\t", "\x00", "\ufeff", "\u2028", "é", "\U0001f9e0", ","]
)  # fmt: skip


@QUICK
@given(tree=TREES)
def test_json_is_read_as_json_reads_it(tree):
    """JSON is YAML 1.2: the standard library says what must come out."""
    text = json.dumps(tree)
    assert read_yaml(text) == json.loads(text)


@QUICK
@given(text=st.lists(WORDS, max_size=25).map("".join) | st.text(max_size=60))
def test_any_text_is_values_or_an_input_error(text):
    try:
        json.dumps(read_yaml(text))  # plain values, whatever they are
    except InputError as error:
        assert all(letter.isprintable() or letter == "\n" for letter in str(error))


@QUICK
@given(data=st.data(), value=TREES)
def test_a_study_with_any_value_anywhere(data, value, tiny, tmp_path_factory):
    study = yaml.safe_load(tiny)
    node = study
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        if not (isinstance(node[key], dict | list) and node[key]) or data.draw(st.booleans()):
            break
        node = node[key]
    node[key] = value
    try:
        found = parse_study(json.dumps(study), base=tmp_path_factory.getbasetemp())
    except InputError as error:
        assert len(str(error)) < 4000
        return
    assert isinstance(found, Study)
    assert len(plan(found)) == len(found.models) * len(found.seeds)
    json.dumps(found.as_dict(), ensure_ascii=False).encode()  # as it is stored


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: !!float x", "'x' is no float"),
        ("a: !!int 0x", "'0x' is no int"),
        ("a: !!bool maybe", "'maybe' is no bool"),
        ("a: !!null x", "'x' is no null"),
        (r'a: "\ud800 b"', "half a character"),
        ("a: !!timestamp 2001-01-01", "timestamp"),
        ("a: !!binary aGk=", "binary"),
        ("a: !!set {b, c}", "set"),
        ("a: !!python/object/apply:os.system [id]", "python"),
        ("- " * (MAX_DEPTH + 2) + "a", "nested too deep"),
        ("[" * 100_000, "nested too deep"),
        ("a: [" + "1," * (2 * MAX_NODES), f"{MAX_NODES} values"),
        ("a: &a {k: 1}\n<<: [" + "*a, " * MAX_NODES + "*a]", f"{MAX_NODES} values"),
    ],
)
def test_what_no_study_needs_is_refused_with_its_reason(text, words):
    with pytest.raises(InputError) as caught:
        read_yaml(text)
    assert words in str(caught.value)
    assert "line 1" in str(caught.value) or "line 2" in str(caught.value)


def test_limits_let_through_what_they_allow():
    deep = "[" * MAX_DEPTH + "1" + "]" * MAX_DEPTH
    assert read_yaml(deep) == json.loads(deep)
    assert len(read_yaml("[" + "1," * (MAX_NODES - 2) + "1]")) == MAX_NODES - 1
    assert read_yaml("a: &x {k: 1}\nb: {<<: *x, l: 2}") == {"a": {"k": 1}, "b": {"k": 1, "l": 2}}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("seeds: [0]", f"seeds: {list(range(MOST_RUNS // 2 + 1))}", "too many runs"),
        ("1e-3", "1e400", "recipe.learning_rate"),
        ("name: tiny", r'name: "a\e[2Jb"', r"\x1b[2Jb"),
        ("name: tiny", f"name: {'x' * 100_000}", "xxx..."),
        (
            "seeds: [0]",
            f"factors: {{lr: {{key: recipe.weight_decay, levels: {list(range(1001))}}}}}",
            "too many levels",
        ),
    ],
)
def test_what_nobody_can_mean_is_refused_shortly(tiny, tmp_path, before, after, words):
    with pytest.raises(InputError) as caught:
        parse_study(tiny.replace(before, after, 1), base=tmp_path)
    message = str(caught.value)
    assert words in message and len(message) < 4000
    assert all(letter.isprintable() or letter == "\n" for letter in message)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("num_train: 200", "num_train: 1000000000000", "data"),
        ("num_images: 20", "num_images: 99999999999999999999", "probes.combined"),
        ("depth: 1", "depth: 1000000000", "models.vit.depth"),
        ("depth: 1", "mlp_ratio: .inf", "models.vit.mlp_ratio"),
        ("width: 8", "width: !!set {a}", "not a YAML file"),
        ("name: resnet_nano", r'name: "resnet\e[2J"', r"resnet\x1b[2J"),
        ("name: vit_nano", "name: 'timm:resnet18', pretrained: true", "models.vit.pretrained"),
        ("name: tiny", "name: &a [*a]", "study.yaml"),
    ],
)
def test_check_refuses_in_a_sentence(tiny, tmp_path, capsys, before, after, words):
    path = tmp_path / "study.yaml"
    path.write_text(tiny.replace(before, after, 1))
    assert run_command(["check", str(path)]) == 2
    error = capsys.readouterr().err
    assert words in error and "Traceback" not in error and "\x1b" not in error


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"\x00" * 100, b"PAR1", b"a: b\n" * 10])
def test_a_file_of_anything_is_refused_in_a_sentence(content, tmp_path, capsys):
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    assert run_command(["check", str(path)]) == 2
    error = capsys.readouterr().err
    assert str(path) in error and "Traceback" not in error

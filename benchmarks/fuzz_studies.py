"""Study files that are spoilt at random, and what becomes of each."""

import json
import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from fuzz_judge import judge

from priorscope.study.load import load_study, packaged_studies
from priorscope.study.plan import plan

NAMES = ("cnn", "vit", "a.b", "x" * 64, "../up", "/etc/passwd", "CON", "<script>alert(1)</script>")
HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**39, -(10**39), 0.0, 1e-320, 1e308, 0.5),
    *(float("nan"), float("inf"), float("-inf"), "", " ", "nan", "1e999", "no", "null", "~"),
    *("../../etc/passwd", "C:\\nul", "a/b", ".", "..", "./x.py:y", "os:system", "timm:", ":", "::"),
    *("<script>alert(1)</script>", "&lt;", "[/bold]", "{{ 7 * 7 }}", "%s", "\x00", "\x1b[31m"),
    *("\u202e\u2066", "\ud800", "é\u0301" * 30, "\U0001f9e0", "x" * 100_000, "n" * 65),
    *([], {}, [[]], [{}], {"name": None}, {"name": []}, [None] * 50, {"": ""}, list(range(3000))),
    *({"name": "synthetic", "task": ["objects"]}, {"levels": []}, {"key": "data.name"}),
)
SNIPPETS = (
    *("&a [*a]", "*nowhere", "<<: *a", "!!python/object/apply:os.system [id]", "!!binary aGk="),
    *("!!python/name:os.system", "!!timestamp 2001-01-01", "!!set {a, b}", "!!omap [a: 1]"),
    *("!!int 0x", "!!float x", "!!bool maybe", "!!null x", "!<tag:x> y", "%YAML 9.9", "---", "..."),
    *("? [a, b]", "? {a: b}", "- - - -", "\t", "\ufeff", "\x00", "\x85", "\u2028", "\x7f", "#"),
    *(": ", "@", "`", "'", '"', "{", "}", "[", "]", ">", "|", "&", "*"),
    *("9" * 5000, "[" * 3000, "{a: " * 900),
    *("'\\ud800'", '"\\ud800"', '"\\x00"', '"\\e[2J"', "0x" + "f" * 39, "1e400", "-.inf", ".nan"),
)


def _doubling(form: str, times: int) -> str:
    """Let every line name the one before it several times."""
    lines = [f"m{i}: &m{i} {form.replace('*', f'*m{i - 1}')}\n" for i in range(1, times)]
    return "".join(["m0: &m0 {k: 1}\n", *lines])


BOMBS = (
    _doubling("[*, *]", 25),
    _doubling("{x: *, y: *, z: *}", 11),
    _doubling("{<<: [*, *, *, *, *, *, *, *, *]}", 9),
    "&a [*a]",
    "a: &a\n  b: *a\n",
    "<<: &a {<<: *a}\n",
)


def spoilt(seed: int) -> bytes:
    """Make the study file of a seed: a packaged or a made one, spoilt one to three times."""
    rng = random.Random(seed)
    texts = [path.read_text(encoding="utf-8") for path in packaged_studies().values()]
    text = rng.choice(texts) if rng.random() < 0.5 else written(made(rng))
    for _ in range(rng.randint(1, 3)):
        text = rng.choice((_spoil_tree, _spoil_tree, _spoil_text, _spoil_lines))(text, rng)
    content = text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.2:
        content = _spoil_bytes(content, rng)
    if rng.random() < 0.03:
        bomb = rng.choice(BOMBS).encode()
        content = bomb if rng.random() < 0.5 else content + b"\n" + bomb
    return content


def made(rng: random.Random) -> dict[str, Any]:
    """Make a study by the grammar of study files; most are valid."""
    models: dict[str, Any] = {
        "cnn": {"name": "resnet_nano", "width": rng.choice([8, 16])},
        "vit": {"name": "vit_nano", "embed_dim": 16, "depth": rng.randint(1, 4), "num_heads": 2},
        "mixer": {"name": "skeleton", "mixer": rng.choice(["identity", "global_attention"])},
        "pixels": {"name": "linear"},
    }
    names = rng.sample(list(models), rng.randint(2, 4))
    recipe = {
        "learning_rate": rng.choice([1e-3, 0.1]),
        "batch_size": rng.randint(1, 512),
        "epochs": rng.randint(1, 100),
        "optimizer": rng.choice(["adam", "adamw", "sgd"]),
        "augment": rng.sample(["random_crop", "horizontal_flip"], rng.randint(0, 2)),
        "clip_grad_norm": rng.choice([None, 1.0]),
    }
    study: dict[str, Any] = {
        "name": rng.choice(["tiny", "a-b_c.1"]),
        "description": rng.choice(["", "Words.", "A < B & C"]),
        "data": {"name": "synthetic", "task": "objects", "num_train": rng.randint(10, 500)},
        "recipe": {key: recipe[key] for key in rng.sample(list(recipe), rng.randint(0, 6))},
        "models": {name: models[name] for name in names},
        "seeds": rng.sample(range(20), rng.randint(1, 4)),
        "probes": {"combined": {"name": "mosaic", "num_images": 20}},
    }
    at = {}
    if rng.random() < 0.5:
        study["factors"] = {"train_fraction": [0.1, 0.5, 1.0]}
        at = {"at": {"train_fraction": 0.5}}
    probe, metric = rng.choice([("test", "top1"), ("combined", "top_k_matching")])
    expect = rng.choice(["less", "greater", "equivalent", "different"])
    margin = {"margin": 0.1} if expect == "equivalent" else {}
    about = {"probe": probe, "metric": metric, "expect": expect, **margin, **at}
    pair = {"a": names[0], "b": names[1]}
    hypothesis = {"id": "H1", "statement": "One is better.", "contrast": pair, **about}
    study["hypotheses"] = [hypothesis][: rng.randint(0, 1)]
    if rng.random() < 0.3:
        study["controls"] = [{"model": names[0], "within": [0.0, 1.0], **at}]
    if rng.random() < 0.3:
        study["declared"] = {"num_parameters": "they differ by design"}
    return study


def written(value: Any) -> str:
    """Write a study as YAML."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)


def _spoil_tree(text: str, rng: random.Random) -> str:
    """Change one value or key of a parsed study; text that is no YAML any more is left alone."""
    try:
        tree = yaml.safe_load(text)
    except Exception:  # PyYAML raises almost anything on wrong values of known tags
        return text
    places = list(_places(tree)) if isinstance(tree, dict | list) else []
    if not places:
        return text
    parent, key = rng.choice(places)
    match rng.randint(0, 5):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, dict):
            parent[rng.choice([*NAMES, 5, None, True, 1.5])] = parent.pop(key)
        case 2 if isinstance(parent, dict):
            parent[_near(str(key), rng)] = rng.choice(HOSTILE)
        case 3:
            other, other_key = rng.choice(places)
            parent[key] = json.loads(json.dumps(other[other_key], default=str))
        case 4:
            value = parent[key]
            for _ in range(rng.choice([1, 5, 30])):
                value = [value] if rng.random() < 0.5 else {"x": value}
            parent[key] = value
        case _:
            parent[key] = rng.choice(HOSTILE)
    try:
        return written(tree)
    except Exception:  # a tree that YAML cannot write; the text that it came from is no less spoilt
        return text


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in entries:
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _near(word: str, rng: random.Random) -> str:
    position = rng.randrange(len(word) + 1)
    return word[:position] + rng.choice(string.printable) + word[position + 1 :]


def _spoil_text(text: str, rng: random.Random) -> str:
    position = rng.randrange(len(text) + 1)
    end = position if rng.random() < 0.5 else min(len(text), position + rng.randint(1, 20))
    return text[:position] + rng.choice(SNIPPETS) + text[end:]


def _spoil_lines(text: str, rng: random.Random) -> str:
    lines = text.splitlines() or [""]
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randint(0, 3):
        case 0:
            lines[i], lines[j] = lines[j], lines[i]
        case 1:
            lines.insert(j, lines[i])
        case 2:
            lines[i] = " " * rng.randint(1, 5) + lines[i]
        case _:
            lines = lines[:i]
    return "\n".join(lines)


def _spoil_bytes(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed[: rng.randrange(len(changed) + 1)] if rng.random() < 0.3 else changed)


def outcome_of_study(content: bytes, folder: Path) -> tuple[str, str]:
    """Load and plan a study file as `run` does.

    Returns
    -------
    "valid" or "refused"; else "wrong" with what happened
    """
    path = folder / "study.yaml"
    path.write_bytes(content)

    def load() -> str:
        study = load_study(str(path))
        plan(study)
        json.dumps({"hash": study.hash, **study.as_dict()}, ensure_ascii=False).encode()
        return "valid"

    return judge(load)

"""References in a study: what is found, what is refused, and with which words."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, PositiveInt

from priorscope.components import PACKAGES, bind, listing, resolve
from priorscope.errors import InputError


def example(source, *, rng, size: PositiveInt, kind: Literal["a", "b"] = "a", part: float = 0.5):
    return source, rng, size, kind, part


def bounded(
    *,
    num: Annotated[int, Field(ge=2, le=6)] = 3,
    part: Annotated[float, Field(gt=0, lt=0.5)] | None = None,
    names: tuple[str, ...] = (),
):
    return num, part, names


@pytest.mark.parametrize("kind", PACKAGES)
def test_every_listed_component_resolves_and_has_a_summary(kind, tmp_path):
    found = listing(kind)
    assert found
    for name, component in found.items():
        assert resolve(kind, name, base=tmp_path).__name__ == name
        assert component.summary, f"{kind} {name} needs a docstring"


def test_listing_imports_nothing():
    code = "import sys; from priorscope.components import listing; listing('models');"
    subprocess.run(
        [sys.executable, "-c", code + "sys.exit('priorscope.models.vit_nano' in sys.modules)"],
        check=True,
    )


def test_unknown_name_offers_the_nearest(tmp_path):
    with pytest.raises(InputError, match="unknown model: resnet_nan") as caught:
        resolve("models", "resnet_nan", base=tmp_path, where="models.cnn.name")
    assert "did you mean resnet_nano?" in str(caught.value)
    assert "models.cnn.name" in str(caught.value)


def test_a_users_file_is_found_beside_the_study(tmp_path):
    (tmp_path / "mine.py").write_text("def build(*, num_classes, image_px): return 42\n")
    build = resolve("models", "./mine.py:build", base=tmp_path)
    assert build(num_classes=1, image_px=1) == 42


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("./absent.py:build", "no such file"),
        ("./broken.py:build", "cannot import"),
        ("./mine.py:biuld", "did you mean build?"),
        ("no.such.module:build", "cannot import"),
    ],
)
def test_bad_references_are_refused(tmp_path, reference, words):
    (tmp_path / "mine.py").write_text("def build(): ...\n")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(InputError) as caught:
        resolve("models", reference, base=tmp_path)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "path", "words"),
    [
        ({"size": -1}, "probes.p.size", "greater than 0"),
        ({"size": "3"}, "probes.p.size", "valid integer"),
        ({"size": 3, "kind": "c"}, "probes.p.kind", "'a' or 'b'"),
        ({}, "probes.p.size", "missing"),
        ({"size": 3, "pert": 1.0}, "probes.p.pert", "did you mean part?"),
        ({"size": 3, "rng": 1}, "probes.p.rng", "unknown parameter"),
        ({"size": True}, "probes.p.size", "valid integer"),
    ],
)
def test_parameters_are_checked_against_the_signature(parameters, path, words):
    with pytest.raises(InputError) as caught:
        bind(example, parameters, where="probes.p", reserved=("rng",))
    assert path in str(caught.value)
    assert words in str(caught.value)


def test_bound_values_are_those_given_and_nothing_else():
    assert bind(example, {"size": 3, "part": 1}, where="p", reserved=("rng",)) == {
        "size": 3,
        "part": 1.0,
    }
    assert bind(bounded, {"num": 2, "names": ["a"]}, where="p") == {"num": 2, "names": ("a",)}
    with pytest.raises(InputError, match="value not allowed"):
        bind(bounded, {"num": 7}, where="p")


@pytest.mark.parametrize(
    ("parameters", "allowed"),
    [
        ({"num": 7}, "at least 2, at most 6"),
        ({"num": 1}, "at least 2, at most 6"),
        ({"part": 0.5}, "greater than 0, less than 0.5"),
        ({"num": "x"}, "Input should be a valid integer"),
    ],
)
def test_a_number_out_of_range_is_told_both_ends(parameters, allowed):
    with pytest.raises(InputError) as caught:
        bind(bounded, parameters, where="p")
    assert caught.value.allowed == allowed


def test_what_may_stand_beside_the_parameters_is_named_with_them():
    with pytest.raises(InputError) as caught:
        bind(bounded, {"sed": 1}, where="p", beside=("seed",))
    assert caught.value.allowed == "names, num, part, seed"
    assert caught.value.hint == "did you mean seed?"


def test_a_path_is_relative_to_the_study(tmp_path):
    def reads(*, folder: Path | None = None): ...

    assert bind(reads, {"folder": "pictures"}, where="p", base=tmp_path) == {
        "folder": tmp_path / "pictures"
    }
    assert bind(reads, {"folder": "/pictures"}, where="p", base=tmp_path) == {
        "folder": Path("/pictures")
    }
    assert bind(reads, {}, where="p", base=tmp_path) == {}

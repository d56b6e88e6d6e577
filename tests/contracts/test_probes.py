"""What every packaged probe must do."""

from pathlib import Path

import numpy as np
import pytest

from priorscope.analysis.profile import family_of
from priorscope.bias import plain_biases
from priorscope.components import companion, listing, resolve
from priorscope.data.synthetic import synthetic
from priorscope.errors import InputError
from priorscope.runs.answers import fingerprint_of
from priorscope.runs.prepare import build_probe
from priorscope.study.spec import Component

# Images that somebody else made: they need a file, and neither sizes nor controls can be chosen.
FROM_FILES = {"report_background", "corruptions", "unseen_set"}
FROM_FACTORS = {"cue_conflict"}
PROBES = sorted(set(listing("probes")) - FROM_FILES)


@pytest.fixture
def source(source, name):
    """Images of any kind, but for probes that need to know what theirs are drawn from."""
    if name in FROM_FACTORS:
        return synthetic(root=Path(), task="cues", num_train=4, num_test=200).test
    return source


def build(name, source, tmp_path, *, called="p", **parameters):
    component = Component(name, {"num_images": 30, **parameters})
    return build_probe(component, source, tmp_path, where="probes.p", name=called)


@pytest.mark.parametrize("name", PROBES)
def test_every_arm_shows_every_scene_once(name, source, tmp_path):
    probe = build(name, source, tmp_path)
    assert len(probe.arms) >= 2, "every probe has control conditions"
    for arm in probe.arms:
        assert sorted(probe.ids[probe.conditions["arm"] == arm]) == list(range(30))


@pytest.mark.parametrize("name", PROBES)
def test_what_a_profile_says_is_of_arms_that_there_are(name, source, tmp_path):
    said = companion(resolve("probes", name, base=tmp_path), "BIASES")
    arms = build(name, source, tmp_path).arms
    for family, bias in plain_biases(said, name).items():
        assert family in map(family_of, arms) and bias["control"] in arms
        assert all(bias.values())


@pytest.mark.parametrize("name", PROBES)
def test_targets_are_classes_of_the_source(name, source, tmp_path):
    probe = build(name, source, tmp_path)
    assert probe.class_names == source.class_names
    if probe.targets.ndim == 2:
        assert probe.targets.dtype == bool
        assert probe.targets.any(axis=1).all()
    else:
        assert set(probe.targets) <= set(range(10))


@pytest.mark.parametrize("name", PROBES)
def test_the_name_in_the_study_decides_the_randomness(name, source, tmp_path):
    first, again, other = (
        fingerprint_of(build(name, source, tmp_path, called=called)) for called in ("a", "a", "b")
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("name", PROBES)
def test_the_source_is_left_as_it_was(name, source, tmp_path):
    before = source.images.copy()
    build(name, source, tmp_path)
    np.testing.assert_array_equal(before, source.images)


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize("num_images", [-1, 0, "many", 2.5])
def test_impossible_sizes_are_refused_with_the_path(name, num_images, source, tmp_path):
    with pytest.raises(InputError) as caught:
        build(name, source, tmp_path, num_images=num_images)
    assert "probes.p.num_images" in str(caught.value)


@pytest.mark.parametrize("name", sorted(FROM_FILES))
def test_missing_files_are_named(name, source, tmp_path):
    component = Component(name, {"path": "absent.parquet"})
    with pytest.raises(InputError) as caught:
        build_probe(component, source, tmp_path, where="probes.p", name="p")
    assert str(tmp_path / "absent.parquet") in str(caught.value)
    assert caught.value.where.startswith("probes.p")

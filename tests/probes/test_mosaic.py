import numpy as np
import pytest
from PIL import Image
from scipy import stats

from priorscope.components import bind
from priorscope.data import LabeledImages
from priorscope.errors import InputError
from priorscope.probes.mosaic import mosaic


def make(source, seed=0, **parameters):
    return mosaic(source, rng=np.random.default_rng(seed), **parameters)


def tiles_of(picture: np.ndarray, grid: int) -> list[np.ndarray]:
    rows = np.split(picture, grid, axis=0)
    return [tile for row in rows for tile in np.split(row, grid, axis=1)]


@pytest.mark.parametrize("grid", [2, 3])
def test_tiles_are_source_images_of_the_distinct_classes_in_the_targets(source, owner, grid):
    find = owner(source)
    probe = make(source, num_images=25, grid=grid)
    side = grid * source.image_px
    assert probe.images.shape == (75, side, side, 3)
    assert probe.targets.shape == (75, 10) and probe.targets.dtype == bool
    for picture, target in zip(probe.images[:25], probe.targets[:25], strict=True):
        classes = {int(source.labels[find(tile)]) for tile in tiles_of(picture, grid)}
        assert len(classes) == grid**2
        assert classes == set(np.flatnonzero(target).tolist())


def test_arms_conditions_and_ids(small):
    probe = make(small, num_images=7, grid=3)
    assert probe.arms == ("mosaic", "single_tile", "enlarged_tile")
    assert probe.ids.tolist() == [*range(7)] * 3
    assert probe.targets.sum(1).tolist() == [9] * 7 + [1] * 14
    assert probe.conditions["num_tiles"].tolist() == [9] * 7 + [1] * 14
    assert probe.conditions["scale"].tolist() == [1 / 3] * 14 + [1.0] * 7
    assert probe.class_names == small.class_names


@pytest.mark.parametrize("grid", [2, 3])
def test_controls_show_the_same_tile_of_the_scene(source, owner, grid):
    find, n = owner(source), 30
    probe = make(source, num_images=n, grid=grid)
    side = grid * source.image_px
    for k in range(n):
        whole, alone = tiles_of(probe.images[k], grid), tiles_of(probe.images[n + k], grid)
        shown = [i for i, tile in enumerate(alone) if not (tile == 128).all()]
        assert len(shown) == 1
        tile = alone[shown[0]]
        assert np.array_equal(tile, whole[shown[0]])  # in its own place
        label = source.labels[find(tile)]
        assert np.flatnonzero(probe.targets[n + k]).tolist() == [label]
        assert np.flatnonzero(probe.targets[2 * n + k]).tolist() == [label]
        # Pillow's bilinear enlargement is a second implementation.
        expected = np.asarray(Image.fromarray(tile).resize((side, side), Image.Resampling.BILINEAR))
        assert np.abs(probe.images[2 * n + k].astype(int) - expected.astype(int)).max() <= 1


def test_classes_places_and_images_are_uniform(small, owner):
    find, n = owner(small), 3000
    probe = make(small, num_images=n, grid=2)
    assert stats.chisquare(probe.targets[:n].sum(0)).pvalue > 1e-3
    # Pairs of classes, too: drawing without replacement has no favourites.
    together = probe.targets[:n].astype(int).T @ probe.targets[:n].astype(int)
    assert stats.chisquare(together[np.triu_indices(10, 1)]).pvalue > 1e-3
    used = [[find(tile) for tile in tiles_of(picture, 2)] for picture in probe.images[:n]]
    assert stats.chisquare(np.bincount(np.ravel(used), minlength=len(small))).pvalue > 1e-3
    first = small.labels[np.array(used)[:, 0]]
    assert stats.chisquare(np.bincount(first, minlength=10)).pvalue > 1e-3
    shown = [
        int(np.argmax([(tile != 128).any() for tile in tiles_of(picture, 2)]))
        for picture in probe.images[n : 2 * n]
    ]
    assert stats.chisquare(np.bincount(shown, minlength=4)).pvalue > 1e-3


def test_seed_decides_everything(small):
    one, same, other = make(small, 1), make(small, 1), make(small, 2)
    assert np.array_equal(one.images, same.images)
    assert np.array_equal(one.targets, same.targets)
    assert not np.array_equal(one.images, other.images)


def test_without_controls_the_mosaics_are_the_same(small):
    both, alone = make(small, num_images=50), make(small, num_images=50, controls=False)
    assert alone.arms == ("mosaic",)
    assert np.array_equal(alone.images, both.images[:50])
    assert np.array_equal(alone.targets, both.targets[:50])


def test_default_size_is_stated(small):
    assert len(make(small)) == 3 * 2000


def test_classes_without_images_are_never_drawn(small):
    kept = np.flatnonzero(small.labels != 3)
    part = LabeledImages(small.images[kept], small.labels[kept], small.class_names, "part")
    probe = make(part, num_images=300, grid=3)
    assert probe.targets.shape[1] == 10
    assert not probe.targets[:, 3].any()
    assert probe.targets[:300].sum(0).tolist() == [300, 300, 300, 0, *[300] * 6]


def test_read_only_source(small):
    frozen = small.images.copy()
    frozen.flags.writeable = False
    probe = make(LabeledImages(frozen, small.labels, small.class_names, "x"), num_images=20)
    assert np.array_equal(probe.images, make(small, num_images=20).images)


def test_too_many_tiles_say_the_largest_grid(small):
    with pytest.raises(InputError) as caught:
        make(small, grid=4)
    assert caught.value.where == "grid"
    assert "4" in str(caught.value.found) and "16" in str(caught.value.found)
    assert caught.value.allowed == "2 .. 3"


def test_three_classes_are_too_few(small):
    kept = np.flatnonzero(small.labels < 3)
    part = LabeledImages(small.images[kept], small.labels[kept], small.class_names[:3], "part")
    with pytest.raises(InputError, match="class of its own") as caught:
        make(part)
    assert "4 classes" in str(caught.value.allowed)


@pytest.mark.parametrize(
    "parameters", [{"grid": 1}, {"grid": 9}, {"num_images": 0}, {"num_images": -5}, {"grid": "2"}]
)
def test_a_study_refuses_impossible_values(parameters):
    with pytest.raises(InputError) as caught:
        bind(mosaic, parameters, where="probes.combined", reserved=("rng",))
    assert caught.value.where == f"probes.combined.{next(iter(parameters))}"

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from priorscope.errors import InputError
from priorscope.probes._backgrounds import KINDS
from priorscope.probes.large_background import large_background


def make(source, seed=0, **parameters):
    return large_background(source, rng=np.random.default_rng(seed), **parameters)


def place_on_grey(picture: np.ndarray) -> tuple[slice, slice]:
    """Find the object on grey: noise images hold no whole grey row or column."""
    found = (picture != 128).any(-1)
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def test_every_arm_shows_the_same_object(source, owner):
    find, n, canvas, px = owner(source), 40, 128, source.image_px
    probe = make(source, num_images=n, num_backgrounds=3)
    assert probe.images.shape == (3 * n, canvas, canvas, 3)
    for k in range(n):
        grey = probe.images[n + k].copy()
        place = place_on_grey(grey)
        item = grey[place].copy()
        assert item.shape == (px, px, 3)
        assert source.labels[find(item)] == probe.targets[k]
        assert np.array_equal(probe.images[k][place], item)
        grey[place] = 128
        assert (grey == 128).all()
        expected = np.asarray(Image.fromarray(item).resize((canvas, canvas), Image.BILINEAR))
        assert np.abs(probe.images[2 * n + k].astype(int) - expected.astype(int)).max() <= 1


def test_classes_and_backgrounds_cycle_as_in_the_report(small):
    probe = make(small, num_images=200, canvas_px=16)
    assert probe.targets.tolist() == [*range(10)] * 60
    names = probe.clusters
    assert names.tolist() == [kind for kind in list(KINDS)[:20] for _ in range(10)] * 3
    pairs = set(zip(names[:200].tolist(), probe.targets[:200].tolist(), strict=True))
    assert len(pairs) == 200


def test_arms_conditions_and_ids(small):
    probe = make(small, num_images=4, canvas_px=24)
    assert probe.arms == ("background", "grey", "enlarged")
    assert probe.ids.tolist() == [0, 1, 2, 3] * 3
    assert probe.conditions["scale"].tolist() == [0.25] * 8 + [1.0] * 4
    assert probe.conditions["background"].tolist() == ["picture"] * 4 + ["grey"] * 4 + ["none"] * 4


def test_places_and_images_are_uniform(small, owner):
    find, n = owner(small), 4000
    probe = make(small, num_images=n, canvas_px=13, num_backgrounds=1)  # 8 x 8 places
    places = [place_on_grey(picture) for picture in probe.images[n : 2 * n]]
    counts = np.zeros((8, 8))
    for rows, columns in places:
        counts[rows.start, columns.start] += 1
    assert stats.chisquare(counts.ravel()).pvalue > 1e-3
    used = [find(probe.images[n + k][place]) for k, place in enumerate(places)]
    assert stats.chisquare(np.bincount(used, minlength=len(small))).pvalue > 1e-3


@pytest.fixture
def folder(tmp_path):
    """Two pictures in which a pixel tells its own place and picture."""
    for blue, (name, size) in enumerate({"b.png": (60, 40), "a.png": (30, 33)}.items()):
        rows, columns = np.mgrid[: size[0], : size[1]]
        pixels = np.stack([rows, columns, np.full_like(rows, blue)], -1).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def test_crops_of_a_folder_are_uniform_and_unscaled(small, folder):
    n = 6000
    probe = make(small, num_images=n, canvas_px=30, backgrounds=folder)
    assert probe.clusters[:30].tolist() == ["a.png"] * 10 + ["b.png"] * 10 + ["a.png"] * 10
    rows, columns = np.mgrid[:30, :30]
    corners = {"a.png": [], "b.png": []}
    for k in range(n):
        place = place_on_grey(probe.images[n + k])
        outside = np.ones((30, 30), bool)
        outside[place] = False
        red, green, blue = np.moveaxis(probe.images[k][outside].astype(int), -1, 0)
        top, left = red - rows[outside], green - columns[outside]
        assert np.ptp(top) == np.ptp(left) == 0  # one crop, at the picture's own size
        assert (blue == (probe.clusters[k] == "a.png")).all()
        corners[probe.clusters[k]].append((top[0], left[0]))
    for name, shape in (("a.png", (1, 4)), ("b.png", (31, 11))):
        counts = np.zeros(shape)
        for corner in corners[name]:
            counts[corner] += 1
        assert stats.chisquare(counts.ravel()).pvalue > 1e-3


def test_seed_decides_everything(small):
    one, same, other = (make(small, seed, num_images=60, canvas_px=24) for seed in (1, 1, 2))
    assert np.array_equal(one.images, same.images)
    assert not np.array_equal(one.images[:60], other.images[:60])


def test_objects_and_places_do_not_depend_on_the_backgrounds(small, folder):
    one = make(small, num_images=60, canvas_px=24)
    two = make(small, num_images=60, canvas_px=24, backgrounds=folder)
    assert np.array_equal(one.images[60:120], two.images[60:120])
    assert not np.array_equal(one.images[:60], two.images[:60])


def test_without_controls_the_pictures_are_the_same(small):
    both = make(small, num_images=30, canvas_px=24)
    alone = make(small, num_images=30, canvas_px=24, controls=False)
    assert alone.arms == ("background",)
    assert np.array_equal(alone.images, both.images[:30])


def test_more_backgrounds_than_kinds_have_their_own_names_and_pictures(small):
    num = len(KINDS) + 1
    probe = make(small, num_images=10 * num, canvas_px=6, num_backgrounds=num, picture_px=6)
    assert len(set(probe.clusters.tolist())) == num
    assert probe.clusters[10 * num - 1] == "grass-2"


def test_canvas_of_the_image_s_size_shows_the_object_only(small, owner):
    find = owner(small)
    probe = make(small, num_images=20, canvas_px=6)
    for picture, target in zip(probe.images, probe.targets, strict=True):
        assert small.labels[find(picture)] == target


def refused(source, **parameters) -> InputError:
    with pytest.raises(InputError) as caught:
        make(source, num_images=10, **parameters)
    return caught.value


def test_canvas_smaller_than_the_image(small):
    error = refused(small, canvas_px=5)
    assert (error.where, error.found, error.allowed) == ("canvas_px", 5, "at least 6")


def test_picture_smaller_than_the_canvas(small):
    assert refused(small, canvas_px=24, picture_px=20).where == "picture_px"


def test_missing_folder(small, tmp_path):
    assert "gone" in str(refused(small, backgrounds=tmp_path / "gone").found)


def test_folder_without_pictures(small, tmp_path):
    (tmp_path / "notes.txt").write_text("")
    error = refused(small, backgrounds=tmp_path)
    assert error.where == "backgrounds" and ".png" in str(error.allowed)


def test_folder_with_too_few_pictures(small, folder):
    error = refused(small, canvas_px=30, backgrounds=folder, num_backgrounds=3)
    assert (error.found, error.allowed) == (3, "1 .. 2")


def test_small_picture_is_named(small, folder):
    error = refused(small, canvas_px=32, backgrounds=folder)
    assert "a.png" in str(error.where) and error.found == "30 px"


@pytest.mark.parametrize("keep_bytes", [0, 20, 70])
def test_damaged_picture_is_named(small, folder, keep_bytes):
    whole = (folder / "b.png").read_bytes()
    assert len(whole) > 110
    (folder / "b.png").write_bytes(whole[:keep_bytes])
    (folder / "a.png").unlink()
    assert "b.png" in str(refused(small, canvas_px=30, backgrounds=folder).where)


def test_grey_and_palette_pictures_become_rgb(small, tmp_path):
    Image.new("L", (16, 16), 77).save(tmp_path / "grey.png")
    Image.new("P", (16, 16)).save(tmp_path / "palette.png")
    probe = make(small, num_images=20, canvas_px=16, backgrounds=tmp_path)
    outside = (probe.images[20] == 128).all(-1)
    assert (probe.images[0][outside] == 77).all()


def test_pictures_of_other_depths_are_scaled_or_refused(small, tmp_path):
    Image.fromarray(np.full((16, 16), 30_000, np.uint16)).save(tmp_path / "deep.png")
    Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(tmp_path / "empty.jfif", "PNG")
    probe = make(small, num_images=20, canvas_px=16, backgrounds=tmp_path)
    outside = (probe.images[20] == 128).all(-1)
    assert (probe.images[0][outside] == round(30_000 * 255 / 65_535)).all()
    assert probe.clusters[10] == "empty.jfif" and (probe.images[10][outside] == 255).any()
    for values in (np.full((16, 16), 4_000, np.uint16), np.full((16, 16), 0.5, np.float32)):
        Image.fromarray(values).save(tmp_path / "deep.png", "TIFF")
        error = refused(small, canvas_px=16, backgrounds=tmp_path)
        assert "deep.png" in str(error.where) and "PNG of 8 bits" in str(error.hint)


def test_picture_px_is_refused_for_a_folder(small, folder):
    assert refused(small, backgrounds=folder, picture_px=64).where == "picture_px"


def test_a_source_without_images_is_refused(small):
    assert refused(small.take(np.arange(0))).found == "0 images"

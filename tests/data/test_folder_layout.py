"""Which folders are splits and which are classes; what is unclear is refused with its keys."""

import unicodedata

import pytest
from image_sets import colours_of, fill, paint

from priorscope.data._folder_names import lookalikes, role_of
from priorscope.data.image_folder import image_folder, sources
from priorscope.errors import InputError

PAIRS = [
    *(("train", "test"), ("Train", "Test"), ("TRAIN", "TEST"), ("training", "testing")),
    *(("training_set", "test_set"), ("TrainSet", "TestSet"), ("train-data", "test data")),
    *(("trainset", "testset"), ("train_images", "test_images")),
]
VALIDATION = ["val", "Val", "valid", "validation", "dev", "eval", "val2017", "validation_set"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def read(tmp_path):
    def read(**parameters):
        return image_folder(root=tmp_path, path="set", **parameters)

    return read


@pytest.fixture
def refused(read):
    def refused(problem, **parameters):
        with pytest.raises(InputError, match=problem) as caught:
            read(**parameters)
        return str(caught.value)

    return refused


def assert_splits(dataset, painted, train, test):
    for images, top in ((dataset.train, train), (dataset.test, test)):
        assert colours_of(images) == {
            name: sorted(colours) for (of, name), colours in painted.items() if of == top
        }


@pytest.mark.parametrize(("train", "test"), PAIRS)
def test_common_names_in_any_case_are_splits(tmp_path, read, train, test):
    painted = fill(tmp_path / "set", (train, test))
    dataset = read()
    assert_splits(dataset, painted, train, test)
    assert dataset.notes == dataset.warnings == ()


@pytest.mark.parametrize("val", VALIDATION)
def test_validation_is_the_test_split_where_there_is_no_other_and_left_out_beside_one(
    tmp_path, read, val
):
    painted = fill(tmp_path / "set", ("train", val))
    dataset = read()
    assert_splits(dataset, painted, "train", val)
    (note,) = dataset.notes
    assert f"'{val}' is the test split" in note
    painted |= fill(tmp_path / "set", ("test",))
    dataset = read()
    assert_splits(dataset, painted, "train", "test")
    (note,) = dataset.notes
    assert note == f"not read beside 'train' and 'test': '{val}'"


def test_a_word_is_a_split_only_as_a_whole():
    assert role_of("Train") == "train" and role_of("test_set") == "test"
    for name in ("trains", "contest", "valley", "detest", "attrain", "train_station", "evaluated"):
        assert role_of(name) is None, name


@pytest.mark.parametrize("name", ["train", "test", "valid", "train_station"])
def test_a_class_may_be_called_like_a_split_among_others(tmp_path, read, name):
    fill(tmp_path / "set", classes=("bus", "car", name))
    assert read().train.class_names == tuple(sorted(("bus", "car", name)))


def test_classes_settle_what_may_be_splits_or_classes(tmp_path, read, refused):
    painted = fill(tmp_path / "set", classes=("bus", "test", "train"), number=10)
    text = refused("may be splits or classes")
    assert "classes: [...]" in text and "train: and test:" in text and "'test'" in text
    dataset = read(classes=("train", "bus", "test"))
    both = [colours_of(images) for images in (dataset.train, dataset.test)]
    for name in ("bus", "test", "train"):
        found = sorted(both[0][name] + both[1][name])
        assert found == sorted(painted["", name])


@pytest.mark.parametrize(
    ("tops", "classes"),
    [
        (("",), ("train", "test")),  # images and no class folders
        (("",), ("train", "test", "sample")),
        (("train", "training", "test"), ("ant", "bee")),
        (("train", "test", "testing"), ("ant", "bee")),
        (("train", "val", "dev"), ("ant", "bee")),
        (("train", "unseen"), ("ant", "bee")),
        (("train_left", "test_left", "train_right"), ("ant", "bee")),
        (("first half", "second half"), ("ant", "bee")),
        (("Art", "Clipart", "Product"), ("ant", "bee", "cow")),
    ],
)
def test_what_is_unclear_is_refused_with_the_keys_that_settle_it(tmp_path, refused, tops, classes):
    fill(tmp_path / "set", tops, classes)
    text = refused("may be splits or classes")
    assert str(tmp_path / "set") in text and "train: and test:" in text and "classes: [" in text


@pytest.mark.parametrize(
    ("tops", "classes"),
    [
        (("",), ("images", "labels")),
        (("",), ("JPEGImages", "Annotations")),
        (("images", "masks"), ("ant", "bee")),
        (("train", "test"), ("images", "labels")),
        (("train_images", "train_labels"), ("ant", "bee")),
    ],
)
def test_images_and_their_labels_are_no_classes(tmp_path, read, refused, tops, classes):
    fill(tmp_path / "set", tops, classes)
    assert "if they are classes, say so: classes: [" in refused("look like images and their labels")
    if len(tops) == 2 and tops[0] != "train":
        return
    assert read(classes=classes).train.class_names == tuple(sorted(classes))


def test_train_and_test_name_the_folders_of_the_splits(tmp_path, read, refused):
    painted = fill(tmp_path / "set", ("images/one", "two", "three"))
    dataset = read(train="images/one", test="two")
    assert_splits(dataset, painted, "images/one", "two")
    assert "go together" in refused("train and test go together", train="two")
    text = refused("no such folder", train="two", test="tree")
    assert "did you mean three?" in text and "test" in text
    refused("overlap", train="two", test="two")
    refused("overlap", train="images", test="images/one")
    assert sources(root=tmp_path, path="set", train="two", test="three") == [
        tmp_path / "set" / "two",
        tmp_path / "set" / "three",
    ]


def test_a_class_that_is_not_there_is_refused_with_the_nearest(tmp_path, refused):
    fill(tmp_path / "set", classes=("ant", "bee", "cow"))
    text = refused("unknown class folder: bea", classes=("ant", "bea"))
    assert "did you mean bee?" in text and str(tmp_path / "set") in text
    for few in ((), ("ant",), ("ant", "ant")):
        assert "classes" in refused("at least two classes are needed", classes=few)


def test_classes_that_are_left_out_are_said(tmp_path, read):
    fill(tmp_path / "set", ("train", "test"), ("ant", "bee", "cow"))
    dataset = read(classes=("ant", "cow"))
    assert dataset.train.class_names == ("ant", "cow")
    assert dataset.notes == ("folders that `classes` leaves out: 2 ('test/bee', 'train/bee')",)


def test_unicode_forms_of_one_name_are_one_class(tmp_path, read):
    composed, apart = (unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD"))
    assert composed != apart
    painted = fill(tmp_path / "set", ("train",), (composed, "tea"))
    painted |= fill(tmp_path / "set", ("test",), (apart, "tea"))
    dataset = read()
    assert dataset.train.class_names == dataset.test.class_names == (composed, "tea")
    more = [paint(tmp_path / "set" / "train" / apart / f"{i}.png") for i in range(2)]
    dataset = read()
    expected = sorted(painted["train", composed] + more)
    assert colours_of(dataset.train)[composed] == expected
    assert any("two Unicode forms" in note and composed in note for note in dataset.notes)


def test_names_that_differ_in_blanks_or_case_are_said_and_not_mixed_up(tmp_path, read, refused):
    fill(tmp_path / "set", classes=("Cat", "cat", "cat ", "dog"))
    (warning,) = read().warnings
    assert "'Cat', 'cat', 'cat '" in warning and "read as 3" in warning and "'dog'" not in warning
    fill(tmp_path / "other", ("train",), ("cat", "tea"))
    fill(tmp_path / "other", ("test",), ("cat ", "tea"))
    with pytest.raises(InputError, match="different classes") as caught:
        image_folder(root=tmp_path, path="other")
    assert "only in train: 'cat'; only in test: 'cat '" in str(caught.value)
    assert "differ in blanks" in str(caught.value)
    assert lookalikes(["ice cream", "ice_cream", "Ice-Cream", "ice"]) == [
        ["Ice-Cream", "ice cream", "ice_cream"]
    ]


def test_a_name_that_is_no_utf8_is_written_with_escapes(tmp_path, read):
    fill(tmp_path / "set")
    paint(tmp_path / "set" / "b\udcff" / "0.png")
    for i in range(1, 5):
        paint(tmp_path / "set" / "b\udcff" / f"{i}.png")
    names = read().train.class_names
    assert names == ("ant", "b\\xff", "bee")
    "".join(names).encode("utf-8")


def test_splits_that_are_one_folder_are_refused(tmp_path, refused):
    fill(tmp_path / "set", ("train",))
    (tmp_path / "set" / "test").symlink_to("train")
    refused("the folders of train and test are one")

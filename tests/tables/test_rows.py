"""Which rows of several files belong together."""

import numpy as np
import pandas as pd
import pytest

from priorscope.errors import InputError
from priorscope.tables import match_rows, read_tables

LABELS = np.array([3, 1, 2, 0, 1, 2])
N = len(LABELS)


def matched(folder, labels, answers, by=None):
    paths = [folder / "labels.csv", folder / "answers.csv"]
    for frame, path in zip((labels, answers), paths, strict=True):
        frame.to_csv(path, index=not frame.index.equals(pd.RangeIndex(len(frame))))
    return match_rows(read_tables(paths), by=by)


def frames(ours, theirs, order, name):
    """Labels, and the same numbers in another order; each with its keys."""
    labels = pd.DataFrame({"label": LABELS})
    answers = pd.DataFrame({"prediction": LABELS[order]})
    if name == "id":
        return labels.assign(id=ours), answers.assign(id=theirs)
    return labels.set_index(pd.Index(ours)), answers.set_index(pd.Index(theirs))


WORDS = np.array([f"{i}.png" for i in range(N)])
NUMBERS = np.array([50, 7, 90, 12, 31, 4])
ORDER = np.array([4, 0, 5, 2, 1, 3])


@pytest.mark.parametrize(("name", "keys"), [("id", NUMBERS), ("id", WORDS), ("index", WORDS)])
def test_rows_are_joined_by_ids_and_by_names(tmp_path, name, keys):
    labels, answers = matched(tmp_path, *frames(keys, keys[ORDER], ORDER, name))
    assert answers.values[:, 0].tolist() == labels.columns["label"].tolist()
    assert "joined" in " ".join(answers.notes)
    assert "row 2 (line 3)" in answers.row(0)  # as it stands in its file


def test_the_same_index_in_another_order_is_asked_about(tmp_path):
    given = frames(NUMBERS, NUMBERS[ORDER], ORDER, "index")
    with pytest.raises(InputError, match="another order") as error:
        matched(tmp_path, *given)
    assert "--match-rows ids" in error.value.hint and "--match-rows order" in error.value.hint
    labels, answers = matched(tmp_path, *given, by="ids")
    assert answers.values[:, 0].tolist() == labels.columns["label"].tolist()
    _, answers = matched(tmp_path, *given, by="order")
    assert answers.values[:, 0].tolist() == LABELS[ORDER].tolist()


def test_a_fresh_index_says_nothing_and_another_is_asked_about(tmp_path):
    labels, answers = frames(NUMBERS, np.arange(1, N + 1), np.arange(N), "index")
    _, found = matched(tmp_path, labels, answers)
    assert "as they stand" in " ".join(found.notes)
    with pytest.raises(InputError, match="another index"):
        matched(tmp_path, labels, answers.set_index(NUMBERS + 1))


def test_numbers_beside_a_label_may_name_the_rows(tmp_path):
    labels = pd.DataFrame({"image": NUMBERS, "label": LABELS})
    answers = pd.DataFrame({"prediction": LABELS[ORDER]}, index=NUMBERS[ORDER])
    with pytest.raises(InputError, match="another order"):
        matched(tmp_path, labels, answers)
    matched(tmp_path, labels.assign(image=NUMBERS + 1), answers)  # widths of images, say


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (["a", *WORDS[1:]], r"no 0\.png"),
        ([WORDS[1], *WORDS[1:]], "named twice"),
    ],
)
def test_ids_that_are_missing_or_given_twice_are_named(tmp_path, theirs, said):
    with pytest.raises(InputError, match=said) as error:
        matched(tmp_path, *frames(WORDS, theirs, np.arange(N), "id"))
    assert "answers.csv" in str(error.value)


def test_other_numbers_of_rows_are_refused_without_ids(tmp_path):
    labels, answers = pd.DataFrame({"label": LABELS}), pd.DataFrame({"prediction": LABELS[:4]})
    with pytest.raises(InputError, match="number of rows"):
        matched(tmp_path, labels, answers)
    with pytest.raises(InputError, match="no ids"):
        matched(tmp_path, labels, answers, by="ids")


@pytest.mark.parametrize(
    ("ids", "is_refused"), [(NUMBERS, True), (np.sort(NUMBERS), False), (WORDS[ORDER], False)]
)
def test_ids_of_one_file_alone_must_not_tell_of_another_order(tmp_path, ids, is_refused):
    for has_ids in (0, 1):
        both = [pd.DataFrame({"label": LABELS}), pd.DataFrame({"prediction": LABELS})]
        both[has_ids] = both[has_ids].assign(id=ids)
        if not is_refused:
            labels, answers = matched(tmp_path, *both)
            assert answers.values[:, 0].tolist() == LABELS.tolist()
            assert "has no ids" in " ".join([*labels.notes, *answers.notes])
            continue
        with pytest.raises(InputError, match="not in the order of the ids"):
            matched(tmp_path, *both)
        assert len(matched(tmp_path, *both, by="order")) == 2

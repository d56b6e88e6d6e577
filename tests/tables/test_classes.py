"""Which class a column, an id or a name means, against what was written."""

import numpy as np
import pandas as pd
import pytest

from priorscope.errors import InputError
from priorscope.tables import Reading, read_tables, settle_classes

RNG = np.random.default_rng(0)
NAMES = ["cat", "dog", "ant", "bee"]
LABELS = RNG.integers(4, size=40)
P = RNG.dirichlet(np.ones(4), 40)
GUESSES = RNG.integers(4, size=40)
WORDS = np.array(NAMES)[LABELS]


def settled(folder, labels, *predictions, **reading):
    """Write frames or arrays, and settle their classes."""
    paths = []
    for i, each in enumerate([labels, *predictions]):
        path = folder / (f"{i}.csv" if isinstance(each, pd.DataFrame) else f"{i}.npy")
        each.to_csv(path, index=False) if path.suffix == ".csv" else np.save(path, each)
        paths.append(path)
    said = Reading(**reading)
    labels, *predictions = read_tables(paths, reading=said)
    return settle_classes(labels, predictions, said)


def asked(folder, option, *given, **reading):
    """Check that a refusal names the option that settles it, and return what it settles."""
    with pytest.raises(InputError) as error:
        settled(folder, *given)
    assert option in error.value.hint and str(folder) in str(error.value)
    return settled(folder, *given, **reading)


def test_ids_and_rows(tmp_path):
    found = settled(tmp_path, LABELS, P, GUESSES)
    assert np.array_equal(found.targets, LABELS) and len(found.names) == 4
    assert np.array_equal(found.answers[0], P) and np.array_equal(found.answers[1], GUESSES)


@pytest.mark.parametrize("seen", [[1, 2, 3, 4], [1, 2, 3], [2, 3]])
def test_ids_without_a_0_are_asked_about(tmp_path, seen):
    labels = RNG.permutation(np.resize(seen, 40))
    found = asked(tmp_path, "--first-class 1", labels, P, first_class=1)
    assert np.array_equal(found.targets, labels - 1)
    if 4 in seen:
        with pytest.raises(InputError, match="label out of range") as error:
            settled(tmp_path, labels, P, first_class=0)
        assert "--first-class 1" in error.value.hint
    else:
        assert np.array_equal(settled(tmp_path, labels, P, first_class=0).targets, labels)


def test_ids_of_two_files_that_start_differently_are_asked_about(tmp_path):
    for given in [(LABELS, GUESSES + 1), (LABELS + 1, GUESSES)]:
        with pytest.raises(InputError, match="do ids start at 1"):
            settled(tmp_path, *given)
        with pytest.raises(InputError, match="out of range"):
            settled(tmp_path, *given, first_class=1)


def test_columns_and_ids_that_both_start_at_1_need_no_question(tmp_path):
    rows = pd.DataFrame(P, columns=[1, 2, 3, 4])
    found = settled(tmp_path, LABELS + 1, rows)
    assert np.array_equal(found.targets, LABELS) and found.notes
    assert np.array_equal(settled(tmp_path, LABELS, rows).targets, LABELS)


@pytest.mark.parametrize("odd", [7, 20260101, 2**52])
def test_ids_that_leave_gaps_are_asked_about_before_anything_is_allocated(tmp_path, odd):
    labels = np.append(LABELS[:-1], odd)
    with pytest.raises(InputError, match="gaps") as error:
        settled(tmp_path, labels, GUESSES)
    assert "--num-classes" in error.value.hint and str(odd) in error.value.found
    assert "row 40" in error.value.where
    if odd == 7:
        assert len(settled(tmp_path, labels, GUESSES, num_classes=8).names) == 8


@pytest.mark.parametrize("odd", [-1, 0.5, 2.0**53])
def test_what_is_no_class_id_is_out_of_range(tmp_path, odd):
    with pytest.raises(InputError, match="predicted class id out of range"):
        settled(tmp_path, LABELS, np.append(GUESSES[:-1], odd))


def test_the_number_of_classes_is_said_where_only_what_occurs_tells_it(tmp_path):
    assert "4 classes" in " ".join(settled(tmp_path, LABELS, GUESSES).notes)
    assert not settled(tmp_path, LABELS, GUESSES, num_classes=4).notes
    with pytest.raises(InputError, match="another number of classes"):
        settled(tmp_path, LABELS, P, num_classes=5)


@pytest.mark.parametrize("form", ["{}", "class_{}"])
@pytest.mark.parametrize("order", [[2, 0, 3, 1], [3, 2, 1, 0]])
def test_columns_are_ordered_by_their_numbers(tmp_path, form, order):
    rows = pd.DataFrame(P[:, order], columns=[form.format(i) for i in order])
    found = settled(tmp_path, LABELS, rows)
    assert np.array_equal(found.answers[0], P) and "order of their numbers" in found.notes[0]


def test_columns_sorted_as_text_are_ordered_by_their_numbers(tmp_path):
    p = RNG.dirichlet(np.ones(12), 40)
    rows = pd.DataFrame(p).add_prefix("p").sort_index(axis=1)  # p0, p1, p10, p11, p2, ...
    assert np.array_equal(settled(tmp_path, np.resize(range(12), 40), rows).answers[0], p)


def test_columns_called_by_class_ids_with_gaps(tmp_path):
    ids = np.array([3, 5, 11, 20])
    rows = pd.DataFrame(P, columns=ids)
    found = settled(tmp_path, ids[LABELS], rows)
    assert np.array_equal(found.targets, LABELS) and found.names == ("3", "5", "11", "20")
    with pytest.raises(InputError, match="none of the classes"):
        settled(tmp_path, LABELS, rows)


def test_names_are_matched_to_names_of_columns(tmp_path):
    rows = pd.DataFrame(P, columns=NAMES)
    found = settled(tmp_path, WORDS, rows, rows[NAMES[::-1]])
    assert found.names == (*NAMES,) and np.array_equal(found.targets, LABELS)
    assert all(np.array_equal(answers, P) for answers in found.answers)
    with pytest.raises(InputError, match="none of the classes") as error:
        settled(tmp_path, np.where(WORDS == "cat", "cta", WORDS), rows)
    assert "did you mean cat" in error.value.hint
    found = asked(tmp_path, "--class-names", WORDS, rows, P, class_names=(*NAMES,))
    assert all(np.array_equal(answers, P) for answers in found.answers)


def test_names_without_named_columns_are_alphabetical_and_said(tmp_path):
    order = np.argsort(NAMES)
    found = settled(tmp_path, WORDS, P[:, order])
    assert found.names == ("ant", "bee", "cat", "dog")
    assert np.array_equal(found.answers[0].argmax(axis=1), P[:, order].argmax(axis=1))
    assert [found.names[i] for i in found.targets] == WORDS.tolist()
    assert "0 ant, 1 bee" in found.notes[0]


@pytest.mark.parametrize(
    "labels",
    [
        np.array([f"class_{i}" for i in np.resize(range(11), 40)]),  # class_10 before class_2
        np.array([f"tensor({i})" for i in np.resize(range(12), 40)])[:39],  # 12 names, 11 columns
        np.array([f"n{i}" for i in range(11)]),  # one of its own in every row
    ],
)
def test_names_in_doubt_are_asked_about(tmp_path, labels):
    with pytest.raises(InputError) as error:
        settled(tmp_path, labels, RNG.dirichlet(np.ones(11), len(labels)))
    assert "--class-names" in error.value.hint


@pytest.mark.parametrize("odd", ["2026-11-28", "nan", "0x1", "1|0|0", "cat  3", "90%"])
def test_what_is_rather_no_name_is_asked_about(tmp_path, odd):
    words = np.append(WORDS[:-1], odd)
    found = asked(tmp_path, "--class-names", words, words, class_names=(*NAMES, odd))
    assert found.targets[-1] == 4


def test_predicted_names(tmp_path):
    guesses = np.array(NAMES)[GUESSES]
    found = settled(tmp_path, WORDS, guesses)
    assert np.array_equal(found.targets == found.answers[0], LABELS == GUESSES)
    found = asked(tmp_path, "--class-names", LABELS, guesses, class_names=(*NAMES,))
    assert np.array_equal(found.answers[0], GUESSES)
    with pytest.raises(InputError, match="none is the name of a label"):
        settled(tmp_path, WORDS, np.char.add("a ", guesses))


def test_one_name_at_two_places_is_asked_about(tmp_path):
    rows = pd.DataFrame(P, columns=NAMES)
    given = (LABELS, rows, rows[NAMES[::-1]])
    found = asked(tmp_path, "--class-names", *given, class_names=(*NAMES,))
    assert all(np.array_equal(answers, P) for answers in found.answers)


def test_a_copy_of_the_labels_among_whole_numbers_is_no_class(tmp_path):
    rows = np.c_[np.round(P * 9 - 3), LABELS + 1]
    found = asked(tmp_path, "--skip-columns", LABELS, rows, skip_columns=("last",))
    assert np.array_equal(found.answers[0], rows[:, :-1])


def test_a_label_beside_one_other_column_is_asked_about(tmp_path):
    given = pd.DataFrame({"image": np.resize(range(20), 40), "label": GUESSES})
    found = asked(tmp_path, ":image", LABELS, given, skip_columns=("image",))
    assert np.array_equal(found.answers[0], GUESSES)
    clear = pd.DataFrame({"label": LABELS, "prediction": GUESSES})
    assert np.array_equal(settled(tmp_path, clear, clear).answers[0], GUESSES)


def test_a_column_that_nobody_doubts_is_not_left_out_without_a_word(tmp_path):
    with pytest.raises(InputError, match="no such column is in doubt"):
        settled(tmp_path, LABELS, P, skip_columns=("last",))
    rows = np.c_[np.round(P * 9), np.round(P[:, 0] * 9)]
    found = settled(tmp_path, LABELS, rows, skip_columns=("1.npy:last",))
    assert np.array_equal(found.answers[0], rows[:, :-1])


def test_all_files_in_doubt_are_named_at_once(tmp_path):
    index = np.sort(RNG.choice(1000, 40, replace=False))
    labels, rows = np.c_[index, LABELS], np.c_[index, P]
    with pytest.raises(InputError, match="several files") as error:
        settled(tmp_path, labels, rows)
    assert "0.npy:first" in error.value.hint and "1.npy:first" in error.value.hint
    assert np.array_equal(settled(tmp_path, labels, rows, skip_columns=("first",)).answers[0], P)


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        ({"num_classes": 0}, "--num-classes"),
        ({"num_classes": 10**9}, "--num-classes"),
        ({"first_class": -1}, "--first-class"),
        ({"decimal": "coma"}, "did you mean comma"),
        ({"match_rows": "id"}, "did you mean ids"),
        ({"class_names": ("a", "a")}, "'a' twice"),
        ({"class_names": ("a", "b"), "num_classes": 3}, "--num-classes, --class-names"),
    ],
)
def test_what_cannot_be_meant_is_refused(reading, said):
    with pytest.raises(InputError) as error:
        Reading(**reading)
    assert said in str(error.value)


def test_columns_that_no_label_is_called_by_are_asked_about(tmp_path):
    rows = pd.DataFrame(np.log(P), columns=NAMES).assign(margin=P[:, 0] * 7)
    found = asked(tmp_path, ":margin", WORDS, rows, skip_columns=("margin",))
    assert found.names == (*NAMES,)
    assert len(settled(tmp_path, WORDS, rows, skip_columns=("none",)).names) == 5
    many = rows.assign(**{name: RNG.random(40) for name in ("ape", "cow", "elk")})
    assert "no label is called by 4" in " ".join(settled(tmp_path, WORDS, many).notes)

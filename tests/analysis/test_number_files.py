import numpy as np
import polars as pl
import pytest

from priorscope.analysis.number_files import read_numbers
from priorscope.errors import InputError

ROWS = np.array([[0.5, 0.25, 0.25], [1e-3, 0.0, 0.999]])


@pytest.mark.parametrize("separator", [",", ", ", ";", " ", "  ", "\t"])
@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_text_in_every_dialect(tmp_path, separator, header, end):
    lines = [separator.join(map(str, row)) for row in ROWS]
    lines = [separator.join("abc")] * header + lines
    path = tmp_path / "x.csv"
    path.write_bytes(("\ufeff" + end.join(lines) + end).encode())
    assert np.array_equal(read_numbers(path), ROWS)


def test_one_number_a_row_is_one_dimensional(tmp_path):
    (tmp_path / "x.txt").write_text("label\n3\n1\n")
    np.save(tmp_path / "x.npy", np.array([[3], [1]], dtype=np.uint8))
    pl.DataFrame({"label": [3, 1]}).write_parquet(tmp_path / "x.parquet")
    for suffix in ("txt", "npy", "parquet"):
        assert read_numbers(tmp_path / f"x.{suffix}").tolist() == [3, 1]


def test_npy_and_both_forms_of_parquet(tmp_path):
    np.save(tmp_path / "x.npy", ROWS)
    pl.DataFrame(ROWS).write_parquet(tmp_path / "columns.parquet")
    pl.DataFrame({"p": ROWS.tolist()}).write_parquet(tmp_path / "lists.parquet")
    for name in ("x.npy", "columns.parquet", "lists.parquet"):
        assert np.array_equal(read_numbers(tmp_path / name), ROWS)


def test_quoted_numbers_and_a_first_0_are_examples(tmp_path):
    for text, rows in [('"1","2"\n3,4\n', [[1, 2], [3, 4]]), ("0\n3\n1\n", [0, 3, 1])]:
        (tmp_path / "x.csv").write_text(text)
        assert read_numbers(tmp_path / "x.csv").tolist() == rows


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2\n3\n", "line 2"),
        ("a,b\n1,2\n3,4,5\n", "line 3"),
        ("1,2\n3,x\n", "'x'"),
        ("1,2\n3,\n", "line 2"),
        ("1,2\nnan,4\n", "row 2"),
        ("1,2\n3,inf\n", "row 2"),
        ("", "empty"),
        ("a,b\n", "no"),
        (",2\n3,4\n", "line 1"),  # a header has no number
        ("1,x\n3,4\n", "'x'"),
        (",\n3,4\n", "line 1"),
    ],
)
def test_bad_text_is_refused_by_line(tmp_path, text, said):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_numbers(path)
    assert said in str(error.value) and str(path) in str(error.value)


def test_bad_files_are_refused(tmp_path):
    (tmp_path / "x.xlsx").write_text("")
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    pl.DataFrame({"file": ["a"], "x": [1]}).write_parquet(tmp_path / "words.parquet")
    pl.DataFrame({"x": [[1.0], [1.0, 2.0]]}).write_parquet(tmp_path / "ragged.parquet")
    pl.DataFrame({"x": [1, None]}).write_parquet(tmp_path / "null.parquet")
    for path in [*tmp_path.iterdir(), tmp_path / "nowhere.csv"]:
        with pytest.raises(InputError) as error:
            read_numbers(path)
        assert str(path) in str(error.value)

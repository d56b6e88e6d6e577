"""Text in the dialects of other tools; what is written is known, or pandas wrote it."""

import gzip

import numpy as np
import pandas as pd
import pytest

from priorscope.errors import InputError
from priorscope.tables import Reading, read_table, read_tables

ROWS = np.array(
    [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.0, 0.0625, 0.9375], [1e-5, 0.5, 0.49999]]
)


def lines(rows=ROWS, separator=","):
    return "".join(separator.join(map(str, row)) + "\n" for row in np.asarray(rows).tolist())


def read(folder, text, *, name="x.csv", encoding="utf-8", **reading):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    table = read_table(path, reading=Reading(**reading))
    table.require_certain()
    return table


def refused(folder, text, **options):
    with pytest.raises(InputError) as error:
        read(folder, text, **options)
    assert "x.csv" in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_ends_of_lines(tmp_path, encoding, end):
    text = ("größe,b,c\n" + lines()).replace("\n", end)
    table = read(tmp_path, text, encoding=encoding)
    assert np.array_equal(table.values, ROWS) and table.names == ("größe", "b", "c")
    table = read(tmp_path, gzip.compress(text.encode(encoding)), name="x.csv.gz")
    assert np.array_equal(table.values, ROWS)


def test_forms_of_one_name_are_one(tmp_path):
    assert read(tmp_path, "gro\u0308\u00dfe,b,c\n" + lines()).names == ("gr\u00f6\u00dfe", "b", "c")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    assert "bytes of 0" in refused(tmp_path, b"a,b\n1\0,2\n3,4\n5,6\n")


@pytest.mark.parametrize("separator", [";", "\t", " "])
@pytest.mark.parametrize("header", [True, False])
def test_decimal_commas(tmp_path, separator, header):
    text = pd.DataFrame(ROWS, columns=list("abc")).to_csv(
        sep=separator, decimal=",", index=False, header=header
    )
    assert np.array_equal(read(tmp_path, text).values, ROWS)


def test_a_single_column_with_decimal_commas_is_asked_about(tmp_path):
    text = "0,9\n0,2\n0,3\n0,6\n"
    assert "--decimal comma" in refused(tmp_path, text)
    assert read(tmp_path, text, decimal="comma").values.ravel().tolist() == [0.9, 0.2, 0.3, 0.6]
    said = read(tmp_path, text, decimal="point", skip_columns=("none",)).values
    assert said.tolist() == [[0, 9], [0, 2], [0, 3], [0, 6]]
    # Under a name they cannot be two columns, and between commas pairs of digits may be decimals.
    assert "--decimal comma" in refused(tmp_path, "score\n" + text)
    assert "--decimal comma" in refused(tmp_path, "0,9,0,1\n0,2,0,8\n0,3,0,7\n0,05,0,95\n")


@pytest.mark.parametrize(
    "text",
    [
        "1,234;2,345\n3,456;4,567\n",  # three decimals, or thousands
        "1.234;2.345\n3.456;4.567\n",
        "0,5;0.5\n0,25;0.75\n",  # both signs
    ],
)
def test_signs_of_thousands_are_asked_about(tmp_path, text):
    assert "--decimal" in refused(tmp_path, text)


@pytest.mark.parametrize("cell", ["1,234.5", "1.234,5", "90%", "0x1", "1_0", "１", "1 000", "−1"])
def test_what_is_no_plain_number_is_refused_by_its_cell(tmp_path, cell):
    for text in (f"a;b\n{cell};2\n{cell};4\n", f"a;b\n1;2\n{cell};4\n"):
        assert cell in refused(tmp_path, text)


def test_the_option_settles_thousands(tmp_path):
    text = "1,234;2,345\n3,456;4,567\n"
    assert read(tmp_path, text, decimal="comma").values[0].tolist() == [1.234, 2.345]


@pytest.mark.parametrize(
    "text",
    [
        '"0.5","0.25","0.25"\n"0.125","0.75","0.125"\n',
        "0.5,0.25,0.25,\n0.125,0.75,0.125,\n",
        "a,b,c,\n0.5,0.25,0.25,\n0.125,0.75,0.125,\n",
        "a,b,c\n0.5,0.25,0.25,\n0.125,0.75,0.125,\n",
        "# made by hand\n0.5,0.25,0.25\n0.125,0.75,0.125\n# the end\n",
        "sep=;\n0.5;0.25;0.25\n0.125;0.75;0.125\n",
        "0.5\t0.25\t0.25\n\n0.125\t0.75\t0.125\n\n",
        " 5e-1  2.5E-1  +.25\n 0.125 0.75 0.125",
        'a;b;c\n"0,5";"0,25";"0,25"\n"0,125";"0,75";"0,125"\n',
        '"0,5","0,25","0,25"\n"0,125","0,75","0,125"\n',
    ],
)
def test_other_habits(tmp_path, text):
    assert np.array_equal(read(tmp_path, text).values, ROWS[:2])


def test_true_and_false_are_1_and_0(tmp_path):
    table = read(tmp_path, "True,FALSE\nfalse,True\nfalse,true\n")
    assert table.values.tolist() == [[1, 0], [0, 1], [0, 1]]


def test_a_comment_may_name_columns_and_stands_above_the_rows(tmp_path):
    table = read(tmp_path, "# id,p0,p1\n7,0.5,0.5\n3,0.25,0.75\n")
    assert table.columns["id"].tolist() == ["7", "3"] and table.values.shape == (2, 2)
    assert "line 2" in refused(tmp_path, "0.5,0.5\n#0.25,0.75\n0.25,0.75\n")
    assert "line 2" in refused(tmp_path, "0.5,0.5\n#DIV/0!,0.75\n0.25,0.75\n")


def test_a_gap_in_a_single_column_may_be_a_missing_value(tmp_path):
    assert "line 3" in refused(tmp_path, "label\n3\n\n1\n2\n")
    assert len(read(tmp_path, "label\n\n3\n\n1\n\n2\n\n")) == 3  # every other line


def test_an_open_quote_is_refused_by_line(tmp_path):
    assert "line 2" in refused(tmp_path, 'a,b\n"1,2\n3,4"\n')


@pytest.mark.parametrize("index", [False, True])
def test_the_numbers_that_pandas_gives_columns_are_no_example(tmp_path, index):
    table = read(tmp_path, pd.DataFrame(ROWS).to_csv(index=index))
    assert np.array_equal(table.values, ROWS) and table.names == ("0", "1", "2")
    moved = pd.DataFrame(ROWS, columns=[2, 0, 1])
    assert read(tmp_path, moved.to_csv(index=index)).names == ("2", "0", "1")


def test_a_first_line_of_numbers_is_settled_by_the_length_of_other_files(tmp_path):
    np.save(tmp_path / "p.npy", ROWS)
    for start, length, names in [("0\n", 4, ("0",)), ("", 4, None)]:
        (tmp_path / "y.csv").write_text(start + "0\n2\n1\n1\n")
        labels, _ = read_tables([tmp_path / "y.csv", tmp_path / "p.npy"])
        assert (len(labels), labels.names) == (length, names)
        assert ("header" in " ".join(labels.notes)) == bool(start)


@pytest.mark.parametrize(
    ("text", "with_header"),
    [("0\n0\n2\n1\n", 3), ("10\n0\n2\n1\n", 3), ("0,1\n0,1\n1,0\n", 2), ("cat\ndog\ndog\n", 2)],
)
def test_a_first_line_that_nothing_settles_is_asked_about(tmp_path, text, with_header):
    message = refused(tmp_path, text)
    assert "line 1" in message and "--header or --no-header" in message
    assert len(read(tmp_path, text, header=True)) == with_header
    assert len(read(tmp_path, text, header=False)) == with_header + 1


@pytest.mark.parametrize(
    "text", ["3\n0\n2\n3\n4\n", "0.5\n0.25\n", "cat\ndog\ncat\n", "0.0,1.0\n0.5,0.5\n"]
)
def test_examples_without_a_header_are_examples(tmp_path, text):
    assert len(read(tmp_path, text)) == text.count("\n")


def test_quoted_names_above_numbers_are_asked_about(tmp_path):
    assert "--header" in refused(tmp_path, '"3","5","8"\n0.5,1,1.5\n')


def test_row_names_without_a_name_are_an_index(tmp_path):
    """R's `write.table` and pandas' `to_string` name one column less than there are."""
    frame = pd.DataFrame(ROWS)
    for text in (frame.to_string(), '"V1" "V2" "V3"\n' + frame.to_csv(sep=" ", header=False)):
        table = read(tmp_path, text)
        assert np.allclose(table.values, ROWS, atol=1e-6)
        assert table.columns["index"].tolist() == ["0", "1", "2", "3"]


def test_rows_are_named_by_line(tmp_path):
    table = read(tmp_path, "# about\na,b\n\n1.5,2\n\n3,4.5\n")
    assert table.row(1).endswith("row 2 (line 6)")

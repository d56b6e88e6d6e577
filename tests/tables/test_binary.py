"""NPY and Parquet."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from priorscope.errors import InputError
from priorscope.tables import read_table

P = np.random.default_rng(0).dirichlet(np.ones(3), 6)


@pytest.mark.parametrize("kind", ["<f4", ">f8", "float16", "longdouble", ">i4", "uint8", "bool"])
def test_npy_of_any_numbers(tmp_path, kind):
    array = (P * 8).astype(kind)
    np.save(tmp_path / "x.npy", array)
    assert np.array_equal(read_table(tmp_path / "x.npy").values, array.astype(float))


def test_npy_of_records_and_words(tmp_path):
    np.save(tmp_path / "x.npy", pd.DataFrame(P).to_records())
    table = read_table(tmp_path / "x.npy")
    assert np.array_equal(table.values, P) and "index" in table.columns
    for words in (np.array(["cat", "dog"]), np.array([b"cat", b"dog"])):
        np.save(tmp_path / "x.npy", words)
        assert read_table(tmp_path / "x.npy").words.tolist() == ["cat", "dog"]


def test_nothing_is_unpickled(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path / "ran").touch, ()

    np.save(tmp_path / "x.npy", np.array([Evil()]), allow_pickle=True)
    with pytest.raises(InputError, match=r"x\.npy"):
        read_table(tmp_path / "x.npy")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2, 2)), np.array(3.0), P.astype(complex), np.array(["2026"], "M8[D]")]
)
def test_other_arrays_are_refused(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(InputError, match=r"x\.npy"):
        read_table(tmp_path / "x.npy")


def test_parquet_with_several_levels_of_index_and_categories(tmp_path):
    index = pd.MultiIndex.from_product([[0, 1], [0, 1, 2]])
    frame = pd.DataFrame(P, index=index, columns=["0", "1", "2"])
    frame.assign(label=pd.Categorical(["b", "a"] * 3)).to_parquet(tmp_path / "x.parquet")
    table = read_table(tmp_path / "x.parquet")
    assert np.array_equal(table.values, P) and table.columns["label"].tolist() == ["b", "a"] * 3


def test_parquet_with_lists_beside_other_columns(tmp_path):
    frame = pl.DataFrame({"id": range(6), "target": [0, 1] * 3, "logits": P.tolist()})
    frame.write_parquet(tmp_path / "x.parquet")
    table = read_table(tmp_path / "x.parquet")
    assert np.array_equal(table.values, P) and {*table.columns} == {"id", "label"}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"a": [1.0, None], "b": [1.0, 2.0]}, "column 1 (a)"),
        ({"a": [[1.0], [1.0, 2.0]]}, "row 2"),
        ({"a": [[1.0], None]}, "row 2"),
        ({"a": [[1.0]], "b": [[1.0]]}, "a, b"),
        ({"a": [{"b": 1}]}, "column 1 (a)"),
        ({"a": ["1", "x"]}, "row 2"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused_by_its_cell(tmp_path, columns, said):
    pl.DataFrame(columns).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError) as error:
        read_table(tmp_path / "x.parquet")
    assert said in str(error.value) and "x.parquet" in str(error.value)

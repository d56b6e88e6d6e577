"""What the columns of a table hold: an index, a label, classes."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from priorscope.errors import InputError
from priorscope.tables import Reading, read_table

RNG = np.random.default_rng(0)
N = 30
P = RNG.dirichlet(np.ones(4), N)
IDS = P.argmax(axis=1)
assert IDS[0] == 1  # with an index before it, a row that could be names
INDICES = {
    "fresh": np.arange(N),
    "from 1": np.arange(1, N + 1),
    "filtered": np.sort(RNG.choice(1000, N, replace=False)),
    "shuffled": RNG.permutation(1000)[:N],
    "concatenated": np.arange(N) % 20,
    "words": np.array([f"{i % 7}_{i}.png" for i in range(N)]),
}
WRITERS = {
    "csv": lambda frame, path: frame.to_csv(path),
    "tsv": lambda frame, path: frame.to_csv(path, sep="\t"),
    "parquet": lambda frame, path: frame.rename(columns=str).to_parquet(path),
}


def read(path, *skipped):
    table = read_table(path, reading=Reading(skip_columns=skipped))
    table.require_certain()
    return table


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("kind", INDICES)
@pytest.mark.parametrize("values", [P, IDS[:, None]], ids=["rows", "ids"])
def test_the_index_of_a_frame_is_no_class(tmp_path, suffix, kind, values):
    path = tmp_path / f"x.{suffix}"
    WRITERS[suffix](pd.DataFrame(values, index=INDICES[kind]), path)
    if suffix != "parquet" and kind == "concatenated" and values.shape[1] == 1:
        # ",0" is a header, or a damaged first row.
        with pytest.raises(InputError, match="--header"):
            read(path)
        return
    table = read(path)
    assert np.array_equal(table.values, values)
    if not (suffix == "parquet" and kind == "fresh"):  # which is a range, and no column
        assert table.columns["index"].tolist() == [*map(str, INDICES[kind])]


@pytest.mark.parametrize("kind", INDICES)
@pytest.mark.parametrize("values", [P, IDS[:, None], np.round(P * 40)])
def test_a_leading_column_without_a_name_is_an_index_for_certain_or_asked_about(
    tmp_path, kind, values
):
    path = tmp_path / "x.csv"
    pd.DataFrame(values, index=INDICES[kind]).to_csv(path, header=False)
    if kind in {"fresh", "from 1", "words"}:
        table = read(path)
    else:
        with pytest.raises(InputError, match=r"column 1|--header") as error:
            read(path)
        if "--header" in error.value.hint:  # "0,1" above a concatenated index
            return
        assert f"--skip-columns {path}:first" in error.value.hint
        assert np.array_equal(read(path, "none").values[:, 1:], values)
        table = read(path, "first")
    assert np.array_equal(table.values, values)


@pytest.mark.parametrize("suffix", ["npy", "csv", "parquet"])
def test_one_set_of_rules_for_all_carriers(tmp_path, suffix):
    rows = np.c_[INDICES["filtered"], P, IDS]
    path = tmp_path / f"x.{suffix}"
    if suffix == "npy":
        np.save(path, rows)
    elif suffix == "csv":
        np.savetxt(path, rows, delimiter=",")
    else:
        pl.DataFrame(rows, schema=["a", "b", "c", "d", "e", "f"]).write_parquet(path)
    with pytest.raises(InputError, match="may hold no class") as error:
        read(path)
    assert f"{path}:first,{path}:last" in error.value.hint
    assert np.array_equal(read(path, f"{path}:first", f"{path}:last").values, P)


@pytest.mark.parametrize("name", ["label", "Target", "y_true"])
def test_a_label_beside_probabilities_is_no_class(tmp_path, name):
    path = tmp_path / "x.csv"
    pd.DataFrame(P).add_prefix("p").assign(**{name: IDS}).to_csv(path, index=False)
    if name == "y_true":
        with pytest.raises(InputError, match="y_true"):
            read(path)
        assert np.array_equal(read(path, name).values, P)
    else:
        table = read(path)
        assert np.array_equal(table.values, P) and np.array_equal(table.columns["label"], IDS)


def test_a_column_beside_classes_is_asked_about_by_what_is_odd_in_it(tmp_path):
    logits = np.log(P)
    odd = {
        "p_named": pd.DataFrame(logits).add_prefix("p").assign(loss=-logits.max(axis=1) * 2),
        "largest": pd.DataFrame(logits, columns=[*"abcd"]).assign(e=logits.max(axis=1)),
        "probability": pd.DataFrame(P, columns=[*"abcd"]).assign(e=RNG.random(N)),
    }
    for name, frame in odd.items():
        path = tmp_path / f"{name}.csv"
        frame.to_csv(path, index=False)
        with pytest.raises(InputError, match="column 5"):
            read(path)
        assert read(path, frame.columns[-1]).values.shape == (N, 4)
        assert read(path, "none").values.shape == (N, 5)


@pytest.mark.parametrize(
    "values",
    [
        P,
        np.log(P),
        np.eye(4)[IDS],
        np.round(np.log(P) * 10),
        RNG.random((N, 4)) > 0.5,
        np.maximum(np.log(P), -1) + 1,  # many zeros
    ],
)
@pytest.mark.parametrize("names", [None, ["p0", "p1", "p2", "p3"], ["cat", "dog", "ant", "bee"]])
def test_classes_are_not_asked_about(tmp_path, values, names):
    path = tmp_path / "x.csv"
    pd.DataFrame(values, columns=names).to_csv(path, index=False)
    assert np.array_equal(read(path).values, values)


def test_columns_of_structure_are_kept_by_name(tmp_path):
    path = tmp_path / "x.csv"
    frame = pd.DataFrame(P).assign(ID=range(N), model="vit", seed=3, arm="a", cluster="b")
    frame.to_csv(path, index=False)
    table = read(path)
    assert np.array_equal(table.values, P)
    assert {*table.columns} == {"id", "model", "seed", "arm", "cluster"}
    assert table.columns["seed"].tolist() == ["3"] * N
    frame.assign(arm=P[:, 0]).to_csv(path, index=False)  # a class called arm
    with pytest.raises(InputError, match="called arm"):
        read(path)


def test_ids_are_kept_exactly(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,label\n9007199254740993,1\n9007199254740992,0\n007,1\n7.0,0\n")
    assert read(path).columns["id"].tolist() == ["9007199254740993", "9007199254740992", "007", "7"]


def test_a_column_that_no_file_has_is_refused_with_the_nearest(tmp_path):
    path = tmp_path / "x.csv"
    pd.DataFrame(P).add_prefix("p").assign(loss=1.5).to_csv(path, index=False)
    with pytest.raises(InputError, match="did you mean loss"):
        read(path, "los")

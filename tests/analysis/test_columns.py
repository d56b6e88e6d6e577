"""No factor has the name of a column beside which it would stand."""

import pytest

from priorscope.analysis.files import FACTOR_SCHEMAS, MEASURE_SCHEMAS, SCHEMAS, frames
from priorscope.errors import InputError
from priorscope.study.factors import COLUMNS
from priorscope.study.levels import cell_name
from priorscope.study.load import parse_study

TABLES = SCHEMAS | MEASURE_SCHEMAS | FACTOR_SCHEMAS


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_every_table_is_taken(table):
    assert TABLES[table].keys() <= set(COLUMNS)


@pytest.mark.parametrize("name", ["first", "Second_low", "few_seeds"])
def test_a_factor_of_such_a_name_is_refused(name, tiny, tmp_path):
    text = tiny + f"factors: {{{name}: {{key: data.train_fraction, levels: [0.5, 1.0]}}}}\n"
    with pytest.raises(InputError, match="taken by a column"):
        parse_study(text, base=tmp_path)


def test_conditions_of_measurements_are_columns_of_their_own():
    rows = [{"measure": "m", "model": "a", "seed": 0, "arm": "all", "value": 0.5, "n": 1}] * 101
    rows.append(rows[0] | {"arm": "deep", "layer": 3, "partner": "b", "cell": ""})
    found = frames({"measurements": rows}, {})["measurements"]
    assert found.columns == [*MEASURE_SCHEMAS["measurements"], "layer"]
    assert found["layer"].to_list() == [None] * 101 + [3]
    assert found["partner"].to_list() == [None] * 101 + ["b"]


def test_levels_of_several_kinds_are_written_as_in_the_name_of_their_cell():
    levels = ["none", 2, 1.0, True]
    rows = [{"model": "a", "cell": cell_name([("f", level)]), "f": level} for level in levels]
    found = frames({"scores": rows}, {"f": levels})["scores"]
    assert [f"f={level}" for level in found["f"]] == found["cell"].to_list()
    assert frames({"scores": rows[1:2]}, {"f": [2, 3]})["scores"]["f"].to_list() == [2]

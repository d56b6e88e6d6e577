"""No factor has the name of a column beside which it would stand."""

import pytest

from priorscope.analysis.files import FACTOR_SCHEMAS, SCHEMAS
from priorscope.errors import InputError
from priorscope.study.factors import COLUMNS
from priorscope.study.load import parse_study


@pytest.mark.parametrize("table", [*SCHEMAS, *FACTOR_SCHEMAS])
def test_every_column_of_every_table_is_taken(table):
    assert {**SCHEMAS, **FACTOR_SCHEMAS}[table].keys() <= set(COLUMNS)


@pytest.mark.parametrize("name", ["first", "Second_low", "few_seeds"])
def test_a_factor_of_such_a_name_is_refused(name, tiny, tmp_path):
    text = tiny + f"factors: {{{name}: {{key: data.train_fraction, levels: [0.5, 1.0]}}}}\n"
    with pytest.raises(InputError, match="taken by a column"):
        parse_study(text, base=tmp_path)

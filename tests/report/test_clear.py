"""When a report may call a difference clear."""

import pytest

from priorscope.analysis import read_findings


@pytest.mark.parametrize(
    ("p_adjusted", "low", "high", "expected"),
    [
        (0.001, 0.1, 0.3, True),
        (0.001, -0.3, -0.1, True),
        (0.001, -0.1, 0.3, False),
        (0.06, 0.1, 0.3, False),
        (0.001, 0.0, 0.3, False),
        (None, 0.1, 0.3, False),
    ],
)
def test_clear_needs_the_test_and_the_interval(study_output, p_adjusted, low, high, expected):
    row = {"p_adjusted": p_adjusted, "low": low, "high": high}
    assert read_findings(study_output()).is_clear(row) is expected

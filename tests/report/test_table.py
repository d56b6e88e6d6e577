"""The three forms of a table, and how numbers are written."""

import csv
import io
import re

import pytest

from priorscope.metrics import Scale, decimal, share
from priorscope.report.table import Table, to_csv, to_latex, to_markdown
from priorscope.report.wording import (
    counted,
    file_stem,
    listed,
    magnitude,
    p_value,
    seconds,
)

HOSTILE = r"50% & a_b #1 {x} ~ ^ \end{table} $"
TABLE = Table(
    "t",
    "A caption.",
    ("Model\nand more", "Score, %"),
    (("a|b <script>*", "1.0 [0.5, 1.5]"), (HOSTILE, "\N{MINUS SIGN}2.0")),
    ({"model": "a|b <script>*", "score": 1 / 3}, {"model": HOSTILE, "score": None}),
    frozenset({1}),
)


def test_csv_holds_every_number_in_full():
    rows = list(csv.DictReader(io.StringIO(to_csv(TABLE))))
    assert float(rows[0]["score"]) == 1 / 3
    assert rows[1] == {"model": HOSTILE, "score": ""}


def test_markdown_keeps_its_columns_and_no_markup():
    lines = to_markdown(TABLE).strip().split("\n")[2:]
    for line in lines:
        assert len(re.findall(r"(?<!\\)\|", line)) == 3, line
    assert "<script>" not in to_markdown(TABLE)
    assert r"a\|b &lt;script&gt;\*" in lines[2]
    assert lines[1] == "| --- | ---: |"


def test_latex_escapes_every_special():
    text = to_latex(TABLE)
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    bare = re.sub(r"\\[&%$#_{}]|\\text\w+\{\}|\\\\|\\midrule|\$-\$|\{\[\}|\{\]\}", "", body)
    # What is left has one column separator a row and nothing else that LaTeX would act on.
    assert bare.count("&") == 2
    assert not set(bare) & set("\\%$#_{}~^")
    assert text.count(r"\end{table}") == 1


def test_latex_row_may_start_with_a_bracket():
    table = Table("t", "c", ("a", "b"), (("x", "1"), ("[y", "2")), ({}, {}))
    # "\\ [y" would be read as "\\[y...", a line break with a length.
    assert "{[}y & 2" in to_latex(table)


def test_latex_has_as_many_cells_as_columns():
    rows = [line for line in to_latex(TABLE).split("\n") if line.endswith(r"\\")]
    assert [len(re.findall(r"(?<!\\)&", row)) for row in rows] == [1, 1, 1]
    assert r"\begin{tabular}{lr}" in to_latex(TABLE)


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (0.6123, False, "61.2"),
        (-0.0001, False, "0.0"),
        (-0.0001, True, "0.0"),
        (-0.123, True, "\N{MINUS SIGN}12.3"),
        (0.123, True, "+12.3"),
        (None, False, "\N{EN DASH}"),
    ],
)
def test_percentages(value, signed, text):
    assert share("Top-1 accuracy").value(value, signed=signed) == text


def test_intervals_are_low_then_high():
    scale = Scale("Top-4 matching", 0, 4, "of 4", "", 1, 2)
    row = {"estimate": 1.934, "low": 1.8, "high": 2.061}
    assert scale.estimate(row) == "1.93 [1.80, 2.06]"
    assert scale.estimate(row | {"low": None, "high": None}) == "1.93"


def test_numbers_in_words():
    assert decimal(12345.6, 0) == "12,346"
    assert p_value(0.0004) == "<\N{NO-BREAK SPACE}0.001"
    assert p_value(0.0005 + 0.001) == "0.002"
    assert [magnitude(v) for v in (999, 1000, 272_474, 999_600, 40_800_000, 4.1e9)] == [
        text.replace(" ", "\N{NO-BREAK SPACE}")
        for text in ("999", "1 k", "272 k", "1 M", "40.8 M", "4.1 G")
    ]
    assert [seconds(v).replace("\N{NO-BREAK SPACE}", " ") for v in (12.34, 59.96, 125, 7260)] == [
        "12.3 s",
        "1 min 0 s",
        "2 min 5 s",
        "2 h 1 min",
    ]
    assert listed("abc") == "a, b and c"
    assert listed("abcdef", most=3) == "a, b and 4 more"
    assert [counted(n, "seed") for n in (0, 1, 2, 12)] == [
        "no seeds",
        "one seed",
        "two seeds",
        "12 seeds",
    ]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "<script>", "", "..", "a b:c*?"])
def test_file_stems_are_safe(name):
    stem = file_stem(name)
    assert stem and not set(stem) & set('/\\:*?"<>| ') and stem.strip(".")

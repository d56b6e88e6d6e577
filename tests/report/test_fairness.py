"""The fairness lint as a reader of the report sees it."""

import csv
import io

from priorscope.preflight.fairness import as_plain, check_runs, compare
from priorscope.report.sections.fairness import (
    architecture_table,
    condition_table,
    fairness_paragraphs,
)
from priorscope.report.table import to_csv

DECLARED = {"stem_px": "patches", "preprocessing": "its authors rescale"}
PLAIN = as_plain(
    compare(name, values, DECLARED)
    for name, values in {
        "num_parameters": {"cnn": 272474, "vit": 269850},
        "macs": {"cnn": 40_800_000, "vit": 20_400_000},
        "stem_px": {"cnn": 3, "vit": 4},
        "dropout": {"cnn": "none", "vit": "none"},
        "preprocessing.test": {"cnn": "32 px, as given", "vit": "32 px, rescaled"},
        "data.train": {"cnn": "aaaa", "vit": "aaaa"},
    }.items()
)


def test_models_stand_side_by_side():
    table = architecture_table(PLAIN)
    assert table is not None and not table.numbered
    assert table.header == ("Property", "cnn", "vit", "Ratio", "Declared")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["Trainable parameters"] == ("272,474", "269,850", "1.01", "not declared")
    assert rows["MACs"] == (
        "40.8\N{NO-BREAK SPACE}M",
        "20.4\N{NO-BREAK SPACE}M",
        "2.00",
        "not declared",
    )
    assert rows["Receptive field of the stem, px"] == ("3", "4", "1.33", "patches")
    assert rows["Dropout"] == ("none", "none", "", "same")
    assert table.muted == {3}
    assert "longest path" not in table.caption  # explains the rows that it has, and no others
    record = next(csv.DictReader(io.StringIO(to_csv(table))))
    assert float(record["ratio"]) == 272474 / 269850


def test_what_all_models_share_is_said_once():
    table = condition_table(PLAIN)
    assert table is not None
    assert table.rows == [
        ("Preprocessing, test", "cnn", "32 px, as given", "its authors rescale"),
        ("Preprocessing, test", "vit", "32 px, rescaled", "its authors rescale"),
        ("Data, train", "all models", "aaaa", "same"),
    ]


def test_words_name_what_is_declared_and_what_is_not():
    run = {"model": "cnn", "seed": 0, "recipe": {"epochs": 3}, "data": {"train": "aaaa"}}
    alike = as_plain(check_runs([run, run | {"seed": 1}]))
    texts = dict(fairness_paragraphs(PLAIN, alike, 2))
    [undeclared] = [text for lead, text in texts.items() if lead == "Undeclared differences"]
    assert undeclared.startswith("Trainable parameters and MACs.")
    assert texts["Receptive field of the stem, px, declared"] == "patches"
    assert "all by the same recipe" in texts["The runs themselves"]
    other = as_plain(check_runs([run, run | {"seed": 1, "recipe": {"epochs": 4}}]))
    assert (
        "differ in Recipe, epochs"
        in dict(fairness_paragraphs(PLAIN, other, 2))["The runs themselves"]
    )


def test_a_folder_without_the_lint_has_no_table():
    assert architecture_table([]) is None and condition_table([]) is None
    assert fairness_paragraphs([], [], 0) == []
    alone = as_plain([compare("depth", {"cnn": 20}, {})])
    assert architecture_table(alone) is None

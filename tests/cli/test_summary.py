"""What the commands print of a study fits 80 columns, and no name or number is cut."""

import io

import pytest
from report_output import fabricate
from rich.console import Console

from priorscope.analysis import read_findings
from priorscope.cli._results import print_estimates
from priorscope.cli._summary import print_fairness, print_models
from priorscope.preflight.checked import Checked
from priorscope.preflight.fairness import as_plain, compare
from priorscope.runs.model_size import ModelSize
from priorscope.study.load import load_study

NAMES = ["resnet50", "vit", "local_vit_dwnet", "local_vit_swin", "local_vit"]


def printed(function, *arguments, width=80):
    console = Console(file=io.StringIO(), width=width)
    function(console, *arguments)
    return console.file.getvalue()


@pytest.mark.parametrize("num_models", [1, 3, 5])
def test_every_estimate_is_readable_at_80_columns(tmp_path, num_models):
    models = {n: {"name": n} for n in NAMES[:num_models]}
    results = read_findings(fabricate(tmp_path / "out", models=models))
    shown = printed(print_estimates, results)
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    # A terminal without an end shows all of it in one table: the same words, each as often, but
    # for the columns that every table begins with.
    wide = printed(print_estimates, results, width=10_000).split()
    narrow = shown.split()
    assert len(results.cells) == 1
    assert {word: narrow.count(word) for word in wide if "[" in word or "." in word} == {
        word: wide.count(word) for word in wide if "[" in word or "." in word
    }
    assert all(shown.count(f"{name} ") for name in NAMES[:num_models])


def test_models_beyond_the_width_stand_in_further_tables(tmp_path):
    results = read_findings(fabricate(tmp_path / "out", models={n: {"name": n} for n in NAMES}))
    headers = [n for n in printed(print_estimates, results).splitlines() if n.startswith("probe")]
    assert len(headers) > 1
    assert [name for header in headers for name in header.split()[2:]] == [
        *(name for name in NAMES),
        "chance",
    ]
    assert printed(print_estimates, results, width=200).count("probe") == 1


def test_a_single_name_without_room_goes_on_in_the_next_line(tmp_path):
    name = "network_" * 12
    shown = printed(
        print_estimates,
        read_findings(fabricate(tmp_path / "out", models={name: {"name": "x"}})),
    )
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown and max(map(len, shown.splitlines())) <= 80


def test_the_models_of_the_largest_study_fit():
    study = load_study("paper")
    sizes = {name: ModelSize(85_806_346, 17_581_000_000) for name in study.models}
    data = {"test": {"num_images": 10_000}}
    cell = ()
    checked = Checked(
        study, {cell: data}, {cell: sizes}, {cell: 80}, {cell: 50_000}, {cell: 224}, {}, {}, []
    )
    seconds = {name: {"train": 0.4, "predict": 0.1, "batch": 8} for name in study.models}
    shown = printed(print_models, checked, seconds, "now")
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown and max(map(len, shown.splitlines())) <= 80
    assert "timed now in batches of 8 of 64" in " ".join(shown.split())
    assert shown.count("85,806,346") == shown.count("17,581.0 M") == len(NAMES)
    assert all(name in shown for name in NAMES)


def test_what_differs_between_five_models_is_said_in_full():
    different = compare("num_parameters", {name: 10**6 + i for i, name in enumerate(NAMES)}, {})
    same = compare("data.train", dict.fromkeys(NAMES, "aaaa"), {})
    shown = printed(print_fairness, as_plain([different, same]))
    assert all(f"{name} 1,000,00{i}" in shown for i, name in enumerate(NAMES))

"""The sections of the page: one file each, all of them on the page, for one cell or for several."""

from pathlib import Path

import polars as pl
import pytest

from priorscope.analysis import read_findings
from priorscope.report import sections
from priorscope.report.page import SECTIONS
from priorscope.report.section import Part, in_cells, section_of
from priorscope.report.table import Table


def block(name):
    return Table(name, "What it shows.", ["a"], [["1"]], [{"a": 1}])


def crossed(results, cells):
    """Make a study of one factor out of results of one cell, the same in each."""
    entries = [{"cell": f"size={size}", "size": size} for size in cells]
    copies = [results.estimates.with_columns(**{k: pl.lit(v) for k, v in e.items()})
              for e in entries]  # fmt: skip
    record = results.record | {"cells": [e | {"data": results.record["data"]} for e in entries]}
    record["study"] = results.study | {"factors": {"size": {"keys": ["data.a"], "values": cells}}}
    record["plan"] = [
        run | {"levels": {"size": size}} for size in cells for run in results.record["plan"]
    ]
    runs = [run | {"levels": {"size": size}} for size in cells for run in results.runs]
    frames = {
        name: getattr(results, name).with_columns(cell=pl.lit("size=1"))
        for name in (
            "epochs",
            "scores",
            "comparisons",
            "histograms",
            "controls",
            "measurements",
            "measures",
            "profile",
        )
    }
    changed = {"record": record, "runs": runs, "estimates": pl.concat(copies), **frames}
    return type(results)(
        **{name: changed.get(name, value) for name, value in vars(results).items()}
    )


@pytest.fixture
def results(study_output):
    return read_findings(study_output(samples=False))


def test_every_file_is_a_section_of_the_page():
    folder = Path(sections.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    files |= {path.parent.name for path in folder.glob("*/__init__.py")}
    assert {section.__name__ for section in SECTIONS} == files
    assert len(SECTIONS) == len(files)


def test_what_one_cell_has_is_in_view(results):
    (part,) = in_cells(results, lambda _: [block("b"), None])
    assert (part.title, part.folded) == ("", False)
    assert [each.name for each in part.shown] == ["b"]
    assert part.shown[0].numbered and part.shown[0].caption == "What it shows."


def test_what_several_cells_have_is_folded_away_and_named(results):
    seen = []

    def make(of_cell):
        seen.append((len(of_cell.runs), len(of_cell.estimates), of_cell.cells))
        return [block("b")]

    parts = in_cells(crossed(results, [1, 2]), make, title="More")
    assert [part.title for part in parts] == ["More, at size 1", "More, at size 2"]
    assert all(part.folded for part in parts)
    names = [each.name for part in parts for each in part.blocks]
    assert names == ["b-size=1", "b-size=2"]
    assert (
        parts[1].blocks[0].caption == "Size 2. What it shows." and not parts[0].blocks[0].numbered
    )
    one = (len(results.runs), len(results.estimates))
    assert seen == [(*one, ["size=1"]), (*one, ["size=2"])]


def test_a_section_without_anything_is_none(results):
    assert section_of("a", "A", Part(), None) is None
    kept = section_of("a", "A", Part(), Part(paragraphs=[("", "Text.")]))
    assert kept is not None and len(kept.parts) == 1

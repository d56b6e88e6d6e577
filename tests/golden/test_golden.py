"""What is said of two stored studies stays the same, until a commit says why it changes."""

import json
import shutil

import golden
import polars as pl
import pytest

from priorscope.analysis import Settings, analyse, read_findings


@pytest.mark.parametrize("name", golden.STUDIES)
def test_report_says_what_it_said(name, tmp_path):
    found = golden.digests(golden.report(name, tmp_path))
    wanted = json.loads(golden.DIGESTS.read_text(encoding="utf-8"))[name]
    assert found.keys() == wanted.keys()
    assert [file for file in wanted if found[file] != wanted[file]] == []


@pytest.mark.parametrize("name", golden.STUDIES)
def test_results_that_are_opened_are_those_that_were_computed(name, tmp_path):
    out = shutil.copytree(golden.HERE / name, tmp_path / name)
    computed, opened = analyse(out, Settings(num_resamples=50)), read_findings(out)
    for field, value in vars(computed).items():
        other = getattr(opened, field)
        same = value.equals(other) if isinstance(value, pl.DataFrame) else value == other
        assert same, field

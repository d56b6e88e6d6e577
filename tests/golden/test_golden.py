"""What is said of two stored studies stays the same, until a commit says why it changes."""

import json

import golden
import pytest


@pytest.mark.parametrize("name", golden.STUDIES)
def test_report_says_what_it_said(name, tmp_path):
    found = golden.digests(golden.report(name, tmp_path))
    wanted = json.loads(golden.DIGESTS.read_text(encoding="utf-8"))[name]
    assert found.keys() == wanted.keys()
    assert [file for file in wanted if found[file] != wanted[file]] == []

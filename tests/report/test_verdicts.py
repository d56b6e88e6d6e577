"""The verdicts on the page, in tables and on the terminal."""

import io
import json
import re

import polars as pl
import pytest
from rich.console import Console

from priorscope.analysis import read_findings
from priorscope.cli._results import print_verdicts
from priorscope.metrics import Scale, share
from priorscope.report import build
from priorscope.report.sections.rules import precision_table
from priorscope.report.sections.verdicts import interval_picture, verdict_table
from priorscope.report.summary import summarise
from priorscope.report.verdict_words import contrasted, declared, effect, verdict_scale
from priorscope.study.hypotheses import digests

MINUS = "\N{MINUS SIGN}"
POINTS = share("Top-1 accuracy")
BASE = {"id": "H1", "statement": "S.", "probe": "background", "metric": "top1", "margin": None}
BASE |= {"expect": "greater", "condition": None}


def test_verdicts_stand_first_with_effect_reason_and_links(report):
    text = report[1].read_text(encoding="utf-8")
    assert text.index('id="verdicts"') < text.index('id="summary"') < text.index('id="glance"')
    section = text[text.index('<section id="verdicts">') : text.index('<section id="summary">')]
    for words in (
        f"{MINUS}13.7 [{MINUS}14.7, {MINUS}12.7] pp",
        "Supported",
        "Because of number 0.",
        "Refuted",
        "vit &lt; cnn in top-1 accuracy on test",
        "local_vit \N{ALMOST EQUAL TO} cnn within \N{PLUS-MINUS SIGN}2 pp",
        "95 % interval, of this step of Holm",
        "seeds: vit 50.0, 60.0 %",
    ):
        assert words in section, words
    rules = text[text.index('<section id="rules">') :]
    assert "stays unseen by S seeds with probability (1 \N{MINUS SIGN} q)^S" in rules
    assert rules.count('href="#from-') == 2, "the table of precision leads to the predictions"
    assert section.count('<svg class="interval"') == 2
    # Every number of a row leads to its predictions, one link a run that there is.
    for name in ("H2", "H3"):
        assert section.count(f'href="#from-{name}"') >= 2
        assert f'id="from-{name}"' in section
    links = re.findall(r'href="(\.\./runs/[^"]+)"', section)
    assert len(links) == 3 + 4, "vit seed 1 is missing"
    assert all((report[1].parent / link).is_file() for link in links)


def test_verdicts_have_a_figure_and_tables_in_every_form(report):
    folder = report[1].parent
    assert (folder / "figures" / "verdicts.pdf").is_file()
    rows = pl.read_csv(folder / "tables" / "verdicts.csv").to_dicts()
    assert [row["id"] for row in rows] == ["H2", "H3"]
    assert rows[0]["estimate"] == -0.137 and rows[0]["verdict"] == "supported"
    assert "Because of number 1." in (folder / "tables" / "verdicts.md").read_text()
    assert "2.2 pp; up to 4.2 pp" in (folder / "tables" / "precision.md").read_text()


@pytest.mark.parametrize(
    ("contrast", "expect", "short", "long"),
    [
        ({"a": "cnn", "b": "chance"}, "greater", f"cnn {MINUS} chance", "cnn > chance in"),
        ({"a": "cnn", "level": 0.6}, "less", f"cnn {MINUS} 0.6", "cnn < 60.0 % in"),
        (
            {"a": "vit", "conditions": ["background", "grey"]},
            "different",
            f"vit (background {MINUS} grey)",
            "vit on background \N{NOT EQUAL TO} grey in",
        ),
        (
            {"a": "vit", "b": "cnn", "conditions": ["background", "grey"]},
            "greater",
            f"(vit {MINUS} cnn) (background {MINUS} grey)",
            f"background {MINUS} grey of vit > that of cnn in",
        ),
    ],
)
def test_every_contrast_is_written_as_a_difference(study_output, contrast, expect, short, long):
    whole = {"b": None, "level": None, "conditions": None} | contrast
    out = study_output(samples=False, hypotheses=[BASE | {"contrast": whole, "expect": expect}])
    results = read_findings(out)
    (row,) = results.verdicts
    assert contrasted(row) == short
    assert declared(row, verdict_scale(row)).startswith(long)


@pytest.mark.parametrize(
    ("range_", "least", "most"),
    [
        ([-1, 1], f"{MINUS}100.0", "+100.0"),
        ([-2, 2], f"{MINUS}200.0", "+200.0"),
        ([-0.9, 0.1], f"{MINUS}90.0", "+10.0"),
        ([None, None], f"{MINUS}1,700.0", "+1,800.0"),
    ],
)
def test_no_interval_is_shown_beyond_what_scores_can_differ(range_, least, most):
    row = {"range": range_, "estimate": 0.05, "low": -17, "high": 18}
    assert effect(row, POINTS) == f"+5.0 [{least}, {most}] pp"
    assert (row["low"], row["high"]) == (-17, 18), "what decides stays"


def test_what_no_study_could_detect_is_said_so(study_output):
    out = study_output(samples=False, probes={})
    path = out / "analysis" / "verdicts.json"
    judged = json.loads(path.read_text())
    judged["verdicts"][0] |= {"detectable": 2.16, "detectable_estimated": 1.5}
    path.write_text(json.dumps(judged))
    first = precision_table(read_findings(out)).rows[0]
    assert first[3] == "more than scores can differ"


def test_a_verdict_without_estimate_says_so(study_output):
    out = study_output(seeds=(0,), samples=False)
    path = out / "analysis" / "verdicts.json"
    judged = json.loads(path.read_text())
    judged["verdicts"][0] |= dict.fromkeys(("estimate", "low", "high", "p_adjusted", "arms"))
    judged["verdicts"][0] |= {"verdict": "inconclusive", "predictions": [], "runs": []}
    path.write_text(json.dumps(judged))
    table = verdict_table(read_findings(out))
    assert table and table.rows[0][3:6] == ("\N{EN DASH}", "", "\N{EN DASH}")
    assert table.page_rows[0][2].picture == "" and table.page_rows[0][2].href == ""
    build(read_findings(out))


def test_the_small_picture_is_drawn_to_scale():
    row = {"estimate": 0.0, "low": -0.02, "high": 0.02, "margin": 0.04, "verdict": "supported"}
    picture = interval_picture(row, POINTS)
    left, width = map(
        float, re.search(r'<rect x="([\d.]+)" y="1" width="([\d.]+)"', picture).groups()
    )
    start, end = map(float, re.search(r'd="M([\d.]+) 11H([\d.]+)"', picture).groups())
    zero = float(re.search(r'd="M([\d.]+) 1V21"', picture)[1])
    assert (end - start) / width == pytest.approx(0.5, abs=0.01)
    assert zero == pytest.approx(left + width / 2, abs=0.2)
    assert [label for label in ("+4", f"{MINUS}4", ">0<") if label not in picture] == []
    assert "rect" not in interval_picture(row | {"margin": None}, POINTS)


@pytest.mark.parametrize(("low", "high"), [(-0.14, 0.04), (-0.04, 0.14), (-0.9, 0.08)])
def test_labels_of_the_small_picture_are_not_cut_off(low, high):
    row = BASE | {"low": low, "high": high, "estimate": low, "margin": 0.08}
    picture = interval_picture(row | {"verdict": "refuted"}, Scale("Top-4", 0, 4, "", "", 1, 2))
    width = float(re.search(r'width="(\d+)"', picture)[1])
    found = re.findall(r'<text x="([\d.]+)"[^>]*font-size="10"[^>]*>([^<]+)<', picture)
    assert "0" in {label for _, label in found}  # one that would lie on another is left out
    for place, label in found:
        half = 0.3 * 10 * len(label)  # letters are at least 0.6 em wide
        assert half <= float(place) <= width - half


def test_late_hypotheses_are_told_on_the_page_and_in_the_row(study_output):
    out = study_output(samples=False, probes={})
    record = json.loads((out / "study.json").read_text())
    hypotheses = record["study"]["hypotheses"]
    record["history"] = [
        {"date": "2026-11-22T15:30:00", "changed": [], "results": False, "hypotheses": {}},
        {
            "date": "2026-11-25T09:00:00",
            "changed": ["seeds", "hypotheses"],
            "results": True,
            "hypotheses": digests(hypotheses),
        },
    ]
    (out / "study.json").write_text(json.dumps(record))
    results = read_findings(out)
    warnings = summarise(results).warnings
    assert "H2 and H3 were added on 2026-11-25, when results existed" in warnings[0]
    assert "seeds were changed on 2026-11-25" in warnings[1]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("stability", "The part of the budget at which claims are asked again was changed on"),
        ("models", "The models were changed on 2026-11-25"),
        ("probes", "The probes were changed on 2026-11-25"),
        ("factors", "The factors were changed on 2026-11-25"),
        ("declared", "The declared differences between models were changed on 2026-11-25"),
        ("controls", "The demands on control models were changed on 2026-11-25"),
    ],
)
def test_what_else_decides_verdicts_is_told_where_it_changed_late(study_output, key, words):
    out = study_output(samples=False, probes={})
    record = json.loads((out / "study.json").read_text())
    before = {"date": "2026-11-22T15:30:00", "changed": [], "results": False, "hypotheses": {}}
    late = before | {"date": "2026-11-25T09:00:00", "changed": ["curve_images", key]}
    for results in (True, False):
        record["history"] = [before, late | {"results": results}]
        (out / "study.json").write_text(json.dumps(record))
        opened = read_findings(out)
        console = Console(width=80, record=True, file=io.StringIO())
        print_verdicts(console, opened)
        terminal = " ".join(console.export_text().split())
        warnings = " ".join(summarise(opened).warnings)
        assert (words in warnings) == (words in terminal) == results
        assert "curve" not in warnings, "which decides no verdict"


def test_raw_differences_stand_beside_matched_ones(report):
    folder = report[1].parent
    row = pl.read_csv(folder / "tables" / "matched.csv").row(1, named=True)
    assert (row["probe"], row["raw_estimate"], row["matched_low"]) == ("background", 0.21, -0.02)
    text = (folder / "tables" / "matched.md").read_text()
    assert f"+21.0 \\[+20.0, +22.0\\] pp | +1.0 \\[{MINUS}2.0, +4.0\\] pp |" in text
    assert "31.0 \N{EN DASH} 65.0 %" in text
    assert "interpolated between 3 checkpoints" in report[1].read_text(encoding="utf-8")


def test_without_checkpoints_the_page_says_that_none_were_kept(study_output):
    page = build(read_findings(study_output(samples=False, matched=False))).read_text(
        encoding="utf-8"
    )
    assert "No predictions were kept along training" in page
    assert "figures/matched.svg" not in page


def test_the_terminal_shows_verdicts_in_80_columns(report):
    console = Console(width=80, record=True, file=io.StringIO())
    print_verdicts(console, read_findings(report[0]))
    lines = console.export_text().splitlines()
    assert all(len(line) <= 80 for line in lines)
    text = " ".join(" ".join(lines).split())
    assert "H2 SUPPORTED A ViT without a locality bias" in text
    assert "vit < cnn in top-1 accuracy on test" in text
    assert f"{MINUS}13.7 [{MINUS}14.7, {MINUS}12.7] pp p <" in text
    assert "H3 REFUTED" in text and "Because of number 1." in text

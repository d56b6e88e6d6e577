"""The page: what stands on it, that it loads nothing, and that names cannot break it."""

import json
import re
import shutil
import subprocess
import sys

import polars as pl
import pytest
from html_page import Page, read

from priorscope.analysis import read_findings
from priorscope.errors import InputError
from priorscope.report import build
from priorscope.report.figure import model_scales

HOSTILE = '</script><script>alert("1")</script><img src=x onerror=alert(2)> & \' | $_%{}'


def built(out):
    return build(read_findings(out))


def test_page_is_well_formed_and_has_every_section(report):
    page = read(report[1])
    assert page.problems == [] and page.open == []
    sections = [attributes["id"] for attributes in page.all("section")]
    expected = ["verdicts", "summary", "glance", "fairness", "images", "training"]
    expected += ["probes", "comparisons", "matched", "rules", "runs"]
    assert sections == expected
    parts = [attributes["id"] for attributes in page.all("h3")]
    assert parts == ["probe-combined", "probe-background"]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        if link["href"].startswith("#"):
            assert link["href"][1:] in ids


def test_numbers_of_the_2021_report_are_kept(report):
    text = read(report[1]).text
    places = [
        ("Figure 1.", "One training image of each class"),
        ("Figure 2.", "Combined: mosaics"),
        ("Figure 3.", "Background: objects"),
        ("Figure 4.", "Training loss"),
        ("Figure 5.", "Combined: mosaics of several classes: how many"),
        ("Table 1.", "Recipe"),
        ("Table 2.", "Combined: mosaics"),
        ("Table 3.", "Background: objects"),
    ]
    for label, start in places:
        assert f"{label} {start}" in text


def test_nothing_is_loaded_from_anywhere(report):
    page = read(report[1])
    for _, attributes in page.elements:
        for name in ("src", "srcset", "data", "poster", "action", "xlink:href"):
            assert attributes.get(name, "data:").startswith("data:"), attributes
        assert not re.search(r"url\((?!#|data:)", attributes.get("style") or "")
    assert page.all("link") == [] and page.all("iframe") == []
    style = re.search(r"<style>(.*?)</style>", report[1].read_text(encoding="utf-8"), re.DOTALL)[1]
    assert "url(" not in style and "@import" not in style
    policy = page.all("meta")[1]["content"]
    assert policy.startswith("default-src 'none'") and "unsafe-eval" not in policy
    assert not any("http" in json.dumps(chart) for chart in page.data)


def test_links_lead_to_files_that_exist(report):
    links = [a["href"] for a in read(report[1]).all("a") if not a["href"].startswith("#")]
    assert len(links) > 30
    for link in links:
        assert (report[1].parent / link).stat().st_size > 100, link
    on_disk = {f"{p.parent.name}/{p.name}" for p in report[1].parent.glob("*/*")}
    assert on_disk == {link for link in links if not link.startswith("../runs/")}


def test_every_figure_has_three_forms(report):
    figures = report[1].parent / "figures"
    stems = {path.stem for path in figures.iterdir()}
    assert {"classes", "samples-combined", "samples-background", "training"} <= stems
    assert {"histogram-combined", "overview", "comparisons"} <= stems
    for stem in stems:
        svg = (figures / f"{stem}.svg").read_text(encoding="utf-8")
        assert (figures / f"{stem}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert (figures / f"{stem}.pdf").read_bytes()[:5] == b"%PDF-"
        assert (figures / f"{stem}.png").stat().st_size > 5000
        if not stem.startswith(("classes", "samples")):
            assert all(model in svg for model in ("cnn", "vit", "local_vit"))
            assert "NaN" not in svg and "undefined" not in svg
    assert "automobile" in (figures / "classes.svg").read_text(encoding="utf-8")


def test_charts_draw_intervals_and_chance(report):
    """Every estimate's low and high stand in the chart's data, so no chart shows bare means."""
    out, path = report
    estimates = pl.read_parquet(out / "analysis" / "estimates.parquet")
    drawn = {
        round(row[key], 3)
        for chart in read(path).data
        for layer in chart.get("layer", [])
        for row in layer.get("data", {}).get("values", [])
        for key in ("estimate", "low", "high")
        if row.get(key) is not None
    }
    for row in estimates.to_dicts():
        factor = 1 if row["arm"] == "mosaic" else 100
        for key in ("estimate", "low", "high"):
            if row[key] is not None:
                assert round(float(f"{row[key] * factor:.6g}"), 3) in drawn, row


def test_numbers_on_the_page_are_those_of_the_files(report):
    out, path = report
    text = read(path).text
    for row in pl.read_parquet(out / "analysis" / "estimates.parquet").to_dicts():
        score = row["arm"] == "mosaic"
        shown = [f"{row[k]:.2f}" if score else f"{100 * row[k]:.1f}" for k in ("estimate",)]
        if row["low"] is not None:
            low, high = (
                f"{row[k]:.2f}" if score else f"{100 * row[k]:.1f}" for k in ("low", "high")
            )
            shown.append(f"[{low}, {high}]")
        assert " ".join(shown) in text, row
    for row in pl.read_parquet(out / "analysis" / "comparisons.parquet").to_dicts():
        p = row["p_adjusted"]
        assert ("<\N{NO-BREAK SPACE}0.01" if p < 0.01 else f"{p:.3f}") in read(path).cells


def test_tables_say_the_same_in_every_form(report):
    out, path = report
    tables = path.parent / "tables"
    estimates = pl.read_parquet(out / "analysis" / "estimates.parquet")
    csv = pl.read_csv(tables / "background-top1.csv")
    assert csv["model"].to_list() == ["cnn", "vit", "local_vit", "chance"]
    for row in csv.to_dicts():
        stored = estimates.filter(model=row["model"], probe="background", arm="grey").to_dicts()[0]
        assert row["grey estimate"] == stored["estimate"] and row["grey low"] == stored["low"]
        shown = f"{100 * stored['estimate']:.1f}"
        lines = [
            line
            for form in ("md", "tex")
            for line in (tables / f"background-top1.{form}").read_text().split("\n")
            if re.match(rf"[| ]*{re.escape(row['model'])}".replace("_", r"\\*_"), line)
        ]
        assert len(lines) == 2 and all(shown in line for line in lines)


def test_missing_runs_are_named_first(report):
    page = read(report[1])
    text = page.text
    assert "1 of six planned runs is missing" in text and "vit seed 1 (m1-s1-1a2b3c4d)" in text
    assert text.index("1 of six planned") < text.index("trained from scratch")
    assert "not finished" in read(report[1]).cells


def test_hostile_names_stay_text(study_output):
    models = {HOSTILE: {"name": HOSTILE, HOSTILE: HOSTILE}, "b": {"name": "b"}}
    path = built(
        study_output(
            models=models,
            class_names=[HOSTILE, *"abcdefghi"],
            name=HOSTILE,
            description=HOSTILE,
            title=HOSTILE,
            probes={"a<b>&c": {"name": "mosaic", "grid": 2}, "odd": {"name": HOSTILE}},
        )
    )
    page = read(path)
    assert page.problems == [] and page.open == []
    assert HOSTILE in page.text
    assert not any("onerror" in attributes for _, attributes in page.elements)
    kinds = [attributes.get("type") for attributes in page.all("script")]
    assert kinds.count(None) == 2, "only the page's own scripts"
    assert any(
        HOSTILE in json.dumps(chart, ensure_ascii=False).replace('\\"', '"') for chart in page.data
    )
    tex = (path.parent / "tables" / "overview.tex").read_text(encoding="utf-8")
    assert r"\& ' \textbar{} \$\_\%\{\}" in tex


def test_one_model_and_one_seed(study_output):
    path = built(study_output(models={"cnn": {"name": "c"}}, seeds=(7,), probes={}, hypotheses=[]))
    text = read(path).text
    assert "With one seed, intervals cover the choice of test images only" in text
    assert "There is nothing to compare" in text and "declares no hypotheses" in text


def test_no_samples(study_output):
    path = built(study_output(samples=False))
    assert "Figure 1. Training loss" in read(path).text


def test_unknown_probe_gets_samples_table_and_chart(study_output):
    probes = {"my_probe": {"name": "./my_probe.py:my_probe", "strength": 0.5}}
    path = built(study_output(probes=probes))
    stems = {file.stem for file in path.parent.glob("*/*")}
    assert {"samples-my_probe", "my_probe-top1", "intervals-my_probe-top1"} <= stems
    assert "strength=0.5" in read(path).text


def test_many_models_keep_different_looks():
    models = [f"m{i}" for i in range(12)]
    scales = {key: scale.to_dict()["range"] for key, scale in model_scales(models, models).items()}
    lines = {(colour, tuple(d)) for colour, d in zip(scales["color"], scales["dash"], strict=True)}
    points = set(zip(scales["color"], scales["shape"], strict=True))
    assert len(lines) == len(points) == 12
    subset = model_scales(models, ["m3", "m9"])["color"].to_dict()["range"]
    assert subset == [scales["color"][3], scales["color"][9]]


def test_hundred_classes(study_output):
    names = [f"class {i}" for i in range(130)]
    path = built(study_output(class_names=names, models={"a": {"name": "a"}}, probes={}))
    page = read(path)
    assert len(page.all("img")) == 100
    assert "each of the first 100 of 130 classes" in page.text


def test_rebuilding_removes_what_no_longer_belongs(study_output):
    out = study_output(models={"a": {"name": "a"}}, probes={})
    stale = out / "report" / "figures" / "old.svg"
    notes = out / "report" / "figures" / "notes.txt"
    stale.parent.mkdir(parents=True)
    stale.write_text("<svg/>")
    notes.write_text("mine")
    first = built(out).read_bytes()
    assert not stale.exists() and notes.exists()
    assert not list(out.rglob("*.partial"))
    assert built(out).read_bytes() == first


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("study.json", None, "not the output folder of a study"),
        ("study.json", "{", "cannot be read"),
        ("analysis/estimates.parquet", None, "a report needs this file"),
        ("analysis/estimates.parquet", "PAR1", "file is not Parquet"),
        ("samples/train.parquet", "", "file is not Parquet"),
    ],
)
def test_damaged_artefacts_are_named(study_output, name, content, problem):
    out = study_output(models={"a": {"name": "a"}}, seeds=(0,), probes={})
    (out / name).unlink()
    if content is not None:
        (out / name).write_text(content)
    with pytest.raises(InputError, match=problem) as caught:
        built(out)
    assert str(out) in str(caught.value.where)


def test_no_finished_run(study_output):
    out = study_output(models={"a": {"name": "a"}}, seeds=(0,), probes={})
    shutil.rmtree(out / "runs")
    with pytest.raises(InputError, match="no run of this study has finished"):
        built(out)


def test_building_imports_no_torch(study_output):
    out = study_output(models={"a": {"name": "a"}}, seeds=(0,), probes={}, samples=False)
    code = "import sys, pathlib; from priorscope.report import build; "
    code += "from priorscope.analysis import read_findings; "
    code += "build(read_findings(pathlib.Path(sys.argv[1]))); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, str(out)], check=True)


CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_charts_come_alive_in_a_browser(report, tmp_path):
    """Without an error on the console, every chart is redrawn by the page's own Vega."""
    assert CHROMIUM
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path}",
    ]
    command += ["--disable-background-networking", "--enable-logging=stderr"]
    command += ["--virtual-time-budget=20000", "--dump-dom", report[1].as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in done.stderr
    static, drawn = read(report[1]), Page(done.stdout)
    charts = [a for a in drawn.all("div") if a.get("class") == "chart"]
    assert charts and all(chart.get("data-interactive") == "yes" for chart in charts)
    assert len(charts) == len(static.data)
    assert len(drawn.all("svg")) == len(static.all("svg"))
    assert len(drawn.all("path")) > 100

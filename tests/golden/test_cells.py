"""A study of several cells shows of each what a study of that cell alone shows."""

import csv
import json
import shutil

import golden
import pytest

from priorscope.analysis import analyse
from priorscope.evaluation import read_predictions, write_predictions
from priorscope.report import build

SIZES = [600, 1200]


def in_two_cells(out):
    """Make a factor of the plain study: its runs, once for each of two sizes."""
    record = json.loads((out / "study.json").read_text(encoding="utf-8"))
    del record["digest"]
    study = record["study"]
    del study["stability"]
    for hypothesis in study["hypotheses"]:
        hypothesis["at"] = {"size": SIZES[0]}
    study["factors"] = {"size": {"keys": ["data.num_train"], "values": SIZES, "settings": SIZES}}
    plan, record["plan"] = record["plan"], []
    record["cells"] = [
        {"cell": f"size={size}", "samples": "size=600", "data": record["data"]} for size in SIZES
    ]
    for run in plan:
        folder = out / "runs" / run["run_id"]
        for size in SIZES:
            name = f"{run['run_id']}-size{size}"
            shutil.copytree(folder, out / "runs" / name)
            for file in folder.rglob("*.parquet"):  # which know where they lie
                there = out / "runs" / name / file.relative_to(folder)
                write_predictions(read_predictions(file), there)
            path = out / "runs" / name / "run.json"
            told = json.loads(path.read_text(encoding="utf-8")) | {"run_id": name}
            del told["digest"]
            path.write_text(json.dumps(told | {"levels": {"size": size}}), encoding="utf-8")
            record["plan"].append(run | {"run_id": name, "levels": {"size": size}})
        shutil.rmtree(folder)
    (out / "study.json").write_text(json.dumps(record), encoding="utf-8")
    return out


def records(path):
    """Read a table's numbers without the columns that name a cell or correct over all of them."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    left_out = {"cell", "size", "p_adjusted"}
    return [{key: row[key] for key in row if key not in left_out} for row in rows]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Return the tables of the plain study, and of the same in two cells."""
    folder = tmp_path_factory.mktemp("cells")
    made = []
    for name in ("one", "two"):
        out = shutil.copytree(golden.HERE / "plain", folder / name)
        page = build(analyse(in_two_cells(out) if name == "two" else out))
        made.append((page, page.parent / "tables"))
    return made


def test_every_table_of_a_cell_has_the_numbers_of_the_study_alone(tables):
    (_, one), (_, two) = tables
    compared = []
    for path in one.glob("*.csv"):
        for size in SIZES:
            of_cell = two / f"{path.stem}-size-{size}.csv"
            if of_cell.is_file():
                compared.append(path.stem)
                assert records(of_cell) == records(path), of_cell.name
    wanted = {"overview", "combined-top_k_matching", "background-top1", "background-controls"}
    wanted |= {"comparisons", "comparisons-controls", "matched", "attention"}
    wanted |= {"error-consistency"}
    assert wanted <= set(compared) and len(compared) == 2 * len(set(compared))


def test_the_page_says_at_which_level_each_number_stands(tables):
    text = tables[1][0].read_text(encoding="utf-8")
    for words in (
        "at two combinations of levels (size 600 and 1200)",
        "<summary>At size 600</summary>",
        "<summary>Differences on the control arms, at size 1200</summary>",
        "has factors, which the report had not",
        "averaged over the range that all runs",
    ):
        assert words in text, words
    assert text.count("<summary>At size 1200</summary>") == 7, "one in each section of cells"

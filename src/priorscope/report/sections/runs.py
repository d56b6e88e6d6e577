"""Data, runs and versions: what was done, and on what."""

from typing import Any

from priorscope.analysis import Findings
from priorscope.analysis.findings import cell_of, select
from priorscope.analysis.training import data_remarks
from priorscope.metrics import NONE
from priorscope.report.section import Part, Section, section_of
from priorscope.report.sections.glance import main_columns
from priorscope.report.table import Table, table_of
from priorscope.report.wording import (
    TIMES,
    Row,
    cell_title,
    count,
    counted,
    level_text,
    listed,
    magnitude,
    plain,
    seconds,
    setting,
)


def runs(results: Findings) -> Section | None:
    """Show data, models, runs, versions and hardware; the scores of each run are folded away."""
    shown = [
        _data_table(results),
        _cell_data_table(results),
        _model_table(results),
        _run_table(results),
        _environment_table(results),
    ]
    notes = data_remarks(results.record, "notes")
    remarks = [("How the images were read", f"{'; '.join(notes)}.")] if notes else []
    scores = Part([_score_table(results)], title="Scores of each run", folded=True)
    return section_of("runs", "Data, runs and versions", Part(shown, remarks), scores)


def _data_table(results: Findings) -> Table:
    """Return what identifies the data, down to the pixels: what all cells share."""
    cells = [_properties(results.at(cell).record["data"]) for cell in results.cells]
    shared = {key: cells[0][key] for key in cells[0] if len({each[key] for each in cells}) == 1}
    chosen = {key: value for key, value in results.study["data"].items() if key != "name"}
    varied = results.study.get("factors") or {}
    set_by_factors = {key for factor in varied.values() for key in factor["keys"]}
    for key, value in chosen.items():
        if f"data.{key}" not in set_by_factors:
            shared[plain(key)] = setting(value)
    columns = {"Property": lambda row: row["property"], "Value": lambda row: row["value"]}
    caption = "Data. A fingerprint changes when any image, any label or their order changes."
    records = [{"property": key, "value": value} for key, value in shared.items()]
    return table_of("data", caption, records, columns)


def _properties(data: Row) -> dict[str, str]:
    return {
        "dataset": data["title"],
        "classes": count(len(data["class_names"])),
        "image size": f"{data['image_px']} {TIMES} {data['image_px']} px",
        "training images": count(data["train"]["num_images"]),
        "training fingerprint": data["train"]["fingerprint"],
        "test images": count(data["test"]["num_images"]),
        "test fingerprint": data["test"]["fingerprint"],
    }


def _cell_data_table(results: Findings) -> Table | None:
    """Return what identifies the data of every cell; None where there is one."""
    cells = results.record.get("cells", [])
    if not cells:
        return None
    records = []
    for entry in cells:
        data, moved = entry["data"], entry["data"].get("intervention", {})
        record = {"cell": entry["cell"], "title": data["title"]}
        record |= {f"{part}_images": data[part]["num_images"] for part in ("train", "test")}
        record |= {f"{part}_fingerprint": data[part]["fingerprint"] for part in ("train", "test")}
        record |= {"intervention": moved.get("name"), "permutation": moved.get("fingerprint")}
        records.append(record)
    columns = {
        "At": lambda row: cell_title(row["cell"]),
        "Data": lambda row: row["title"],
        "Training images": lambda row: count(row["train_images"]),
        "Training": lambda row: row["train_fingerprint"],
        "Test": lambda row: row["test_fingerprint"],
        "Intervention": lambda row: (
            f"{level_text(row['intervention'])} {row['permutation']}"
            if row["intervention"]
            else NONE
        ),
    }
    caption = (
        "Data of every cell. A fingerprint changes when any image, any label or their order "
        "changes; that of an intervention when any pixel goes elsewhere."
    )
    return table_of("cell-data", caption, records, columns, numeric={2})


def _model_table(results: Findings) -> Table:
    """Return each model's component and parameters as the study names them."""
    sizes = {run["model"]: run for run in results.runs}
    records = []
    for model, component in results.study["models"].items():
        settings = {key: value for key, value in component.items() if key != "name"}
        if "weights" in settings and "classes" in settings:  # there may be a thousand
            settings["classes"] = counted(len(settings["classes"]), "name")
        size = sizes.get(model, {})
        records.append(
            {"model": model, "component": component["name"], "settings": setting(settings)}
            | {key: size.get(key) for key in ("num_parameters", "macs")}
        )
    columns = {
        "Model": lambda row: row["model"],
        "Component": lambda row: row["component"],
        "Settings": lambda row: row["settings"],
        "Parameters": lambda row: count(row["num_parameters"]),
        "MACs": lambda row: magnitude(row["macs"]),
    }
    caption = "Models. MACs: multiply-accumulates for one image."
    return table_of("models", caption, records, columns, numeric={3, 4})


_RUN = ("run_id", "model", "seed", "num_parameters", "macs", "train_seconds", "evaluate_seconds")
_RUN += ("train_images_per_second", "micro_batch_size", "device", "num_threads")


def _run_table(results: Findings) -> Table:
    """Return every planned run with its cost, finished or not."""
    finished: dict[str, Row] = {run["run_id"]: run for run in results.runs}
    shown = [finished.get(planned["run_id"]) or planned for planned in results.record["plan"]]
    columns = {
        "Run": lambda row: row["run_id"],
        "Model": lambda row: row["model"],
        "Seed": lambda row: str(row["seed"]),
        "Parameters": lambda row: count(row.get("num_parameters")),
        "MACs": lambda row: magnitude(row.get("macs")),
        "Training": lambda row: seconds(row.get("train_seconds")),
        "Prediction": lambda row: seconds(row.get("evaluate_seconds")),
        "Images/s": lambda row: count(row.get("train_images_per_second")),
        "Images at once": lambda row: count(row.get("micro_batch_size")),
        "Device": lambda row: (
            setting(row["device"]) if row["run_id"] in finished else "not finished"
        ),
    }
    caption = (
        "Runs. Wall time of training and of all predictions; images/s while training. Images at "
        "once: the micro-batch that training ended with, smaller where memory ran out."
    )
    records = [{key: row.get(key) for key in _RUN} for row in shown]
    return table_of("runs", caption, records, columns, shown=shown, numeric=range(2, 9))


def _environment_table(results: Findings) -> Table:
    """Return versions and hardware; where runs differ, all that were found."""
    sources, records, found = [results.record, *results.runs], [], {}
    for part in ("hardware", "versions"):
        for key in dict.fromkeys(key for source in sources for key in source[part]):
            found[part, key] = list(dict.fromkeys(setting(each[part].get(key)) for each in sources))
            records.append({"part": part, "name": key, "value": "; ".join(found[part, key])})
    columns = {
        "Name": lambda row: plain(row["name"]),
        "Value": lambda row: listed(found[row["part"], row["name"]]),
    }
    caption = (
        "Hardware and versions. More than one value means that runs were made in different places."
    )
    return table_of("environment", caption, records, columns)


def _score_table(results: Findings) -> Table:
    """Return every run's own score, so that readers see how much seeds differ."""
    columns: dict[str, Any] = {
        "Model": lambda run: run["model"],
        "Seed": lambda run: str(run["seed"]),
    }
    if results.factors:
        columns["At"] = lambda run: cell_title(cell_of(run))
    for scored, heading in main_columns(results).items():
        scale = results.scale(scored)
        values = {
            (row["model"], row["seed"], row.get("cell", "")): scale.value(row["value"])
            for row in select(results.scores, **scored._asdict())
        }

        def value(run: Row, values: dict = values) -> str:
            return values.get((run["model"], run["seed"], cell_of(run)), NONE)

        columns[f"{heading}\n{scale.heading}"] = value
    first = 3 if results.factors else 2
    caption = "Scores of each run. The CSV file also holds the control arms."
    return table_of(
        "scores",
        caption,
        select(results.scores),
        columns,
        shown=results.runs,
        numeric={1, *range(first, len(columns))},
    )

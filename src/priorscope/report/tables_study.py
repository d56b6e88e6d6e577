"""Tables of what was done: recipe, data, runs, versions and hardware."""

from priorscope.report.artefacts import Artefacts, Row
from priorscope.report.tables import Table
from priorscope.report.wording import count, listed, magnitude, plain, seconds, setting


def recipe_table(artefacts: Artefacts) -> Table:
    """Return the one recipe of all models (the report's Table 1)."""
    recipe = artefacts.study["recipe"]
    return _pairs(
        "recipe",
        "Recipe, shared by all models: a study has no place for a setting of a single model."
        if len(artefacts.models) > 1
        else "Recipe of the model.",
        [
            (plain(key), setting(value), {"setting": key, "value": value})
            for key, value in recipe.items()
        ],
        "Setting",
    )


def data_table(artefacts: Artefacts) -> Table:
    """Return what identifies the data, down to the pixels."""
    data = artefacts.record["data"]
    chosen = artefacts.study["data"]
    rows = {
        "dataset": data["title"],
        "classes": count(len(data["class_names"])),
        "image size": f"{data['image_px']} \N{MULTIPLICATION SIGN} {data['image_px']} px",
        "training images": count(data["train"]["num_images"]),
        "training fingerprint": data["train"]["fingerprint"],
        "test images": count(data["test"]["num_images"]),
        "test fingerprint": data["test"]["fingerprint"],
    }
    rows |= {plain(key): setting(value) for key, value in chosen.items() if key != "name"}
    return _pairs(
        "data",
        "Data. A fingerprint changes when any image, any label or their order changes.",
        [(key, value, {"property": key, "value": value}) for key, value in rows.items()],
        "Property",
    )


def model_table(artefacts: Artefacts) -> Table:
    """Give each model's component and parameters as the study names them."""
    sizes = {run["model"]: run for run in artefacts.runs}
    rows, records = [], []
    for model, component in artefacts.study["models"].items():
        size = sizes.get(model, {})
        settings = {key: value for key, value in component.items() if key != "name"}
        parameters, macs = size.get("num_parameters"), size.get("macs")
        rows.append(
            (
                model,
                component["name"],
                setting(settings) if settings else "",
                count(parameters),
                magnitude(macs),
            )
        )
        records.append(
            {"model": model, "component": component["name"], "settings": setting(settings)}
            | {"num_parameters": parameters, "macs": macs}
        )
    return Table(
        "models",
        "Models. MACs: multiply-accumulates for one image.",
        ("Model", "Component", "Settings", "Parameters", "MACs"),
        tuple(rows),
        tuple(records),
        frozenset({3, 4}),
    )


def run_table(artefacts: Artefacts) -> Table:
    """Return every planned run with its cost, finished or not."""
    finished: dict[str, Row] = {run["run_id"]: run for run in artefacts.runs}
    columns = ("run_id", "model", "seed", "num_parameters", "macs", "train_seconds")
    columns += ("evaluate_seconds", "train_images_per_second", "micro_batch_size", "device")
    columns += ("num_threads",)
    rows, records = [], []
    for planned in artefacts.record["plan"]:
        run: Row = finished.get(planned["run_id"]) or planned
        rows.append(
            (
                run["run_id"],
                run["model"],
                str(run["seed"]),
                count(run.get("num_parameters")),
                magnitude(run.get("macs")),
                seconds(run.get("train_seconds")),
                seconds(run.get("evaluate_seconds")),
                count(run.get("train_images_per_second")),
                count(run.get("micro_batch_size")),
                setting(run["device"]) if run is not planned else "not finished",
            )
        )
        records.append({column: run.get(column) for column in columns})
    return Table(
        "runs",
        "Runs. Wall time of training and of all predictions; images/s while training. Images at "
        "once: the micro-batch that training ended with, smaller where memory ran out.",
        (
            "Run",
            "Model",
            "Seed",
            "Parameters",
            "MACs",
            "Training",
            "Prediction",
            "Images/s",
            "Images at once",
            "Device",
        ),
        tuple(rows),
        tuple(records),
        frozenset({2, 3, 4, 5, 6, 7, 8}),
    )


def environment_table(artefacts: Artefacts) -> Table:
    """Return versions and hardware; where runs differ, all that were found."""
    sources = [artefacts.record, *artefacts.runs]
    rows = []
    for part in ("hardware", "versions"):
        keys = dict.fromkeys(key for source in sources for key in source[part])
        for key in keys:
            found = list(dict.fromkeys(setting(_value(source, part, key)) for source in sources))
            record = {"part": part, "name": key, "value": "; ".join(found)}
            rows.append((plain(key), listed(found), record))
    return _pairs(
        "environment",
        "Hardware and versions. More than one value means that runs were made in different places.",
        rows,
        "Name",
    )


def differing_environment(artefacts: Artefacts) -> list[str]:
    """Name the versions and hardware in which the finished runs differ."""
    return [
        plain(key)
        for part in ("hardware", "versions")
        for key in dict.fromkeys(key for run in artefacts.runs for key in run[part])
        if len({setting(_value(run, part, key)) for run in artefacts.runs}) > 1
    ]


def _value(source: Row, part: str, key: str) -> object:
    return source[part].get(key)


def _pairs(name: str, caption: str, rows: list[tuple[str, str, Row]], heading: str) -> Table:
    return Table(
        name,
        caption,
        (heading, "Value"),
        tuple((key, value) for key, value, _ in rows),
        tuple(record for *_, record in rows),
    )

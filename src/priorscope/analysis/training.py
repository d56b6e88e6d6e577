"""From the records of finished runs to how training ended: read, then judged by `claims`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl

from priorscope.analysis.compare import Row
from priorscope.claims.training import Training, judge_training
from priorscope.errors import InputError
from priorscope.runs.store import read_lines, read_run
from priorscope.study.given import given_models
from priorscope.study.levels import cell_name, trained_name

EPOCHS = {"model": pl.String, "seed": pl.Int64, "cell": pl.String, "epoch": pl.Int64}
EPOCHS |= dict.fromkeys(("train_loss", "train_accuracy", "test_accuracy"), pl.Float64)


def read_runs(out: Path, record: Mapping[str, Any]) -> tuple[list[Row], pl.DataFrame]:
    """Read `run.json` and `metrics.jsonl` of every finished run of the plan, in its order.

    Returns
    -------
    the records, and one row a run x epoch with the columns `EPOCHS`

    Raises
    ------
    InputError : no run has finished, or a file is damaged
    """
    runs, epochs = [], []
    for planned in record["plan"]:
        folder = out / "runs" / planned["run_id"]
        if (folder / "run.json").is_file():
            run = read_run(folder)
            runs.append(run)
            epochs += [run_key(run) | line for line in _epochs(folder / "metrics.jsonl")]
    if not runs:
        raise InputError(
            "no run of this study has finished",
            where=out / "runs",
            hint="priorscope run continues with the runs that are not finished",
        )
    return runs, pl.DataFrame(epochs, schema=EPOCHS)


def run_key(run: Mapping[str, Any]) -> Row:
    """Return the columns that name a run: its model, its seed and its cell."""
    cell = cell_name(run.get("levels", {}).items())
    return {"model": run["model"], "seed": run["seed"], "cell": cell}


def judge_runs(
    record: Mapping[str, Any], runs: Sequence[Row], epochs: pl.DataFrame
) -> dict[str, Training]:
    """Judge the training of every model, cell by cell, by the epochs of its finished runs.

    Returns
    -------
    the model, with its cell in a study with factors (`levels.trained_name`) -> its training; only
    models of which a run has finished, and none that is evaluated as given
    """
    of_runs: dict[str, list[tuple[int, Sequence[tuple[float, float]]]]] = {}
    about: dict[str, tuple[int, int, float | None]] = {}
    by_run = {key: rows.select("train_loss", "train_accuracy").rows()
              for key, rows in epochs.group_by("model", "seed", "cell")}  # fmt: skip
    given = given_models(record["study"])
    for run in runs:
        if run["model"] in given:
            continue
        name = trained_name(run["model"], run.get("levels", {}))
        key = tuple(run_key(run).values())
        of_runs.setdefault(name, []).append((run["seed"], by_run.get(key, [])))
        recipe = run.get("recipe", {})
        num_epochs = recipe.get("epochs", record["study"]["recipe"].get("epochs", 0))
        about[name] = (num_epochs, *_images(record, run_key(run)["cell"]))
    return {
        name: judge_training(
            of_model,
            num_epochs=about[name][0],
            num_images=about[name][1],
            constant_accuracy=about[name][2],
        )
        for name, of_model in of_runs.items()
    }


def warnings_of(runs: Sequence[Row]) -> dict[str, list[str]]:
    """Collect what finished runs warn of, by the model's trained name; each text once."""
    found: dict[str, dict[str, None]] = {}
    for run in runs:
        name = trained_name(run["model"], run.get("levels", {}))
        found.setdefault(name, {}).update(dict.fromkeys(run.get("warnings", [])))
    return {name: list(texts) for name, texts in found.items() if texts}


def data_remarks(record: Mapping[str, Any], kind: Literal["notes", "warnings"]) -> list[str]:
    """Collect what the data of all cells have to say of themselves; each text once."""
    of_cells = [record.get("data", {}), *(entry["data"] for entry in record.get("cells", []))]
    return list(dict.fromkeys(text for data in of_cells for text in data.get(kind, [])))


def class_counts(record: Mapping[str, Any], cell: str) -> tuple[int, ...] | None:
    """Return the training labels of each class in a cell; None where they were not recorded."""
    counts = _train(record, cell).get("class_counts")
    return None if counts is None else tuple(counts)


def _train(record: Mapping[str, Any], cell: str) -> Mapping[str, Any]:
    """Find what `study.json` says of a cell's training images."""
    for entry in record.get("cells", []):
        if entry["cell"] == cell:
            return entry["data"].get("train", {})
    return record.get("data", {}).get("train", {})


def _images(record: Mapping[str, Any], cell: str) -> tuple[int, float | None]:
    """Count a cell's training images, and the share of them in the most frequent class.

    Studies of earlier versions record no counts: their classes are taken to be equally frequent.
    """
    train = _train(record, cell)
    counts, num_classes = (
        train.get("class_counts"),
        len(record.get("data", {}).get("class_names", [])),
    )
    num_images = int(train.get("num_images", sum(counts or [0])))
    if counts and sum(counts):
        return num_images, max(counts) / sum(counts)
    return num_images, 1 / num_classes if num_classes and num_images else None


def _epochs(path: Path) -> list[Row]:
    try:
        return [
            {"epoch": int(line["epoch"])}
            | {key: float(line[key]) for key in ("train_loss", "train_accuracy", "test_accuracy")}
            for line in read_lines(path)
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("file is not JSON lines of epochs", where=path, found=error) from None

"""From the records of finished runs to how training ended: read, then judged by `claims`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from priorscope.claims.training import Training, judge_training
from priorscope.errors import InputError
from priorscope.runs.store import read_lines, read_run
from priorscope.study.levels import cell_name, trained_name


def read_training(out: Path, record: Mapping[str, Any]) -> dict[str, Training]:
    """Judge every model of a study by the `metrics.jsonl` of its finished runs, cell by cell.

    Returns
    -------
    the model, with its cell in a study with factors (`levels.trained_name`) -> its training; only
    models of which a run has finished

    Raises
    ------
    InputError : a damaged file
    """
    epochs: dict[str, list[tuple[int, Sequence[tuple[float, float]]]]] = {}
    about: dict[str, tuple[int, int, float | None]] = {}
    for run in record["plan"]:
        folder = out / "runs" / run["run_id"]
        if not (folder / "run.json").is_file():
            continue
        levels = run.get("levels", {})
        name = trained_name(run["model"], levels)
        epochs.setdefault(name, []).append((run["seed"], _epochs(folder / "metrics.jsonl")))
        recipe = read_run(folder).get("recipe", {})
        num_epochs = recipe.get("epochs", record["study"]["recipe"].get("epochs", 0))
        about[name] = (num_epochs, *_images(record, cell_name(levels.items())))
    return {
        name: judge_training(
            of_model,
            num_epochs=about[name][0],
            num_images=about[name][1],
            constant_accuracy=about[name][2],
        )
        for name, of_model in epochs.items()
    }


def read_warnings(out: Path, record: Mapping[str, Any]) -> dict[str, list[str]]:
    """Collect what finished runs warn of, by the model's trained name; each text once."""
    found: dict[str, dict[str, None]] = {}
    for run in record["plan"]:
        folder = out / "runs" / run["run_id"]
        if (folder / "run.json").is_file():
            name = trained_name(run["model"], run.get("levels", {}))
            for text in read_run(folder).get("warnings", []):
                found.setdefault(name, {})[text] = None
    return {name: list(texts) for name, texts in found.items()}


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


def _epochs(path: Path) -> list[tuple[float, float]]:
    try:
        return [
            (float(line["train_loss"]), float(line["train_accuracy"])) for line in read_lines(path)
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("file is not JSON lines of epochs", where=path, found=error) from None

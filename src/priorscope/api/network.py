"""A trained network again, from what a run left on disk."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from priorscope.errors import InputError
from priorscope.runs.given import build_given
from priorscope.runs.prepare_models import build_model, load_weights
from priorscope.runs.seals import check_file
from priorscope.runs.store import read_run
from priorscope.study.levels import cell_name
from priorscope.study.load import parse_study
from priorscope.study.plan import plan


def load_network(out: Path, record: Mapping[str, Any], folder: Path) -> nn.Module:
    """Build a finished run's network and load its weights; on the CPU, in eval mode.

    Parameters
    ----------
    record : `study.json`
    folder : the run's

    Raises
    ------
    InputError : the study's files are others than when it was trained, or the weights are damaged
    """
    about, base = read_run(folder), out / record.get("base", ".")
    study = parse_study((out / "study.yaml").read_text(encoding="utf-8"), base=base)
    recorded = {
        (each["model"], each["seed"]): each["weights"]
        for each in record["plan"]
        if "weights" in each
    }
    runs = {run.run_id: run for run in plan(study, recorded)}
    if folder.name not in runs:
        raise InputError(
            "the study's files are not those that the network was trained with",
            where=base,
            found=f"no run {folder.name}",
            hint="bring the file back that defines the model, as it was",
        )
    run = runs[folder.name]
    check_file(folder / "model.safetensors", about)
    if run.is_given:
        return build_given(
            run.component,
            study.weights[run.model],
            folder / "model.safetensors",
            class_names=_data_of(record, run.levels)["class_names"],
            image_px=about["image_px"],
            base=study.base,
            where=f"models.{run.model}",
        ).network
    model = build_model(
        run.component,
        num_classes=len(_data_of(record, run.levels)["class_names"]),
        image_px=about["image_px"],
        seed=run.seed,
        base=study.base,
        where=f"models.{run.model}",
        memory_format=about.get("memory_format", "channels_last"),
    )
    load_weights(model, folder)
    return model.eval()


def _data_of(record: Mapping[str, Any], levels: Any) -> Mapping[str, Any]:
    cells = {entry["cell"]: entry["data"] for entry in record.get("cells", [])}
    return cells.get(cell_name(levels), record["data"])

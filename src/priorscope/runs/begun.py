"""The epochs that an unfinished run has behind it: `metrics.jsonl`, and its sealed twin."""

import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from priorscope.errors import InputError, PriorscopeWarning
from priorscope.runs.store import read_json, write_json, write_lines
from priorscope.training import distributed

_EPOCHS = "checkpoint/epochs.json"  # what metrics.jsonl says, sealed, until the run is finished


def keep_epochs(epochs: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write down the epochs so far."""
    write_json({"epochs": epochs}, folder / _EPOCHS, sealed=True)
    write_lines(epochs, folder / "metrics.jsonl")


def begun_epochs(folder: Path) -> list[dict[str, Any]]:
    """Read the epochs that an interrupted training has behind it; without a checkpoint, none.

    Where they are damaged the training begins anew: a run never ends with another's figures.
    """
    epochs = None
    if list((folder / "checkpoint").glob("*.ckpt")):
        try:
            kept = folder / _EPOCHS
            epochs = read_json(kept, "epochs")["epochs"] if kept.is_file() else []
        except InputError as error:
            warnings.warn(
                PriorscopeWarning(f"{kept} is damaged, the run starts anew: {error.problem}"),
                stacklevel=2,
            )
    distributed.wait_for_all()
    if epochs is not None:
        return epochs
    if distributed.is_main():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    distributed.wait_for_all()
    return []

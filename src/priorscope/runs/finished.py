"""What a finished run still lacks, and a finished run that is damaged: set aside, to be made anew.

A power cut may leave an empty `run.json` or half of the weights behind. That is no reason to stop
the other runs of a study.
"""

import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from priorscope.errors import InputError, PriorscopeWarning
from priorscope.evaluation import read_predictions
from priorscope.probes import ProbeSet
from priorscope.runs.answers import fingerprint_of
from priorscope.runs.seals import check_file
from priorscope.runs.store import DAMAGED, read_run
from priorscope.training import distributed

Kept = tuple[dict[str, Any], list[str]]


def what_is_kept(folder: Path, probes: Mapping[str, ProbeSet]) -> Kept | None:
    """Read a finished run: its record, and the probes on which its weights must answer anew.

    A run that is damaged is set aside with a warning, and there is nothing of it: None. Its weights
    are read only where they are needed. The first process looks, for all of them.

    Parameters
    ----------
    folder : the run's, with `run.json`; nobody else works in it
    probes : the study's
    """
    kept = None
    if distributed.is_main():
        try:
            record = read_run(folder)
            stale = _stale(folder, record, probes)
            if stale or not {"attention", "warnings"} <= record.keys():
                check_file(folder / "model.safetensors", record)
            kept = record, stale
        except InputError as error:
            aside = _set_aside(folder)
            warnings.warn(
                PriorscopeWarning(
                    f"the finished run {folder.name} is damaged and made anew: {error.where}: "
                    f"{error.problem}; what there was is in {aside}"
                ),
                stacklevel=2,
            )
    return distributed.said_by_main(kept)


def _set_aside(folder: Path) -> Path:
    """Move a run's folder out of the study, where no other lies."""
    number, place = 1, folder.parent.parent / DAMAGED
    while (aside := place / f"{folder.name}.{number}").exists():
        number += 1
    place.mkdir(exist_ok=True)
    shutil.move(folder, aside)
    return aside


def _stale(folder: Path, record: Mapping[str, Any], probes: Mapping[str, ProbeSet]) -> list[str]:
    made_on = record.get("probes", {})
    return [
        name
        for name, probe in probes.items()
        if made_on.get(name) != fingerprint_of(probe)
        or not _is_whole(folder / "predictions" / f"{name}.parquet")
    ]


def _is_whole(path: Path) -> bool:
    """Tell whether a file of predictions is there and can be read; say which cannot."""
    if not path.is_file():
        return False
    try:
        read_predictions(path, in_place=True)
    except InputError as error:
        warnings.warn(
            PriorscopeWarning(f"{path} is damaged and computed anew: {error.found}"), stacklevel=2
        )
        return False
    return True

"""What a finished run still lacks, and a finished run that is damaged: set aside, to be made anew.

A power cut may leave an empty `run.json` or half of the weights behind. That is no reason to stop
the other runs of a study.
"""

import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from priorscope.errors import InputError, PriorscopeWarning
from priorscope.evaluation import read_predictions
from priorscope.probes import ProbeSet
from priorscope.runs.answers import fingerprint_of
from priorscope.runs.features import read_features
from priorscope.runs.measure import Bound
from priorscope.runs.measurements import file_of, read_measurement, what_it_depends_on
from priorscope.runs.seals import check_file
from priorscope.runs.store import DAMAGED, read_run
from priorscope.study.measures import Material
from priorscope.training import distributed


@dataclass(frozen=True)
class Kept:
    """A finished run: its record, and what its weights must be asked anew.

    Attributes
    ----------
    stale_probes, stale_measures : names of those whose file is missing or of something else
    """

    record: dict[str, Any]
    stale_probes: list[str]
    stale_measures: list[str]

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is to be asked anew; runs of before the warnings have none."""
        return not (self.stale_probes or self.stale_measures) and "warnings" in self.record


def what_is_kept(
    folder: Path, probes: Mapping[str, ProbeSet], asked: Mapping[str, Bound], base: Path
) -> Kept | None:
    """Read a finished run: its record, and what its weights must answer anew.

    A run that is damaged is set aside with a warning, and there is nothing of it: None. Its weights
    are read only where they are needed. The first process looks, for all of them.

    Parameters
    ----------
    folder : the run's, with `run.json`; nobody else works in it
    probes : the study's
    asked : the measures for which single networks are asked something
    base : the study's folder
    """
    kept = None
    if distributed.is_main():
        try:
            record = read_run(folder)
            of_probes = {name: fingerprint_of(probe) for name, probe in probes.items()}
            found = Kept(
                record,
                _stale_probes(folder, record, of_probes),
                _stale_measures(folder, record, asked, of_probes, base),
            )
            if not found.is_whole:
                check_file(folder / "model.safetensors", record)
            kept = found
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


def _stale_probes(
    folder: Path, record: Mapping[str, Any], of_probes: Mapping[str, str]
) -> list[str]:
    made_on = record.get("probes", {})
    return [
        name
        for name, fingerprint in of_probes.items()
        if made_on.get(name) != fingerprint
        or not _is_whole(folder / "predictions" / f"{name}.parquet", _read_in_place)
    ]


def _stale_measures(
    folder: Path,
    record: Mapping[str, Any],
    asked: Mapping[str, Bound],
    of_probes: Mapping[str, str],
    base: Path,
) -> list[str]:
    """List measures without a value; runs of before have their attention in the record itself."""
    stale, made = [], record.get("measurements", {})
    for name, each in asked.items():
        if not each.measure.declared and name not in made and "attention" in record:
            continue
        entry = made.get(name, {})
        depends_on = what_it_depends_on(each.measure, base, of_probes[each.measure.probe])
        file, read = file_of(name, each.material), _READ[each.material]
        if entry.get("of") != depends_on or not (
            "does_not_apply" in entry or _is_whole(folder / file, read)
        ):
            stale.append(name)
    return stale


def _read_in_place(path: Path) -> object:
    return read_predictions(path, in_place=True)


_READ: dict[Material, Callable[[Path], object]] = {
    "values": read_measurement,
    "features": read_features,
    "answers": _read_in_place,
}


def _is_whole(path: Path, read: Callable[[Path], object]) -> bool:
    """Tell whether a file is there and can be read; say which cannot."""
    if not path.is_file():
        return False
    try:
        read(path)
    except InputError as error:
        warnings.warn(
            PriorscopeWarning(f"{path} is damaged and computed anew: {error.found}"), stacklevel=2
        )
        return False
    return True

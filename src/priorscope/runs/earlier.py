"""Runs in a study's folder that are planned no longer: their model, or its code, is another now."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from priorscope.study.plan import Run


def earlier_runs(out: Path, runs: Sequence[Run]) -> list[str]:
    """List the runs that lie in a folder under the name of a planned one, but with another hash.

    No figure and no verdict counts them: those go by the plan alone.
    """
    planned = {run.run_id for run in runs}
    named = {_name(run_id) for run_id in planned}
    folders = (path.name for path in sorted(out.glob("runs/*")) if path.is_dir())
    return [name for name in folders if name not in planned and _name(name) in named]


def earlier_note(found: Sequence[str]) -> str:
    """Say what becomes of earlier runs, in a line."""
    more = ", ..." if len(found) > 3 else ""
    one = len(found) == 1
    return (
        f"{len(found)} run{'s' * (not one)} here {'is' if one else 'are'} of other code, "
        f"parameters or weights of {'its model' if one else 'their models'} than the study has now "
        f"({', '.join(found[:3])}{more}): set aside, in no figure, and made anew"
    )


def other_code(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a run of one study had another hash in an earlier plan: its code was another."""
    ids = {_without_id(run): run["run_id"] for run in before}
    return any(ids.get(_without_id(run), run["run_id"]) != run["run_id"] for run in after)


def other_weights(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a run had other weights from a file in an earlier plan."""
    files = {(run["model"], run["seed"]): run.get("weights") for run in before}
    now = {(run["model"], run["seed"]): run.get("weights") for run in after}
    return any(now[key] != files[key] for key in now.keys() & files.keys())


def _without_id(run: Mapping[str, Any]) -> str:
    return json.dumps({**run, "run_id": ""}, sort_keys=True)


def _name(run_id: str) -> str:
    return run_id.rpartition("-")[0]  # without the hash of all that decides its weights

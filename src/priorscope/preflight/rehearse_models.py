"""Rehearse every model of a study: packaged ones here, those of other people in another process.

What other people wrote may end the process that executes it. Then it is tried once more with
contiguous maps, as some operations fail on those whose channels come last.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from priorscope.errors import InputError, ended_by
from priorscope.own_code import REFERENCE
from priorscope.preflight.rehearsal import rehearse
from priorscope.preflight.seedless import seedless_warnings
from priorscope.runs.prepare_models import build_model
from priorscope.runs.rehearsed import Rehearsed, rehearsed_from
from priorscope.study.plain import strings
from priorscope.study.spec import Component, Study
from priorscope.training.memory_format import FORMATS
from priorscope.training.recipe import Recipe


def is_foreign(component: Component) -> bool:
    """Tell whether a model has code that is not priorscope's."""
    return any(REFERENCE.fullmatch(text) for text in strings(component.as_dict()))


def rehearse_models(study: Study, num_classes: int, image_px: int) -> dict[str, Rehearsed]:
    """Rehearse the training of each model that a study trains, at one shape.

    Raises
    ------
    InputError : as `rehearse`, or a model ends its process in both memory formats
    """
    recipe = TypeAdapter(Recipe).dump_python(study.recipe, mode="json")
    tasks = [
        {
            "name": name,
            "component": component.as_dict(),
            "recipe": recipe,
            "base": str(study.base.absolute()),
            "num_classes": num_classes,
            "image_px": image_px,
            "memory_format": "channels_last",
        }
        for name, component in study.trained.items()
    ]
    foreign = [task for task in tasks if is_foreign(study.models[task["name"]])]
    found = {task["name"]: rehearse_one(task) for task in tasks if task not in foreign}
    return found | _in_other_processes(foreign)


def rehearse_one(task: Mapping[str, Any]) -> Rehearsed:
    """Rehearse one model in this process, told in plain values.

    Raises
    ------
    InputError : as `rehearse`
    """
    parameters = dict(task["component"])
    component = Component(parameters.pop("name"), parameters)
    shape = {name: task[name] for name in ("num_classes", "image_px")}
    shape |= {"where": f"models.{task['name']}"}
    build = partial(
        build_model,
        component,
        base=Path(task["base"]),
        memory_format=task["memory_format"],
        **shape,
    )
    recipe = TypeAdapter(Recipe).validate_python(task["recipe"])
    found = rehearse(partial(build, seed=0), recipe, **shape)
    of_seeds = seedless_warnings(build(seed=0), build(seed=1))
    return replace(found, warnings=(*of_seeds, *found.warnings))


def both(a: Rehearsed, b: Rehearsed) -> Rehearsed:
    """Join what rehearsals of one model at two shapes showed."""
    return Rehearsed(
        "contiguous" if "contiguous" in (a.memory_format, b.memory_format) else "channels_last",
        tuple(dict.fromkeys((*a.warnings, *b.warnings))),
        tuple(dict.fromkeys((*a.notes, *b.notes))),
    )


def _in_other_processes(tasks: Sequence[Mapping[str, Any]]) -> dict[str, Rehearsed]:
    """Rehearse models in a process, and in another one those that did not come to their end.

    Raises
    ------
    InputError : as `rehearse_models`
    """
    found: dict[str, Rehearsed] = {}
    waiting = list(tasks)
    while waiting:
        lines, code, said = _process(waiting)
        for line in lines:
            name = waiting.pop(0)["name"]
            if "problem" in line:
                raise InputError(**line)
            found[name] = rehearsed_from(line)
        if not waiting:
            break
        dead = waiting.pop(0)
        if dead["memory_format"] != "contiguous":
            waiting.insert(0, {**dead, "memory_format": "contiguous"})
            continue
        raise InputError(
            "the model ends the process that trains it",
            where=f"models.{dead['name']}",
            found=f"it {ended_by(code)} in the first two steps" + (f"\n{said}" if said else ""),
            allowed=f"a model that trains in one of the memory formats {', '.join(FORMATS)}",
        )
    return found


def _process(tasks: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], int, str]:
    """Give tasks to a process of their own; return its answers, exit code and last words."""
    given = {"path": sys.path, "tasks": [*tasks]}
    done = subprocess.run(
        [sys.executable, "-m", "priorscope.preflight.rehearsal_process"],
        input=json.dumps(given),
        env={"PYTHONHASHSEED": "0", **os.environ},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines, done.returncode, "\n".join(done.stderr.splitlines()[-1:])


def as_line(task: Mapping[str, Any]) -> str:
    """Rehearse one model, and write what was found, or why it is refused, as a line of JSON."""
    try:
        return json.dumps(asdict(rehearse_one(task)))
    except InputError as error:
        names = ("problem", "where", "found", "allowed", "hint")
        plain = {name: getattr(error, name) for name in names}
        found = plain["found"]
        return json.dumps(plain | {"found": None if found is None else str(found)})

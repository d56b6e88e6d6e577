"""The profile of networks that somebody else trained: the battery of probes and measures, asked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from priorscope.api.results import Results
from priorscope.api.run import run
from priorscope.api.study import Study
from priorscope.data import LabeledImages
from priorscope.data import data_root as find_data_root
from priorscope.errors import InputError, did_you_mean

# Images of each measure: enough for an interval, at a cost of about that of the probes.
_MEASURES = {
    "effective_receptive_field": 64,
    "translation_error": 128,
    "fourier_sensitivity": 64,  # of each image as many waves as the network's input has pixels
    "feature_spectrum": 128,
}
_LARGE = 8  # times fewer, for networks of other libraries: their images have 50 times the pixels
_NOWHERE = "applies to none of the models"  # as `preflight.measures` says it


@dataclass(frozen=True, eq=False)
class Profile:
    """What was asked of networks as they are given.

    Attributes
    ----------
    results : as of any study; `results.report()` writes the page
    path : `profile.json` in the output folder
    left_out : what could not be asked, a line each
    """

    results: Results
    path: Path
    left_out: tuple[str, ...]


def profile(
    networks: Sequence[str],
    *,
    data: str | Mapping[str, Any],
    out: str | Path | None = None,
    data_root: str | Path | None = None,
    num_images: int = 500,
    device: str = "auto",
) -> Profile:
    """Ask the battery of networks that were trained elsewhere, and write `OUT/profile.json`.

    Parameters
    ----------
    networks : MODEL=FILE each: a model as in a study (`timm:resnet18`, `./model.py:build`, a
        packaged one) and the file of its weights
    data : the dataset whose test images are shown: its name, or as in a study
    out : output folder; by default outputs/profile-<networks>
    num_images : of each probe, at most; fewer where there are not so many
    data_root, device : as of `run`

    Raises
    ------
    InputError : a network, its weights or the data cannot be used; the words are those of a study
    RunFailed : a network fails
    """
    models = _models(networks)
    folder = Path("outputs", f"profile-{'-'.join(models)}"[:100]) if out is None else Path(out)
    described = {"name": data} if isinstance(data, str) else dict(data)
    test = _test_images(described, data_root)
    probes, left_out = _probes(test, num_images)
    large = any(model["name"].startswith(("timm:", "torchvision:")) for model in models.values())
    measures = {
        name: {"name": name, "num_images": min(number // _LARGE if large else number, len(test))}
        for name, number in _MEASURES.items()
    }
    while True:
        study = Study(
            name="profile", data=described, models=models, seeds=[0], probes=probes,
            measures=measures, description="Networks as they are given, and what they go by.",
        )  # fmt: skip
        try:
            results = run(study, out=folder, data_root=data_root, device=device)
            break
        except InputError as error:
            name = str(error.where).partition(".")[2]
            if _NOWHERE not in error.problem or name not in measures:
                raise
            del measures[name]
            left_out.append(f"{name}: {error.found or error.problem}")
    path = folder / "profile.json"
    path.write_text(json.dumps(_record(results, left_out), indent=2), encoding="utf-8")
    return Profile(results, path, tuple(left_out))


def _models(networks: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read MODEL=FILE, and name each network by its model, and by its file where that is needed."""
    found: dict[str, dict[str, Any]] = {}
    for given in networks:
        model, equals, file = given.partition("=")
        if not (model and equals and file):
            raise InputError(
                "a network is named with the file of its weights",
                where="NETWORK",
                found=given,
                allowed="MODEL=FILE, such as timm:resnet18=resnet18.safetensors",
                hint="a checkpoint of the Hub is a file too: download it first",
            )
        name = "".join(c if c.isalnum() else "_" for c in model.rpartition(":")[2]).strip("_")
        if name in found:
            name = f"{name}_{len(found) + 1}"
        found[name or "network"] = {"name": model, "weights": str(Path(file).absolute())}
    if not found:
        raise InputError("no network", where="NETWORK", allowed="MODEL=FILE, once or more")
    return found


def _test_images(data: Mapping[str, Any], data_root: str | Path | None) -> LabeledImages:
    from priorscope.runs.prepare import load_dataset
    from priorscope.study.spec import Component

    parameters = {key: value for key, value in data.items() if key != "name"}
    if "name" not in data:
        hint = did_you_mean("name", list(data))
        raise InputError("the data need a name", where="--data", found=dict(data), hint=hint)
    root = find_data_root(None if data_root is None else Path(data_root))
    return load_dataset(Component(data["name"], parameters), root, Path.cwd(), where="--data").test


def _probes(test: LabeledImages, num_images: int) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Choose the battery's probes and their sizes for images of a dataset's side.

    Returns
    -------
    the probes as a study has them, and what is left out, a line each
    """
    px = test.image_px
    choices: dict[str, dict[str, Any]] = {
        "suppression": {"patches": [n for n in (8, 4, 2) if px % n == 0 and px // n > 1]},
        "frequency": {"cycles": [c for c in (2, 4, 8) if 4 * c <= px]},
        "translation": {"shifts": [shift for shift in (4, 2, 1) if shift <= px // 4]},
        "scale": {},
        "rotation": {},
        "occlusion": {"grid": next((n for n in (8, 7, 6, 5, 4) if px % n == 0), None)},
    }
    found, left_out = {}, []
    for name, parameters in choices.items():
        if all(parameters.values()):
            found[name] = {"name": name, "num_images": min(num_images, len(test)), **parameters}
        else:
            left_out.append(f"{name}: images of {px} px have no such parts")
    return found, left_out


def _record(results: Results, left_out: Sequence[str]) -> dict[str, Any]:
    """Return the profile as plain values: one entry a bias, with a value a network."""
    findings = results.findings
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    kept = ("estimate", "low", "high", "all_low", "all_high", "n", "reason")
    for row in findings.profile.to_dicts():
        bias = findings.record["biases"][row["source"]][row["family"]]
        entry = rows.setdefault(
            (row["source"], row["family"]),
            {**bias, "source": row["source"], "family": row["family"], "kind": row["kind"]}
            | {"networks": {}},
        )
        entry["networks"][row["model"]] = {key: row[key] for key in kept}
    runs = {run["model"]: run for run in findings.runs}
    return {
        "data": findings.record["data"]["title"],
        "networks": {
            name: {"component": run["component"], "weights": run["weights"]}
            for name, run in runs.items()
        },
        "speaks_of": "these networks as they are given, on other images; not other trainings",
        "confidence": findings.settings.confidence,
        "biases": list(rows.values()),
        "left_out": list(left_out),
    }

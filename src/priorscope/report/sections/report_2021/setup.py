"""How a study was made beside how the 2021 report was: its Table 1, models, data and probes.

What deviates is computed from the study as resolved; nothing here is written for one study.
"""

from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np

from priorscope.analysis import Findings
from priorscope.metrics import NONE
from priorscope.report.sections.report_2021.published import (
    ARMS,
    DATASET,
    NUM_BACKGROUNDED,
    NUM_BACKGROUNDS,
    NUM_MOSAICS,
    NUM_SEEDS,
    NUM_TEST,
    NUM_TRAIN,
    SETTINGS,
    SHUFFLING,
    TESTING,
)
from priorscope.report.sections.report_2021.tables import counterparts
from priorscope.report.table import Table, table_of
from priorscope.report.wording import count, listed, magnitude, plain, setting
from priorscope.training.recipe import Recipe

_UNNAMED = "not named"
# What the report has, and the study's components of that kind with what they show.
_PROBES = {
    "Combined": (f"{NUM_MOSAICS} mosaics", {"mosaic": "mosaics"}),
    "Background": (
        f"{NUM_BACKGROUNDED} images on {NUM_BACKGROUNDS} pictures",
        {
            "large_background": "images on drawn pictures",
            "report_background": "images, the report's own",
        },
    ),
}


@dataclass(frozen=True)
class Line:
    """One thing that the report and the study have in common or do not.

    Attributes
    ----------
    what : a phrase
    text, code : what the report says and, where that is something else, what its code did
    ours : what this study has
    not_text, not_code : whether ours is another than either
    """

    what: str
    text: str
    code: str
    ours: str
    not_text: bool
    not_code: bool

    @property
    def deviates_from(self) -> str:
        """Name what ours deviates from; nothing where it does not."""
        if not self.code:
            return "the report" if self.not_text else ""
        names = {(True, True): "text and code", (True, False): "its text"}
        return names.get((self.not_text, self.not_code), "its code" if self.not_code else "")


def recipe_lines(results: Findings) -> list[Line]:
    """Compare the recipe with Table 1 and its description, key by key.

    Settings that the report does not name are listed where they differ from the recipe's defaults,
    which change nothing.
    """
    recipe = results.study["recipe"]
    defaults = {f.name: f.default for f in fields(Recipe) if f.default is not MISSING}
    lines = []
    for key, published in SETTINGS.items():
        value = recipe.get(key, defaults[key])
        if key == "resize" and recipe.get("image_px") is None:
            continue  # nothing is resized, which the image size says already
        not_code = value not in published.code_same
        lines.append(
            Line(
                _words(key),
                published.text,
                published.code,
                _shown(key, value),
                value not in published.same,
                bool(published.code) and not_code,
            )
        )
    for key, value in recipe.items():
        if key not in SETTINGS and value != defaults.get(key):
            if key == "momentum" and recipe.get("optimizer") != "sgd":
                continue
            lines.append(Line(_words(key), _UNNAMED, "", _shown(key, value), True, False))
    shuffled = Line("order of training images", _UNNAMED, SHUFFLING, "shuffled", False, True)
    return [*lines, shuffled]


def setup_lines(results: Findings) -> list[Line]:
    """Compare models, data, seeds and probes with the report's."""
    record, study = results.record, results.study
    train, test = (record["data"][part]["num_images"] for part in ("train", "test"))
    title, num_seeds = record["data"]["title"], len(study["seeds"])
    lines = [
        *_model_lines(results),
        Line("dataset", DATASET, "", title, title != DATASET, False),
        Line("training images", count(NUM_TRAIN), "", count(train), train != NUM_TRAIN, False),
        Line(
            "test images",
            count(NUM_TEST),
            f"{count(NUM_TEST)}, {count(NUM_TEST)} and 9,936",
            count(test),
            test != NUM_TEST,
            True,
        ),
        Line("seeds", str(NUM_SEEDS), "", str(num_seeds), num_seeds != NUM_SEEDS, False),
        Line(
            "test and probe images as models get them",
            _UNNAMED,
            TESTING,
            "not augmented, and preprocessed alike for every model",
            False,
            True,
        ),
    ]
    lines += _probe_lines(results)
    return lines


def deviations_table(name: str, caption: str, heading: str, lines: list[Line]) -> Table:
    """Set lines in a table; those that deviate from nothing are greyed."""
    columns = {
        heading: lambda row: row["what"],
        "The report": lambda row: row["report"],
        "Its code and outputs": lambda row: row["code"] or NONE,
        "This study": lambda row: row["study"],
        "Deviates from": lambda row: row["deviates_from"],
    }
    records = [
        {"what": line.what, "report": line.text, "code": line.code, "study": line.ours}
        | {"deviates_from": line.deviates_from}
        for line in lines
    ]
    muted = {i for i, line in enumerate(lines) if not line.deviates_from}
    return table_of(name, caption, records, columns, muted=muted, numbered=False)


def _model_lines(results: Findings) -> list[Line]:
    models, sizes = counterparts(results), {run["model"]: run for run in results.runs}
    lines = []
    for arm, published in ARMS.items():
        size = f"{magnitude(published.num_parameters)} parameters"
        model = models.get(arm)
        component = results.study["models"][model] if model else {"name": None}
        num_parameters = sizes.get(model or "", {}).get("num_parameters")
        other = component["name"] != published.component or (
            num_parameters not in (None, published.num_parameters)
        )
        ours = f"{model}: {component['name']}" if model else "none"
        if num_parameters:
            ours += f", {magnitude(num_parameters)} parameters"
        if published.found:
            not_text = not model or component["name"] == published.component
            text, code = published.described, f"{published.found}, {size}"
            lines.append(Line(published.title, text, code, ours, not_text, other))
        else:
            text = f"{published.described}, {size}"
            lines.append(Line(published.title, text, "", ours, other, False))
    vit = models.get("vit")
    if vit and results.study["models"][vit]["name"].startswith("timm:vit_"):
        # What the libraries' constructors give; no key of a study changes it for this model alone.
        what, theirs, ours = "eps in the ViT's norms", "1e-12, Hugging Face's", "1e-6, timm's"
        lines.append(Line(what, _UNNAMED, theirs, ours, False, True))
    return lines


def _probe_lines(results: Findings) -> list[Line]:
    lines = []
    for title, (text, kinds) in _PROBES.items():
        probes = {n: p["name"] for n, p in results.probes.items() if p["name"] in kinds}
        if not probes:
            lines.append(Line(title, text, "", "none", True, False))
        for name, component in probes.items():
            n, arms = _num_images(results, name), results.arms(name)
            ours = f"{name}: {count(n)} {kinds[component]}"
            deviates = component == "large_background" or (
                component == "mosaic" and n != NUM_MOSAICS
            )
            lines.append(Line(title, text, "", ours, deviates, False))
            if len(arms) > 1:
                controls = listed(plain(arm) for arm in arms[1:])
                lines.append(Line(f"controls of {title}", "none", "", controls, True, False))
    return lines


def _num_images(results: Findings, probe: str) -> int | None:
    found = results.estimates.filter(probe=probe)
    return max(found.filter(arm=results.arms(probe)[0])["n"]) if len(found) else None


def _words(key: str) -> str:
    return {"image_px": "image size, px", "augment": "augmentation"}.get(key, plain(key))


def _shown(key: str, value: Any) -> str:
    if key == "image_px" and value is None:
        return "not resized"
    if isinstance(value, float) and 0 < abs(value) < 0.01:
        return _scientific(value)
    return plain(setting(value))


def _scientific(value: float) -> str:
    """Write a small number as the report does: 5e-4, where Python has 0.0005, and 1e-5, 1e-05."""
    mantissa, exponent = np.format_float_scientific(value, trim="-", exp_digits=1).split("e")
    return f"{mantissa}e{int(exponent)}"

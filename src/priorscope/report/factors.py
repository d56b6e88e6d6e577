"""What a report draws of factors: panels, dials, and how levels and multipliers are written."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from priorscope.metrics import decimal
from priorscope.report.artefacts import CHANCE, Artefacts, Row, select
from priorscope.report.wording import plain
from priorscope.study.levels import listed_levels, written

TIMES = "\N{MULTIPLICATION SIGN}"
GLOBAL = "global"


@dataclass(frozen=True)
class Dial:
    """Models of a study that differ in one number only, such as the window of their attention.

    Attributes
    ----------
    parameter : its name
    values : model -> its value, rising
    """

    parameter: str
    values: dict[str, float]


def dials(models: dict[str, dict[str, Any]]) -> list[Dial]:
    """Find the dials of a study: three models or more that differ in one number only."""
    groups: dict[tuple[str, str], dict[str, float]] = {}
    for model, component in models.items():
        flat = _flat(component)
        for parameter, value in flat.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                rest = {key: other for key, other in flat.items() if key != parameter}
                groups.setdefault((parameter, repr(sorted(rest.items()))), {})[model] = value
    found = []
    for (parameter, _), values in groups.items():
        if len(set(values.values())) >= 3:
            rising = dict(sorted(values.items(), key=lambda item: item[1]))
            found.append(Dial(parameter.rpartition(".")[2], rising))
    return found


def setting_text(dial: Dial, model: str) -> str:
    """Write a model's setting of a dial for an axis: its number, or `global`.

    A study says by a window larger than the grid that there is no window, and calls the model
    global: the number means nothing then, and would stand as far from the last window as the next.
    """
    without_window = "window" in dial.parameter and GLOBAL in model.lower()
    return GLOBAL if without_window else f"{dial.values[model]:g}"


def _flat(component: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in component.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def size_factor(artefacts: Artefacts) -> str | None:
    """Name the factor that sets the number of training images, if the study has one."""
    rows = select(artefacts.effects, kind="data_multiplier")
    if rows:
        return rows[0]["factor"]
    factors = artefacts.study.get("factors") or {}
    keys = ("data.train_fraction", "data.num_train")
    return next((name for name, f in factors.items() if set(f["keys"]) & set(keys)), None)


def num_train(artefacts: Artefacts) -> dict[str, int]:
    """Map each cell to its number of training images."""
    return {
        entry["cell"]: entry["data"]["train"]["num_images"]
        for entry in artefacts.record.get("cells", [])
    }


def scores_of(artefacts: Artefacts, probe: str, arm: str, metric: str) -> list[Row]:
    """Return an arm's estimates in all cells, chance included, in the study's order of cells."""
    rows = select(artefacts.estimates, probe=probe, arm=arm, metric=metric)
    order = {model: i for i, model in enumerate([*artefacts.models, CHANCE])}
    return sorted(rows, key=lambda row: order[row["model"]])


def panels_without(artefacts: Artefacts, rows: list[Row], *factors: str) -> dict[str, list[Row]]:
    """Group rows by the levels of all factors but these; the title of each group says which."""
    others = [name for name in artefacts.factors if name not in factors]

    def key(row: Row) -> list[int]:
        return [artefacts.factors[name].index(row[name]) for name in others]

    grouped = groupby(sorted(rows, key=key), key=key)
    return {_title(others, group): group for group in (list(rows) for _, rows in grouped)}


def _title(others: list[str], group: list[Row]) -> str:
    return title_of((name, group[0][name]) for name in others)


def title_of(levels: Any) -> str:
    """Write levels as a heading: "task far relation, train fraction 0.1"."""
    return plain(listed_levels(levels))


def cell_title(cell: str) -> str:
    """Write the name of a cell as a heading."""
    return plain(cell.replace("=", " ").replace(",", ", "))


def level_text(value: Any) -> str:
    """Write a level for an axis or a table."""
    return plain(written(value))


def multiplier(value: float, bound: str) -> str:
    """Write a data multiplier: "2.4", "more than 4", "less than 0.25"."""
    number = decimal(value, 1 if value >= 10 else 2)
    return {"exact": number, "above": f"more than {number}", "below": f"less than {number}"}[bound]


def multiplier_interval(row: Row) -> str:
    """Write "2.4 [1.8, more than 4]" for a row of data multipliers."""
    ends = [multiplier(row[end], row[f"{end}_bound"]) for end in ("low", "high")]
    return f"{multiplier(row['estimate'], row['bound'])} [{ends[0]}, {ends[1]}]"


def crossing_interval(row: Row) -> str:
    """Write "2.4 [1.8, 3]" for a row of crossings."""
    return f"{row['estimate']:.3g} [{row['low']:.3g}, {row['high']:.3g}]"

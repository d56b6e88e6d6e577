"""Control models: what they must score, and what they scored."""

from itertools import groupby

from priorscope.metrics import NONE, Scale
from priorscope.report.artefacts import Artefacts, Row, select
from priorscope.report.factors import cell_title
from priorscope.report.tables import Table
from priorscope.report.wording import listed, plain

_TEST = "the test images"


def control_model_table(artefacts: Artefacts) -> Table | None:
    """Return one row a control and cell; None where the study declares none."""
    found = artefacts.analysis.get("control_models") or []
    if not found:
        return None
    rows = [
        (
            row["model"],
            _where(row) or NONE,
            row["statement"] or NONE,
            _range(row, _unit(artefacts, row)),
            _unit(artefacts, row).estimate(row) if row["estimate"] is not None else NONE,
            row["status"],
        )
        for row in found
    ]
    caption = (
        "Controls: models that must score within a range that the study declared, so that what the "
        "other models score means what it seems to."
    )
    header = ("Model", "On", "Why", "Must score", "Scored", "Status")
    records = tuple(row | {"within": str(row["within"])} for row in found)
    return Table("control-models", caption, header, tuple(rows), records, frozenset({3, 4}))


def control_warnings(artefacts: Artefacts) -> list[str]:
    """Say for the top of the page which controls are violated, and which could not be checked."""
    found = artefacts.analysis.get("control_models") or []
    warnings = []
    alike = ("model", "probe", "arm", "metric", "statement", "within")
    for _, group in groupby(select(found, status="violated"), lambda row: [row[k] for k in alike]):
        rows = list(group)
        scale = _unit(artefacts, rows[0])
        scores = [f"{scale.estimate(r)} {scale.symbol} on {_where(r) or _TEST}" for r in rows]
        why = f" ({rows[0]['statement'].rstrip('.')})" if rows[0]["statement"] else ""
        warnings.append(
            f"Control violated: {rows[0]['model']} scored {listed(scores)}, and must score "
            f"{_range(rows[0], scale)}{why}. What other models score there may mean something else "
            "than it seems to."
        )
    if missing := select(found, status="not measured"):
        names = ", ".join(dict.fromkeys(row["model"] for row in missing))
        warnings.append(f"Controls could not be checked, for want of predictions: {names}.")
    return warnings


def _unit(artefacts: Artefacts, row: Row) -> Scale:
    return artefacts.scale(row["probe"], row["arm"] or "", row["metric"] or "top1")


def _where(row: Row) -> str:
    probe = "" if row["probe"] == "test" else row["probe"]
    arm = "" if row["arm"] in (None, row["probe"]) else plain(row["arm"])
    return ", ".join(part for part in (probe, arm, cell_title(row["cell"])) if part)


def _range(row: Row, scale: Scale) -> str:
    low, high = (scale.value(value) for value in row["within"])
    return f"{low} to {high} {scale.symbol}".strip()

"""The 2021 report's results beside a study's: test images, and its Tables 2 and 3."""

from collections.abc import Iterator
from dataclasses import dataclass

from priorscope.metrics import NONE, decimal
from priorscope.report.artefacts import CHANCE, Artefacts, Row
from priorscope.report.figures_intervals import select_arm
from priorscope.report.published_2021 import ARMS, CLASSES_SHOWN, EPOCH, NUM_MOSAICS, Arm, Share
from priorscope.report.tables import Table
from priorscope.report.tables_results import Column, interval_note
from priorscope.report.wording import count, plain
from priorscope.stats import wilson

_BACKGROUNDS = ("large_background", "report_background")


@dataclass(frozen=True)
class _Published:
    """A number of the report: as its reader sees it, and in full."""

    label: str
    cell: str
    record: Row


def results_2021(artefacts: Artefacts) -> tuple[Table, Table, Table]:
    """Set the report's test accuracies, Table 2 and Table 3 beside the study's estimates."""
    share = "with Wilson\N{RIGHT SINGLE QUOTATION MARK}s interval, computed here from its counts"
    test = {
        name: [_share(_at(arm, found), found, artefacts) for found in arm.test]
        for name, arm in ARMS.items()
    }
    combined = {name: [_mean(arm)] for name, arm in ARMS.items()}
    background = {
        name: [_share(arm.title, arm.background, artefacts)] for name, arm in ARMS.items()
    }
    return (
        _table(
            artefacts,
            "report-2021-test",
            f"Top-1 accuracy on the test images, in percent. The report: {share}; it gives epoch "
            f"{EPOCH} of a longer training for Local ViT, whose curve ends at epoch "
            f"{ARMS['local_vit'].num_epochs} and counts 9,936 test images.",
            test,
            _columns(artefacts, ("test",)),
        ),
        _table(
            artefacts,
            "report-2021-combined",
            "The report\N{RIGHT SINGLE QUOTATION MARK}s Table 2, Combined: how many of the "
            f"{CLASSES_SHOWN} most likely classes are present. The report: means of "
            f"{NUM_MOSAICS} mosaics, without intervals.",
            combined,
            _columns(artefacts, ("mosaic",)),
        ),
        _table(
            artefacts,
            "report-2021-background",
            "The report\N{RIGHT SINGLE QUOTATION MARK}s Table 3, Background: top-1 accuracy in "
            f"percent. The report: {share}.",
            background,
            _columns(artefacts, _BACKGROUNDS),
        ),
    )


def counterparts(artefacts: Artefacts) -> dict[str, str]:
    """Map the report's arms to the models that stand for them, as the study says."""
    return dict(artefacts.study.get("reproduces") or {})


def combined_columns(artefacts: Artefacts) -> list[Column]:
    """List what the study has beside the report's Combined, as (probe, arm, metric, heading)."""
    return _columns(artefacts, ("mosaic",))


def _columns(artefacts: Artefacts, components: tuple[str, ...]) -> list[Column]:
    columns = []
    kinds = {"test": "test"} | {name: each["name"] for name, each in artefacts.probes.items()}
    for probe, component in kinds.items():
        for metric in artefacts.metrics(probe)[:1]:
            arm = next(
                (a for a in artefacts.arms(probe) if _scored(artefacts, probe, a, metric)), ""
            )
            most = artefacts.scale(probe, arm, metric).high
            same_k = not artefacts.is_counted(probe, arm, metric) or most == CLASSES_SHOWN
            if component in components and arm and same_k:
                columns.append((probe, arm, metric, "Test images" if probe == "test" else probe))
    return columns


def _scored(artefacts: Artefacts, probe: str, arm: str, metric: str) -> bool:
    return bool(select_arm(artefacts, probe, arm, metric))


def _table(
    artefacts: Artefacts,
    name: str,
    caption: str,
    published: dict[str, list[_Published]],
    columns: list[Column],
) -> Table:
    rows, records = [], []
    for about, model in _lines(artefacts, published):
        cells: list[str] = []
        record: Row = {"model": model}
        for probe, arm, metric, _ in columns:
            scale = artefacts.scale(probe, arm, metric)
            found = artefacts.estimate(model, probe, arm, metric)
            cells += [scale.estimate(found), count(found["n"]) if found else NONE]
            for key in ("estimate", "low", "high", "n", "num_seeds", "method"):
                record[f"{probe} {key}"] = found[key] if found else None
        label, cell, of_report = about.label, about.cell, about.record
        n = count(of_report["report n"]) if of_report["report n"] else about.cell
        seeds = {artefacts.estimate(model, *column[:3]) is not None for column in columns}
        named = "" if model == CHANCE else model
        rows.append((label, cell, n, named, *cells, _seeds(artefacts, model) if any(seeds) else ""))
        records.append({"arm": label} | of_report | record)
    if columns:
        caption += f" This study: {_decapitalised(interval_note(artefacts, columns))}"
    else:
        caption += " This study has nothing like it."
    headings = [
        part
        for probe, arm, metric, heading in columns
        for part in (f"{plain(heading)}\n{artefacts.scale(probe, arm, metric).heading}", "n")
    ]
    return Table(
        name,
        caption,
        ("Arm", "The report", "n", "This study", *headings, "Seeds"),
        tuple(rows),
        tuple(records),
        frozenset({1, 2, *range(4, 5 + len(headings))}),
        frozenset(i for i, row in enumerate(rows) if row[0] == CHANCE),
        numbered=False,
    )


def _lines(
    artefacts: Artefacts, published: dict[str, list[_Published]]
) -> Iterator[tuple[_Published, str]]:
    """Pair the report's numbers with models: its arms, then the models without one, then chance."""
    models = counterparts(artefacts)
    nothing: Row = dict.fromkeys(("report estimate", "report low", "report high", "report n"))
    for arm, numbers in published.items():
        for index, number in enumerate(numbers):
            yield number, models.get(arm, NONE) if index == 0 else NONE
    for model in artefacts.models:
        if model not in models.values():
            yield _Published(NONE, NONE, nothing), model
    yield _Published(CHANCE, "", nothing), CHANCE


def _seeds(artefacts: Artefacts, model: str) -> str:
    found = [run for run in artefacts.runs if run["model"] == model]
    return str(len(found)) if found else ""


def _at(arm: Arm, found: Share) -> str:
    whole = found.epoch == arm.num_epochs == EPOCH
    return arm.title if whole else f"{arm.title}, epoch {found.epoch} of {arm.num_epochs}"


def _share(label: str, found: Share, artefacts: Artefacts) -> _Published:
    interval = wilson(found.right, found.n, confidence=1 - artefacts.analysis["alpha"])
    decimals = 2 if found.n > 1000 else 1
    value, low, high = (
        decimal(100 * number, decimals)
        for number in (interval.estimate, interval.low, interval.high)
    )
    record = {"report estimate": interval.estimate, "report low": interval.low}
    record |= {"report high": interval.high, "report n": found.n}
    return _Published(label, f"{value} [{low}, {high}]", record)


def _mean(arm: Arm) -> _Published:
    record = {"report estimate": arm.combined, "report low": None, "report high": None}
    return _Published(arm.title, decimal(arm.combined, 2), record | {"report n": NUM_MOSAICS})


def _decapitalised(text: str) -> str:
    return f"{text[0].lower()}{text[1:]}"

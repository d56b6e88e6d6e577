"""The 2021 report's results beside a study's: test images, and its Tables 2 and 3."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from priorscope.analysis import Findings, Scored
from priorscope.claims import CHANCE
from priorscope.metrics import NONE, decimal
from priorscope.report.sections.glance import main_columns
from priorscope.report.sections.report_2021.published import (
    ARMS,
    CLASSES_SHOWN,
    EPOCH,
    NUM_MOSAICS,
    Arm,
    Share,
)
from priorscope.report.table import Table
from priorscope.report.wording import APOSTROPHE, Row, count, interval_note, plain
from priorscope.stats import wilson

_BACKGROUNDS = ("large_background", "report_background")


@dataclass(frozen=True)
class _Published:
    """A number of the report: as its reader sees it, and in full."""

    label: str
    cell: str
    record: Row


def results_2021(results: Findings) -> tuple[Table, Table, Table]:
    """Set the report's test accuracies, Table 2 and Table 3 beside the study's estimates."""
    share = f"with Wilson{APOSTROPHE}s interval, computed here from its counts"
    test = {
        name: [_share(_at(arm, found), found, results) for found in arm.test]
        for name, arm in ARMS.items()
    }
    combined = {name: [_mean(arm)] for name, arm in ARMS.items()}
    background = {name: [_share(arm.title, arm.background, results)] for name, arm in ARMS.items()}
    return (
        _table(
            results,
            "report-2021-test",
            f"Top-1 accuracy on the test images, in percent. The report: {share}; it gives epoch "
            f"{EPOCH} of a longer training for Local ViT, whose curve ends at epoch "
            f"{ARMS['local_vit'].num_epochs} and counts 9,936 test images.",
            test,
            _columns(results, ("test",)),
        ),
        _table(
            results,
            "report-2021-combined",
            f"The report{APOSTROPHE}s Table 2, Combined: how many of the "
            f"{CLASSES_SHOWN} most likely classes are present. The report: means of "
            f"{NUM_MOSAICS} mosaics, without intervals.",
            combined,
            _columns(results, ("mosaic",)),
        ),
        _table(
            results,
            "report-2021-background",
            f"The report{APOSTROPHE}s Table 3, Background: top-1 accuracy in "
            f"percent. The report: {share}.",
            background,
            _columns(results, _BACKGROUNDS),
        ),
    )


def counterparts(results: Findings) -> dict[str, str]:
    """Map the report's arms to the models that stand for them, as the study says."""
    return dict(results.study.get("reproduces") or {})


def combined_column(results: Findings) -> Scored | None:
    """Return what the study has beside the report's Combined, if it has something."""
    return next(iter(_columns(results, ("mosaic",))), None)


def _columns(results: Findings, components: tuple[str, ...]) -> dict[Scored, str]:
    """Head what the study has beside one of the report's tests."""
    kinds = {"test": "test"} | {name: each["name"] for name, each in results.probes.items()}
    return {
        scored: heading
        for scored, heading in main_columns(results).items()
        if kinds[scored.probe] in components
        and (not results.is_counted(scored) or results.scale(scored).high == CLASSES_SHOWN)
    }


def _table(
    results: Findings,
    name: str,
    caption: str,
    published: dict[str, list[_Published]],
    columns: dict[Scored, str],
) -> Table:
    rows, records = [], []
    for about, model in _lines(results, published):
        cells: list[str] = []
        record: dict[str, Any] = {"model": model}
        for scored in columns:
            found = results.estimate(model, scored)
            cells += [results.scale(scored).estimate(found), count(found["n"]) if found else NONE]
            for key in ("estimate", "low", "high", "n", "num_seeds", "method"):
                record[f"{scored.probe} {key}"] = found and found[key]
        n = count(about.record["report n"]) if about.record["report n"] else about.cell
        named = "" if model == CHANCE else model
        there = any(results.estimate(model, scored) for scored in columns)
        seeds = _seeds(results, model) if there else ""
        rows.append((about.label, about.cell, n, named, *cells, seeds))
        records.append({"arm": about.label, **about.record, **record})
    if columns:
        note = interval_note(results, columns)
        caption += f" This study: {note[0].lower()}{note[1:]}"
    else:
        caption += " This study has nothing like it."
    headings = [
        part
        for scored, heading in columns.items()
        for part in (f"{plain(heading)}\n{results.scale(scored).heading}", "n")
    ]
    return Table(
        name,
        caption,
        ("Arm", "The report", "n", "This study", *headings, "Seeds"),
        rows,
        records,
        {1, 2, *range(4, 5 + len(headings))},
        {i for i, row in enumerate(rows) if row[0] == CHANCE},
        numbered=False,
    )


def _lines(
    results: Findings, published: dict[str, list[_Published]]
) -> Iterator[tuple[_Published, str]]:
    """Pair the report's numbers with models: its arms, then the models without one, then chance."""
    models = counterparts(results)
    nothing: Row = dict.fromkeys(("report estimate", "report low", "report high", "report n"))
    for arm, numbers in published.items():
        for index, number in enumerate(numbers):
            yield number, models.get(arm, NONE) if index == 0 else NONE
    for model in results.models:
        if model not in models.values():
            yield _Published(NONE, NONE, nothing), model
    yield _Published(CHANCE, "", nothing), CHANCE


def _seeds(results: Findings, model: str) -> str:
    found = [run for run in results.runs if run["model"] == model]
    return str(len(found)) if found else ""


def _at(arm: Arm, found: Share) -> str:
    whole = found.epoch == arm.num_epochs == EPOCH
    return arm.title if whole else f"{arm.title}, epoch {found.epoch} of {arm.num_epochs}"


def _share(label: str, found: Share, results: Findings) -> _Published:
    interval = wilson(found.right, found.n, confidence=results.settings.confidence)
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

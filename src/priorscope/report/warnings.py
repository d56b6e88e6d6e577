"""What went wrong, or was changed, while a study ran: for the head of the page and the terminal."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from priorscope.analysis import Findings, Scored
from priorscope.analysis.findings import select
from priorscope.analysis.training import data_remarks
from priorscope.metrics import Scale
from priorscope.report.wording import Row, cell_title, counted, listed, plain, setting
from priorscope.study.hypotheses import changed_late

# Keys of a study beside `hypotheses`. Data and recipe cannot change: they make it another study.
_DECIDING = {
    "seeds": "seeds were",
    "models": "models were",
    "code": "code of the models was",
    "weights": "files of weights were",
    "probes": "probes were",
    "factors": "factors were",
    "declared": "declared differences between models were",
    "stability": "part of the budget at which claims are asked again was",
    "controls": "demands on control models were",
}


def warnings_of(results: Findings) -> list[str]:
    """Say all of it, a sentence or two each."""
    return [
        *control_warnings(results),
        *_missing(results),
        *(f"Data: {text}." for text in data_remarks(results.record, "warnings")),
        *_places(results),
        *late_changes(results.record.get("history", [])),
        *_of_runs(results),
        *_ties(results),
    ]


def control_warnings(results: Findings) -> list[str]:
    """Say which controls are violated, and which could not be checked."""
    warnings = []
    alike = ("model", "probe", "arm", "metric", "statement", "within")
    violated = select(results.control_models, status="violated")
    for _, group in groupby(violated, lambda row: [row[key] for key in alike]):
        rows = list(group)
        scale = control_scale(results, rows[0])
        scores = [
            f"{scale.estimate(row)} {scale.symbol} on {control_place(row) or 'the test images'}"
            for row in rows
        ]
        why = f" ({rows[0]['statement'].rstrip('.')})" if rows[0]["statement"] else ""
        warnings.append(
            f"Control violated: {rows[0]['model']} scored {listed(scores)}, and must score "
            f"{control_range(rows[0], scale)}{why}. What other models score there may mean "
            "something else than it seems to."
        )
    if missing := select(results.control_models, status="not measured"):
        names = ", ".join(dict.fromkeys(row["model"] for row in missing))
        warnings.append(f"Controls could not be checked, for want of predictions: {names}.")
    return warnings


def control_scale(results: Findings, row: Row) -> Scale:
    """Return the scale of what a control is about."""
    return results.scale(Scored(row["probe"], row["arm"] or "", row["metric"] or "top1"))


def control_place(row: Row) -> str:
    """Name probe, arm and cell of a control; nothing for the test images of the only cell."""
    probe = "" if row["probe"] == "test" else row["probe"]
    arm = "" if row["arm"] in (None, row["probe"]) else plain(row["arm"])
    return ", ".join(part for part in (probe, arm, cell_title(row["cell"])) if part)


def control_range(row: Row, scale: Scale) -> str:
    """Write what a control must score."""
    low, high = (scale.value(value) for value in row["within"])
    return f"{low} to {high} {scale.symbol}".strip()


def late_changes(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say in a sentence each what was added, changed or withdrawn when results existed.

    Parameters
    ----------
    history : of `study.json`, see `changed_late`; each entry's `changed` names the study's keys
    """
    late: dict[str, list[str]] = {}
    for name, how in changed_late(history).items():
        late.setdefault(how, []).append(name)
    sentences = []
    if late:
        changed = [
            f"{listed(names)} {'was' if len(names) == 1 else 'were'} {how}"
            for how, names in late.items()
        ]
        sentences.append(
            f"Hypotheses were not all declared beforehand: {'; '.join(changed)}, when results "
            "existed."
        )
    for entry in history:
        for key in entry["changed"] if entry.get("results") else ():
            if key in _DECIDING:
                why = (
                    "p-values do not know of looks in between"
                    if key == "seeds"
                    else "verdicts go by what the study says now"
                )
                sentences.append(
                    f"The {_DECIDING[key]} changed on {entry['date'][:10]}, when results "
                    f"existed: {why}."
                )
    return sentences


def _missing(results: Findings) -> list[str]:
    missing = results.missing_runs
    if not missing:
        return []
    names = [f"{run['model']} seed {run['seed']} ({run['run_id']})" for run in missing]
    return [
        f"{len(missing)} of {counted(len(results.record['plan']), 'planned run')} "
        f"{'is' if len(missing) == 1 else 'are'} missing from the numbers below, not finished "
        f"or without predictions: {listed(names, most=20)}."
    ]


def _places(results: Findings) -> list[str]:
    """Name the versions and hardware in which the finished runs differ."""
    differing = [
        plain(key)
        for part in ("hardware", "versions")
        for key in dict.fromkeys(key for run in results.runs for key in run[part])
        if len({setting(run[part].get(key)) for run in results.runs}) > 1
    ]
    if not differing:
        return []
    return [
        f"Runs were made in different places: {listed(differing)} differ; see "
        "\N{LEFT DOUBLE QUOTATION MARK}Hardware and versions\N{RIGHT DOUBLE QUOTATION MARK}."
    ]


def _of_runs(results: Findings) -> list[str]:
    """Repeat what runs warn of, and what a study asks that is no longer done."""
    texts: dict[str, list[str]] = {}
    for run in results.runs:
        for text in run.get("warnings", []):
            texts.setdefault(text, []).append(f"{run['model']} seed {run['seed']}")
    said = [f"{listed(names)}: {text}." for text, names in texts.items()]
    if results.study.get("convergence"):
        said.append(
            "The study sets a convergence criterion, which earlier versions used; it is ignored: "
            "a loss that has come to rest shows that the schedule ended, and nothing more."
        )
    return said


def _ties(results: Findings) -> list[str]:
    tied: dict[tuple[str, int], Row] = {}
    for row in results.ties:
        tied.setdefault((row["model"], row["seed"]), row)
    if not tied:
        return []
    named = [
        f"{model} seed {seed} on {row['num_tied']:,} of {row['n']:,} ({row['probe']})"
        for (model, seed), row in tied.items()
    ]
    return [
        f"Several classes share the largest logit in some answers: {listed(named, most=6)}. "
        "Each of them counts by its share."
    ]

"""From stored predictions to estimates and comparisons: `analyse`. Needs no model and no torch."""

from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from priorscope.analysis.compare import (
    Row,
    comparison_rows,
    control_rows,
    estimate_rows,
    histogram_rows,
    score_rows,
    tie_rows,
    with_holm,
)
from priorscope.analysis.control_models import check_control_models
from priorscope.analysis.crossings import crossing_rows
from priorscope.analysis.effects import effect_rows, variance_rows
from priorscope.analysis.files import frames, read_findings, read_record, write_findings
from priorscope.analysis.findings import Findings, Scored, Trajectories
from priorscope.analysis.measurements import measure_rows
from priorscope.analysis.pairs import measure
from priorscope.analysis.profile import profile_rows
from priorscope.analysis.scores import read_scores
from priorscope.analysis.training import data_remarks, judge_runs, read_runs, warnings_of
from priorscope.analysis.trajectories import compare_trajectories
from priorscope.claims import ArmScores, Settings
from priorscope.claims.verdicts import judge
from priorscope.errors import InputError
from priorscope.preflight.fairness import check_runs, refuse
from priorscope.study.levels import recorded_factors

__all__ = ["Findings", "Scored", "Settings", "Trajectories", "analyse", "read_findings"]


def analyse(out: Path, settings: Settings | None = None) -> Findings:
    """Compute all results from the predictions in `out`, and write them to `out`/analysis.

    Runs without predictions are left out and named. The same predictions give the same bytes.

    Parameters
    ----------
    out : the output folder of a study
    settings : by default 95 % intervals from 10,000 resamples, seed 0

    Raises
    ------
    InputError : not the output folder of a study, no predictions at all, a damaged file, or runs
        that did not answer the same examples
    """
    settings = settings or Settings()
    record = read_record(out)
    runs, epochs = read_runs(out, record)
    refuse(
        check_runs(runs, record["study"].get("declared")),
        where=out / "runs",
        hint="priorscope run brings every run of a study to the same data and probes; "
        "runs made elsewhere belong into folders of their own",
    )
    arms, missing_files = read_scores(out, record)
    if not arms:
        raise InputError(
            "no run of this study has predictions",
            where=out / "runs",
            hint="priorscope run continues with the runs that are not finished",
        )
    stability = record["study"].get("stability")
    at_part = [] if not stability else read_scores(out, record, budget=stability["budget"])[0]
    rows = _rows_of_arms(arms, settings)
    factors = recorded_factors(record["study"])
    if factors:
        rows["effects"] = effect_rows(arms, record, settings)
        rows["effects"] += crossing_rows(arms, record, settings)
        rows["variance"] = variance_rows(arms, record)
    measured = measure(out, record)
    if stability and any(each.get("measure") for each in record["study"].get("hypotheses") or []):
        at_part += measure(out, record, budget=stability["budget"]).arms
    rows["measurements"] = measured.rows
    rows["measures"] = measure_rows(measured.arms, settings)
    rows["profile"] = profile_rows([*arms, *measured.arms], record, settings)
    training = judge_runs(record, runs, epochs)
    results = Findings(
        out=out,
        record=record,
        runs=runs,
        epochs=epochs,
        **frames(rows, factors),
        control_models=check_control_models(record, rows["estimates"]),
        verdicts=judge(
            record,
            [*arms, *measured.arms, *at_part],
            [*missing_files, *measured.missing],
            training,
            settings,
            warnings=warnings_of(runs),
            measured=measured.sources,
            data_warnings=data_remarks(record, "warnings"),
        ),
        training=training,
        trajectories=compare_trajectories(out, runs, arms, settings),
        scales=[_scale_row(arm) for arm in [*arms, *measured.arms]],
        ties=[row for arm in arms for row in tie_rows(arm)],
        failed={name: each.failed for name, each in measured.sources.items() if each.failed},
        missing=tuple(dict.fromkeys(Path(file).parts[1] for file in missing_files)),
        missing_predictions=tuple(missing_files),
        settings=settings,
    )
    write_findings(results)
    return results


def _rows_of_arms(arms: list[ArmScores], settings: Settings) -> dict[str, list[Row]]:
    """Return the rows of the tables that are about one arm of one cell each."""
    rows: dict[str, list[Row]] = {
        "scores": [row for arm in arms for row in score_rows(arm)],
        "estimates": [row for arm in arms for row in estimate_rows(arm, settings)],
        "comparisons": with_holm(
            [row for arm in arms for row in comparison_rows(arm, settings)],
        ),
        "histograms": [row for arm in arms for row in histogram_rows(arm, settings)],
        "controls": [],
    }
    for _, of_probe in groupby(arms, key=lambda arm: (arm.cell, arm.probe)):
        rows["controls"] += control_rows(list(of_probe), settings)
    return rows


def _scale_row(arm: ArmScores) -> Row:
    names = {"cell": arm.cell, "probe": arm.probe, "arm": arm.arm, "metric": arm.metric}
    return names | {"scale": asdict(arm.scale), "chance": arm.chance.words}

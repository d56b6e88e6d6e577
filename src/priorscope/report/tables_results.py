"""Tables of results: at a glance, one for each probe, comparisons, seeds."""

from priorscope.claims.inference import smallest_p
from priorscope.metrics import NONE, Scale
from priorscope.report.artefacts import CHANCE, Artefacts, Row, select
from priorscope.report.figures_intervals import select_arm
from priorscope.report.tables import Table
from priorscope.report.wording import counted, listed, magnitude, p_value, plain

Column = tuple[str, str, str, str]  # probe, arm, metric, heading


def overview_table(artefacts: Artefacts, columns: list[Column]) -> Table:
    """Return one row a model: its size, test accuracy, and what each probe is about."""
    sizes = {run["model"]: run for run in artefacts.runs}
    rows, records = [], []
    for model in [*artefacts.models, CHANCE]:
        size = sizes.get(model, {})
        found = [artefacts.estimate(model, *column[:3]) for column in columns]
        units = [artefacts.scale(*column[:3]) for column in columns]
        cells = [u.estimate(row) for u, row in zip(units, found, strict=True)]
        rows.append(
            (model, magnitude(size.get("num_parameters")), magnitude(size.get("macs")), *cells)
        )
        record: Row = {
            "model": model,
            "num_parameters": size.get("num_parameters"),
            "macs": size.get("macs"),
        }
        for (probe, arm, metric, _), row in zip(columns, found, strict=True):
            record |= _numbers(row, f"{probe} {arm} {metric}")
        records.append(record)
    headings = [
        f"{heading}\n{u.heading}"
        for (*_, heading), u in zip(
            columns, (artefacts.scale(*column[:3]) for column in columns), strict=True
        )
    ]
    return Table(
        "overview",
        f"Scores on the test images and on what each probe is about. "
        f"{interval_note(artefacts, columns)} "
        "MACs: multiply-accumulates for one image.",
        ("Model", "Parameters", "MACs", *headings),
        tuple(rows),
        tuple(records),
        frozenset(range(1, len(columns) + 3)),
        frozenset({len(rows) - 1}),
        numbered=False,
    )


def probe_table(artefacts: Artefacts, probe: str, metric: str, title: str) -> Table:
    """Return one row a model and one column an arm: the condition under test, then its controls."""
    arms = [arm for arm in artefacts.arms(probe) if select_arm(artefacts, probe, arm, metric)]
    units = [artefacts.scale(probe, arm, metric) for arm in arms]
    rows, records = [], []
    for model in [*artefacts.models, CHANCE]:
        found = [artefacts.estimate(model, probe, arm, metric) for arm in arms]
        rows.append((model, *(u.estimate(row) for u, row in zip(units, found, strict=True))))
        record: Row = {"model": model}
        for arm, row in zip(arms, found, strict=True):
            record |= _numbers(row, arm)
        records.append(record)
    columns = [(probe, arm, metric, plain(arm)) for arm in arms]
    caption = f"{title}. First the condition under test"
    caption += f", then its controls ({listed(map(plain, arms[1:]))})." if arms[1:] else "."
    return Table(
        f"{probe}-{metric}",
        f"{caption} {interval_note(artefacts, columns)}",
        ("Model", *(f"{plain(a)}\n{u.heading}" for a, u in zip(arms, units, strict=True))),
        tuple(rows),
        tuple(records),
        frozenset(range(1, len(arms) + 1)),
        frozenset({len(rows) - 1}),
    )


def comparison_table(
    artefacts: Artefacts, columns: list[Column], name: str, what: str
) -> Table | None:
    """Return one row a pair of models and arm: difference, interval, p and Holm-adjusted p."""
    rows, records = [], []
    for probe, arm, metric, heading in columns:
        scale = artefacts.scale(probe, arm, metric)
        for row in select(artefacts.comparisons, probe=probe, arm=arm, metric=metric):
            smallest = smallest_p(few_seeds=row["few_seeds"])
            rows.append(
                (
                    heading,
                    f"{row['a']} \N{MINUS SIGN} {row['b']}",
                    _difference(scale, row),
                    p_value(row["p_value"], smallest=smallest),
                    p_value(row["p_adjusted"], smallest=smallest),
                )
            )
            records.append(row)
    if not rows:
        return None
    tests = listed(dict.fromkeys(plain(record["test"]) for record in records))
    caption = (
        f"Differences between models {what}, first minus second, with {artefacts.confidence} "
        f"intervals ({_design(records)}). p: {tests}; p (Holm): adjusted over all "
        "pairs, probes and arms of the study. pp: percentage points."
    )
    if any(record["few_seeds"] for record in records):
        caption += (
            " Fewer than five seeds carry no p below 0.01; every seed has a row in the scores."
        )
    header = ("On", "Pair", "Difference [interval]", "p", "p (Holm)")
    return Table(name, caption, header, tuple(rows), tuple(records), frozenset({2, 3, 4}))


def control_table(artefacts: Artefacts, probe: str, metric: str, title: str) -> Table | None:
    """Return what a probe's condition costs each model: its score minus that on each control."""
    found = select(artefacts.controls, probe=probe, metric=metric)
    controls = list(dict.fromkeys(row["control"] for row in found))
    if not found:
        return None
    rows = []
    for model in artefacts.models:
        cells = []
        for control in controls:
            row = select(found, model=model, control=control)
            scale = artefacts.scale(probe, control, metric)
            cells.append(_difference(scale, row[0]) if row else NONE)
        rows.append((model, *cells))
    arm = plain(found[0]["arm"])
    caption = (
        f"{title}. Within each model, its score on {arm} minus that on each control, paired by "
        f"scene, with {artefacts.confidence} intervals ({_design(found)}). "
        "pp: percentage points."
    )
    header = ("Model", *(f"{arm} \N{MINUS SIGN} {plain(control)}" for control in controls))
    numeric = frozenset(range(1, len(header)))
    return Table(f"{probe}-controls", caption, header, tuple(rows), tuple(found), numeric)


def seed_table(artefacts: Artefacts, columns: list[Column]) -> Table:
    """Return every run's own score, so that readers see how much seeds differ."""
    rows = []
    for run in artefacts.runs:
        cells = []
        for probe, arm, metric, _ in columns:
            key = {"model": run["model"], "seed": run["seed"], "probe": probe}
            found = select(artefacts.scores, **key, arm=arm, metric=metric)
            scale = artefacts.scale(probe, arm, metric)
            cells.append(scale.value(found[0]["value"]) if found else NONE)
        rows.append((run["model"], str(run["seed"]), *cells))
    headings = (
        f"{heading}\n{artefacts.scale(probe, arm, metric).heading}"
        for probe, arm, metric, heading in columns
    )
    return Table(
        "scores",
        "Scores of each run. The CSV file also holds the control arms.",
        ("Model", "Seed", *headings),
        tuple(rows),
        tuple(artefacts.scores),
        frozenset(range(1, len(columns) + 2)),
    )


def interval_note(artefacts: Artefacts, columns: list[Column]) -> str:
    """Say how the intervals of these (probe, arm, metric) were made, and from how much."""
    used: dict[str, dict[str, None]] = {}
    for probe, arm, metric, heading in columns:
        for row in select_arm(artefacts, probe, arm, metric):
            used.setdefault(plain(row["method"]), {})[heading] = None
    methods = list(used)
    if len(methods) > 1:
        methods = [f"{listed(headings)}: {method}" for method, headings in used.items()]
    how = "; ".join(methods)
    chances = list(
        dict.fromkeys(
            f"{heading}: {words}" if len(columns) > 1 else words
            for probe, arm, metric, heading in columns
            if (words := artefacts.chance_words(probe, arm, metric))
        )
    )
    said = f" Chance: {'; '.join(chances)}." if chances else ""
    return f"Brackets: {artefacts.confidence} intervals. {how[0].upper()}{how[1:]}.{said}"


def _design(rows: list[Row]) -> str:
    seeds = sorted({row["num_seeds"] for row in rows if row["num_seeds"] is not None})
    images = sorted({row["n"] for row in rows if row["n"] is not None})
    parts = []
    if seeds:
        parts.append(
            counted(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
        )
    if images:
        number = f"{images[0]:,}" if len(images) == 1 else f"{images[0]:,} to {images[-1]:,}"
        parts.append(f"{number} images")
    return ", ".join(parts)


def _numbers(row: Row | None, prefix: str) -> Row:
    return {
        f"{prefix} {column}": None if row is None else row[column]
        for column in ("estimate", "low", "high")
    }


def _difference(scale: Scale, row: Row) -> str:
    text = scale.difference(row)
    return f"{text} {scale.difference_symbol}" if scale.difference_symbol else text

"""Tables of factors: scores in every cell, data multipliers, interactions, shares of variance."""

from priorscope.metrics import NONE, Scale, decimal
from priorscope.report.artefacts import CHANCE, Artefacts, Row, select
from priorscope.report.cells import cells
from priorscope.report.factors import (
    TIMES,
    cell_title,
    crossing_interval,
    level_text,
    multiplier_interval,
    num_train,
    scores_of,
)
from priorscope.report.tables import Table
from priorscope.report.tables_results import Column
from priorscope.report.wording import count, counted, p_value, plain

_MOST_ROWS = 12  # of interactions
_MINUS = "\N{MINUS SIGN}"


def cell_table(artefacts: Artefacts, column: Column) -> Table:
    """Return one row a cell: its training images, and the score of every model."""
    probe, arm, metric, heading = column
    scale, counts = artefacts.scale(probe, arm, metric), num_train(artefacts)
    found = scores_of(artefacts, probe, arm, metric)
    rows, records = [], []
    for cell in cells(artefacts):
        of_cell = {row["model"]: row for row in found if row["cell"] == cell}
        cells_ = [scale.estimate(of_cell.get(model)) for model in [*artefacts.models, CHANCE]]
        rows.append((cell_title(cell), count(counts.get(cell)), *cells_))
        records += [row | {"num_train": counts.get(cell)} for row in of_cell.values()]
    methods = list(dict.fromkeys(row["method"] for row in found if row["model"] != CHANCE))
    caption = (
        f"{heading}: {scale.heading} of every model at every combination of levels. Brackets: "
        f"{artefacts.confidence} intervals ({'; '.join(methods)})."
    )
    header = ("At", "Training images", *artefacts.models, CHANCE)
    numeric = frozenset(range(1, len(header)))
    name = "cells" if probe == "test" else f"cells-{probe}"
    return Table(name, caption, header, tuple(rows), tuple(records), numeric, numbered=False)


def multiplier_table(artefacts: Artefacts) -> Table | None:
    """Return how many times more images each model needs to reach what a better one scores."""
    found = select(artefacts.effects, kind="data_multiplier")
    rows, unknown = [], 0
    for row in found:
        if row["probe"] != "test" or (row["estimate"] <= 1 and row["bound"] != "above"):
            continue  # the better of the two is what is reached
        if (row["low_bound"], row["high_bound"]) == ("below", "above"):
            unknown += 1
            continue
        scale = artefacts.scale(row["probe"], row["arm"], row["metric"])
        symbol = f" {scale.symbol}" if scale.symbol else ""
        rows.append(
            (
                cell_title(row["cell"]) or NONE,
                f"{row['a']}: {scale.value(row['first'])}{symbol}",
                count(row["num_images"]),
                row["b"],
                f"{TIMES}{multiplier_interval(row)}",
            )
        )
    if not rows:
        return None
    caption = (
        "Data multipliers on the test images: how many times more training images a model needs to "
        f"reach what another scores, read off its learning curve ({found[0]['method']}), with "
        f"{artefacts.confidence} intervals over seeds and images. Nothing is extrapolated: "
        "\N{LEFT DOUBLE QUOTATION MARK}more than\N{RIGHT DOUBLE QUOTATION MARK} means that the "
        "largest number of images that was tried is not enough. Scores that are not above chance "
        "are not listed. The CSV file has both directions of every pair, and the probes."
    )
    if unknown:
        caption += (
            f" Left out, because the interval spans all sizes that were tried: {unknown} of "
            f"{unknown + len(rows)}."
        )
    header = ("At", "Reached", "with images", "by", f"needs {TIMES} [interval]")
    return Table("multipliers", caption, header, tuple(rows), tuple(found), frozenset({2, 4}))


def interaction_table(artefacts: Artefacts) -> Table | None:
    """Return what a factor does to the difference of two models, and whether it turns it round."""
    found = select(artefacts.effects, kind="interaction")
    of_test = select(found, probe="test")
    largest = sorted(of_test, key=lambda row: -abs(row["estimate"]))[:_MOST_ROWS]
    rows = []
    for row in [row for row in of_test if row in largest]:
        scale = artefacts.scale(row["probe"], row["arm"], row["metric"])
        effects = _two_effects(row, scale)
        difference = scale.difference(row | {"difference": row["estimate"]})
        rows.append(
            (
                f"{plain(row['factor'])}: {plain(row['level'])} {_MINUS} {plain(row['against'])}",
                cell_title(row["cell"]) or NONE,
                f"{row['a']} {_MINUS} {row['b']}",
                *effects,
                f"{difference} {scale.difference_symbol}".strip(),
                p_value(row["p_adjusted"]),
                row["crossing"],
            )
        )
    if not rows:
        return None
    caption = (
        "Interactions on the test images: the difference of two models at one level of a factor, "
        f"the same at another, and the first minus the second, with {artefacts.confidence} "
        "intervals. p (Holm): of no interaction, two-sided, adjusted over all rows, those of the "
        "probes in the CSV file included. \N{LEFT DOUBLE QUOTATION MARK}Crosses"
        "\N{RIGHT DOUBLE QUOTATION MARK}: both differences are clear, and of opposite sign."
    )
    if len(of_test) > _MOST_ROWS:
        caption += f" The {_MOST_ROWS} largest of {len(of_test)}; the CSV file has all."
    header = ("Factor", "At", "Pair", "First", "Second", "First minus second", "p (Holm)", "Sign")
    numeric = frozenset({3, 4, 5, 6})
    return Table("interactions", caption, header, tuple(rows), tuple(found), numeric)


def crossing_table(artefacts: Artefacts) -> Table | None:
    """Return the level of a factor at which the difference of two models changes its sign."""
    found = select(artefacts.effects, kind="crossing")
    rows = []
    for row in select(found, probe="test"):
        scale = artefacts.scale(row["probe"], row["arm"], row["metric"])
        effects = _two_effects(row, scale)
        rows.append(
            (
                plain(row["factor"]),
                cell_title(row["cell"]) or NONE,
                f"{row['a']} {_MINUS} {row['b']}",
                f"{effects[0]} at {row['level']}",
                f"{effects[1]} at {row['against']}",
                crossing_interval(row),
            )
        )
    if not rows:
        return None
    caption = (
        "Where the difference of two models on the test images changes its sign, along a factor "
        "of numbers. Listed are pairs whose difference is clearly on one side of zero at the "
        f"lowest level and on the other at the highest ({artefacts.confidence} intervals). "
        "Brackets: the measured levels up to which it is clearly on the first side, and from "
        "which it is on the other; what lies between is not known. The number before them takes "
        "straight lines there."
    )
    header = ("Factor", "At", "Pair", "At the lowest", "At the highest", "Zero at [interval]")
    return Table("crossings", caption, header, tuple(rows), tuple(found), frozenset({3, 4, 5}))


def _two_effects(row: Row, scale: Scale) -> list[str]:
    """Write the two effects of a row with their intervals."""
    return [
        f"{scale.value(row[name], signed=True)} "
        f"{scale.interval(row[f'{name}_low'], row[f'{name}_high'], signed=True)}"
        for name in ("first", "second")
    ]


def variance_table(artefacts: Artefacts) -> Table | None:
    """Return the share of the variance between runs that each term of the design explains."""
    found = [row for row in artefacts.variance if row["probe"] == "test"]
    if not found:
        return None
    rows = [
        (
            plain(row["term"]).replace(":", f" {TIMES} "),
            row["source"],
            _percent(row["share"]),
            _percent(row["share_adjusted"]),
            NONE if row["f"] is None else decimal(row["f"], 1),
            p_value(row["p_value"]),
        )
        for row in found
    ]
    num_seeds = found[0]["num_seeds"]
    caption = (
        "Shares of the variance of the runs\N{RIGHT SINGLE QUOTATION MARK} scores on the test "
        f"images, from a balanced analysis of variance with {counted(num_seeds, 'seed')} a model "
        "and cell. Share: of the total sum of squares (eta squared). Adjusted: less what noise "
        "between seeds adds to it (omega squared). Shares depend on which levels were chosen."
    )
    if num_seeds == 1:
        caption += " With one seed there is no noise to test against."
    header = ("Term", "Due to", "Share, %", "Adjusted, %", "F", "p")
    numeric = frozenset({2, 3, 4, 5})
    return Table("variance", caption, header, tuple(rows), tuple(artefacts.variance), numeric)


def cell_data_table(artefacts: Artefacts) -> Table:
    """Return what identifies the data of every cell, down to the pixels."""
    rows, records = [], []
    for entry in artefacts.record.get("cells", []):
        data: Row = entry["data"]
        moved = data.get("intervention", {})
        record = {"cell": entry["cell"], "title": data["title"]}
        record |= {f"{part}_images": data[part]["num_images"] for part in ("train", "test")}
        record |= {f"{part}_fingerprint": data[part]["fingerprint"] for part in ("train", "test")}
        record |= {"intervention": moved.get("name"), "permutation": moved.get("fingerprint")}
        records.append(record)
        rows.append(
            (
                cell_title(entry["cell"]),
                data["title"],
                count(record["train_images"]),
                record["train_fingerprint"],
                record["test_fingerprint"],
                f"{level_text(moved['name'])} {moved['fingerprint']}" if moved else NONE,
            )
        )
    caption = (
        "Data of every cell. A fingerprint changes when any image, any label or their order "
        "changes; that of an intervention when any pixel goes elsewhere."
    )
    header = ("At", "Data", "Training images", "Training", "Test", "Intervention")
    return Table("cell-data", caption, header, tuple(rows), tuple(records), frozenset({2}))


def _percent(share: float | None) -> str:
    return NONE if share is None else decimal(100 * share, 1)

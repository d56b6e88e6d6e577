"""What a study with factors shows in words; every phrase follows from its numbers."""

from priorscope.report.artefacts import CHANCE, Artefacts, Row, select
from priorscope.report.cells import at_cell, cells
from priorscope.report.factors import (
    TIMES,
    cell_title,
    level_text,
    multiplier_interval,
    num_train,
    scores_of,
)
from priorscope.report.summary import (
    Summary,
    judged_sentences,
    limits_of,
    named_models,
    warnings_of,
    with_unit,
)
from priorscope.report.tables_results import Column
from priorscope.report.wording import count, counted, listed, plain

_MOST_SENTENCES = 4
_LARGE_SHARE = 0.1


def summarise_factors(artefacts: Artefacts, column: Column) -> Summary:
    """Put a study with factors into words; `column` are the test images."""
    sentences = [_what_was_done(artefacts), *judged_sentences(artefacts)]
    sentences += _scores(artefacts, column)
    sentences += _crossings(artefacts)
    sentences += _zeros(artefacts)
    sentences += _multipliers(artefacts)
    sentences += _shares(artefacts)
    first = at_cell(artefacts, cells(artefacts)[0])
    limits = limits_of(first, [column])
    limits.append(
        "Interactions and variance shares speak of the levels that were chosen, and of the recipe "
        "at each of them; a fixed number of epochs gives less training where there are fewer "
        "images."
    )
    return Summary(" ".join(sentences), tuple(limits), warnings_of(artefacts))


def _what_was_done(artefacts: Artefacts) -> str:
    names, images = cells(artefacts), sorted(set(num_train(artefacts).values()))
    seeds = sorted(
        {
            len(select(at_cell(artefacts, cell).runs, model=model))
            for cell in names
            for model in artefacts.models
        }
    )
    many = counted(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    factors = "; ".join(
        f"{plain(name)} {listed(level_text(value) for value in levels)}"
        for name, levels in artefacts.factors.items()
    )
    text = named_models(artefacts.models)
    size = count(images[0]) if len(images) == 1 else f"{count(images[0])} to {count(images[-1])}"
    return (
        f"{text[0].upper()}{text[1:]} were trained from scratch with {many} each at "
        f"{counted(len(names), 'combination')} of levels ({factors}), on {size} images, by one "
        "recipe for all models at each of them."
    )


def _scores(artefacts: Artefacts, column: Column) -> list[str]:
    """Say who scored highest and lowest in each cell, or overall where there are many."""
    probe, arm, metric, _ = column
    scale = artefacts.scale(probe, arm, metric)
    rows = [r for r in scores_of(artefacts, probe, arm, metric) if r["model"] != CHANCE]

    def said(row: Row) -> str:
        return f"{with_unit(scale.estimate(row), scale.symbol)} ({row['model']})"

    sentences = []
    for cell in cells(artefacts):
        of_cell = sorted(select(rows, cell=cell), key=lambda row: row["estimate"])
        if len(of_cell) > 1:
            scores = f"ran from {said(of_cell[0])} to {said(of_cell[-1])}"
            sentences.append(f"At {cell_title(cell)}, accuracy on the test images {scores}.")
    if len(sentences) <= _MOST_SENTENCES:
        return sentences
    low, *_, high = sorted(rows, key=lambda row: row["estimate"])
    ends = [f"{said(row)} at {cell_title(row['cell'])}" for row in (low, high)]
    return [f"Accuracy on the test images ran from {ends[0]} to {ends[1]}."]


def _crossings(artefacts: Artefacts) -> list[str]:
    """Name the largest difference that each factor turns round, and count the others."""
    found = [
        row
        for row in select(artefacts.effects, kind="interaction", crossing="crosses", probe="test")
        if row["p_adjusted"] < artefacts.analysis["alpha"]
    ]
    largest = {}
    for row in sorted(found, key=lambda row: abs(row["estimate"])):
        largest[row["factor"]] = row
    sentences = []
    for row in largest.values():
        scale = artefacts.scale(row["probe"], row["arm"], row["metric"])
        effects = [
            with_unit(
                scale.difference({"difference": row[e], "low": row[low], "high": row[high]}),
                scale.difference_symbol,
            )
            for e, low, high in (
                ("first", "first_low", "first_high"),
                ("second", "second_low", "second_high"),
            )
        ]
        where = f" ({cell_title(row['cell'])})" if row["cell"] else ""
        sentences.append(
            f"{plain(row['factor'])[0].upper()}{plain(row['factor'])[1:]} turns the difference "
            f"between {row['a']} and {row['b']} round: {effects[0]} at {plain(row['level'])}, "
            f"{effects[1]} at {plain(row['against'])}{where}."
        )
    if more := len(found) - len(sentences):
        sentences.append(f"Signs turn in {counted(more, 'other comparison')} too.")
    return sentences


def _zeros(artefacts: Artefacts) -> list[str]:
    """Say at which level a difference that is clear at both ends of a factor changes its sign."""
    rows = select(artefacts.effects, kind="crossing", probe="test")
    sentences = []
    for row in rows[:_MOST_SENTENCES]:
        where = f" ({cell_title(row['cell'])})" if row["cell"] else ""
        sentences.append(
            f"The difference between {row['a']} and {row['b']} changes its sign "
            f"between {plain(row['factor'])} {row['low']:.3g} and {row['high']:.3g}{where}."
        )
    return sentences


def _multipliers(artefacts: Artefacts) -> list[str]:
    """Return the multipliers at the largest number of images at which each is known."""
    rows = [
        row
        for row in select(artefacts.effects, kind="data_multiplier", probe="test")
        if row["estimate"] > 1 or row["bound"] == "above"
    ]
    largest: dict[tuple, Row] = {}
    for row in sorted(rows, key=lambda row: (row["bound"] == "exact", row["num_images"])):
        largest[row["a"], row["b"], row["cell"]] = row
    clear = [
        row
        for row in largest.values()
        if row["low_bound"] == "above" or (row["low_bound"] == "exact" and row["low"] > 1)
    ]
    sentences = []
    for row in clear[:_MOST_SENTENCES]:
        where = f" at {cell_title(row['cell'])}" if row["cell"] else ""
        sentences.append(
            f"To reach what {row['a']} scores with {count(row['num_images'])} images{where}, "
            f"{row['b']} needs {multiplier_interval(row)} times as many."
        )
    return sentences


def _shares(artefacts: Artefacts) -> list[str]:
    rows = [
        row for row in artefacts.variance if row["probe"] == "test" and row["share"] >= _LARGE_SHARE
    ]
    if not rows:
        return []
    parts = [
        f"{100 * row['share']:.0f}\N{NO-BREAK SPACE}% {_term(row['term'])}"
        for row in sorted(rows, key=lambda row: -row["share"])
    ]
    return [f"Of the variance between runs on the test images, {listed(parts)}."]


def _term(term: str) -> str:
    if term == "seed":
        return "is between seeds"
    return f"goes with {plain(term).replace(':', f' {TIMES} ')}"

"""The artefacts of one cell of a study with factors, as if it were a study of its own."""

from dataclasses import replace

from priorscope.report.artefacts import Artefacts, Row, cell_of, read_samples


def cells(artefacts: Artefacts) -> list[str]:
    """Name the cells that have results, in the study's order."""
    planned = dict.fromkeys(cell_of(run) for run in artefacts.record["plan"])
    there = {row.get("cell", "") for row in artefacts.estimates}
    return [cell for cell in planned if cell in there]


def at_cell(artefacts: Artefacts, cell: str) -> Artefacts:
    """Keep what belongs to one cell: its runs, scores, comparisons, images and data."""
    record = artefacts.record
    entries = [entry for entry in record.get("cells", []) if entry["cell"] == cell]
    record = record | {"plan": [run for run in record["plan"] if cell_of(run) == cell]}
    if entries:
        record |= {"data": entries[0]["data"]}

    def of_cell(rows: list[Row]) -> list[Row]:
        return [row for row in rows if row.get("cell", "") == cell]

    return replace(
        artefacts,
        record=record,
        runs=[run for run in artefacts.runs if cell_of(run) == cell],
        epochs=of_cell(artefacts.epochs),
        samples=read_samples(artefacts.out, artefacts.record, cell),
        scores=of_cell(artefacts.scores),
        estimates=of_cell(artefacts.estimates),
        comparisons=of_cell(artefacts.comparisons),
        histograms=of_cell(artefacts.histograms),
        controls=of_cell(artefacts.controls),
        measurements=of_cell(artefacts.measurements),
        measures=of_cell(artefacts.measures),
        matched=artefacts.matched
        | {name: of_cell(artefacts.matched[name]) for name in ("points", "pairs")},
    )

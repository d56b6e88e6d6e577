"""What a report shows of the images: a few of each probe, as a study left them on disk."""

from pathlib import Path

from priorscope.analysis import Findings
from priorscope.errors import InputError
from priorscope.report.wording import Row
from priorscope.runs.seals import rows_digest


def looks(results: Findings) -> list[str]:
    """List the first cell of each look of the images: cells of other sizes may look alike."""
    first: dict[str, str] = {}
    for entry in results.record.get("cells", []):
        first.setdefault(entry["samples"], entry["cell"])
    return [cell for cell in results.cells if cell in first.values()] or results.cells[:1]


def read_samples(results: Findings, cell: str) -> dict[str, list[Row]]:
    """Read the images that stand for a cell: probe (or "train") -> rows.

    A row has `id, arm, label, cluster, png`; a probe without a file has none.

    Raises
    ------
    InputError : a file is damaged
    """
    folder = results.out / "samples"
    for entry in results.record.get("cells", []):
        if entry["cell"] == cell:
            folder /= entry["samples"]
    files = {name: folder / f"{name}.parquet" for name in ("train", *results.probes)}
    return {name: _rows(path) for name, path in files.items() if path.is_file()}


def _rows(path: Path) -> list[Row]:
    import pyarrow.parquet as pq  # what prints a plan reads no tables

    try:
        with path.open("rb") as file:
            table = pq.read_table(file)
        rows = table.to_pylist()
        digest = (table.schema.metadata or {}).get(b"digest")  # earlier versions wrote none
        if digest is not None and digest.decode() != rows_digest(rows):
            raise ValueError("the rows are not those that were written")
    except Exception as error:  # a damaged description makes the reader raise almost anything
        hint = "priorscope run writes it anew"
        raise InputError("file is not Parquet", where=path, found=error, hint=hint) from None
    return rows

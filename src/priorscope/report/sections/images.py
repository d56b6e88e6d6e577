"""What the models saw: one image a class, and scenes of the probes of the 2021 report.

With its two probes, a study's Figures 1 to 5 and Tables 1 to 3 are those of that report: one image
a class, mosaics, backgrounds, training, Top-4 histograms; recipe, Top-4 means, background accuracy.
What priorscope adds is numbered after them.
"""

from pathlib import Path

import pyarrow.parquet as pq

from priorscope import components
from priorscope.analysis import Findings
from priorscope.errors import InputError
from priorscope.report.figure import COLUMN_PX, ImageFigure, Picture
from priorscope.report.image_grid import image_grid
from priorscope.report.section import Block, Paragraph, Part, Section, named_after, section_of
from priorscope.report.wording import Row, capital, count, listed, plain, setting
from priorscope.runs.seals import rows_digest

_REPORT_PROBES = ("mosaic", "large_background")  # components, in the order of the 2021 report
_MOST_CLASSES = 100
_MOST_SCENES = 6


def images(results: Findings) -> Section | None:
    """Show the images of each cell whose images look different, with what its probes are."""
    known = known_probes(results)
    about = Part(paragraphs=[probe_description(results, probe) for probe in known])
    return section_of("images", "What the models saw", about, Part(sample_figures(results, known)))


def known_probes(results: Findings) -> list[str]:
    """List the first probe of each kind that the 2021 report had, in its order."""
    first: dict[str, str] = {}
    for name, probe in results.probes.items():
        first.setdefault(probe["name"], name)
    return [first[kind] for kind in _REPORT_PROBES if kind in first]


def sample_figures(results: Findings, probes: list[str], *, classes: bool = True) -> list[Block]:
    """Show one image a class and a few scenes of these probes, once for each look of the images.

    Where images look different in several cells, each figure is named after the first cell.
    """
    shown = []
    for cell in looks(results):
        samples = read_samples(results, cell)
        data = results.at(cell).record["data"]
        figures = [_class_images(samples.get("train", []), data)] if classes else []
        figures += [_scenes(samples.get(p, []), p, probe_title(results, p)) for p in probes]
        there = [figure for figure in figures if figure is not None]
        shown += [named_after(cell, figure) if cell else figure for figure in there]
    return shown


def probe_title(results: Findings, probe: str) -> str:
    """Head what is shown of a probe."""
    kinds = {"mosaic": "mosaics of several classes", "large_background": "objects on backgrounds"}
    kind = kinds.get(results.probes[probe]["name"])
    name = capital(plain(probe))
    return f"{name}: {kind}" if kind else name


def probe_description(results: Findings, probe: str) -> Paragraph:
    """Say what a probe shows; for probes that are not ours, what their file says."""
    component = results.probes[probe]
    parameters = {key: value for key, value in component.items() if key != "name"}
    if component["name"] == "mosaic":
        scored = next((each for each in results.primary() if each.probe == probe), None)
        counts = scored is not None and results.is_counted(scored)
        most = results.scale(scored).high if scored and counts else None
        many = f"{most:g} " if most else ""
        text = (
            f"Each image joins {many}test images of distinct classes, and a model is "
            f"scored by how many of its {many}most likely classes are among them. Two controls "
            "show one tile of the same scene: alone on grey in its place (as small as in the "
            "mosaic), and enlarged to the whole canvas. They have one class and are scored by "
            "top-1 accuracy."
        )
    elif component["name"] == "large_background":
        text = (
            "A test image is pasted at a random place on a larger background picture. "
            "Two controls show the same object at the same place and size on plain grey, and "
            "enlarged to the whole canvas, so that a small object and a busy background can be "
            "told apart."
        )
    else:
        ours = components.listing("probes")
        summary = ours[component["name"]].summary if component["name"] in ours else ""
        text = f"Made by {component['name']}. {summary}".rstrip()
    return probe, f"{text} Parameters: {setting(parameters)}." if parameters else text


def _class_images(rows: list[Row], data: Row) -> ImageFigure | None:
    """Show one training image of each class, or of the first hundred."""
    if not rows:
        return None
    shown = sorted(rows, key=lambda row: row["id"])[:_MOST_CLASSES]
    pictures = [Picture(row["png"], row["label"]) for row in shown]
    columns = 5 if len(pictures) <= 20 else 10
    caption = f"One training image of each class of {data['title']}"
    if len(rows) > len(shown):
        caption = f"One training image of each of the first {len(shown)} of {count(len(rows))} "
        caption += f"classes of {data['title']}"
    caption += f", {data['image_px']} \N{MULTIPLICATION SIGN} {data['image_px']} pixels."
    lines = [("", pictures[start : start + columns]) for start in range(0, len(pictures), columns)]
    # Many classes need the width of a page, not of a column.
    width = COLUMN_PX if columns == 5 else 1.5 * COLUMN_PX
    return ImageFigure("classes", caption, [("", pictures)], 10, image_grid(lines, columns, width))


def _scenes(rows: list[Row], probe: str, title: str) -> ImageFigure | None:
    """Show a few scenes of a probe in every arm, the same scene in the same column."""
    if not rows:
        return None
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    scenes = list(dict.fromkeys(row["id"] for row in rows))[:_MOST_SCENES]
    found = {(row["arm"], row["id"]): row for row in rows}
    lines = [
        (plain(arm), [_picture(found[arm, scene]) for scene in scenes if (arm, scene) in found])
        for arm in arms
    ]
    caption = f"{title}. First row: {plain(arms[0]) or 'what the probe is about'}"
    if len(arms) > 1:
        caption += f"; below it the same scenes as controls ({listed(map(plain, arms[1:]))})"
    caption += ". Under each image: what it is scored against."
    grid = image_grid(lines, len(scenes), COLUMN_PX)
    return ImageFigure(f"samples-{probe}", caption, lines, len(scenes), grid)


def _picture(row: Row) -> Picture:
    note = f"{row['label']}; {plain(row['cluster'])}" if row["cluster"] else row["label"]
    return Picture(row["png"], row["label"], note)


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

"""Write the report: one page that opens offline, and its figures and tables as files."""

import base64
import functools
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import vl_convert as vlc
import yaml
from markupsafe import Markup

from priorscope.analysis import Findings
from priorscope.preflight.known import kept
from priorscope.report.figure import (
    ChartFigure,
    Figure,
    join,
    specification,
    to_pdf,
    to_png,
    to_svg,
)
from priorscope.report.image_grid import data_url
from priorscope.report.section import Block, Section
from priorscope.report.sections.attention import attention
from priorscope.report.sections.comparisons import comparisons
from priorscope.report.sections.dials import dials
from priorscope.report.sections.error_consistency import error_consistency
from priorscope.report.sections.factors import factors
from priorscope.report.sections.fairness import fairness
from priorscope.report.sections.given import given
from priorscope.report.sections.glance import glance
from priorscope.report.sections.images import images
from priorscope.report.sections.learning_curves import learning_curves
from priorscope.report.sections.likeness import likeness
from priorscope.report.sections.matched import matched
from priorscope.report.sections.measures import measures
from priorscope.report.sections.probes import probes
from priorscope.report.sections.profile import profile
from priorscope.report.sections.report_2021 import report_2021
from priorscope.report.sections.rules import rules
from priorscope.report.sections.runs import runs
from priorscope.report.sections.training import training
from priorscope.report.sections.verdicts import verdicts
from priorscope.report.summary import summarise
from priorscope.report.table import Table, to_csv, to_latex, to_markdown
from priorscope.report.wording import file_stem

# What stands on the page, in its order.
SECTIONS: tuple[Callable[[Findings], Section | None], ...] = (
    verdicts,
    glance,
    profile,
    factors,
    learning_curves,
    dials,
    fairness,
    given,
    images,
    training,
    probes,
    report_2021,
    comparisons,
    matched,
    error_consistency,
    likeness,
    measures,
    attention,
    rules,
    runs,
)

_HERE = Path(__file__).parent
_NARROW_COLUMNS = 3  # pictures side by side on a phone


@dataclass(frozen=True)
class _Item:
    """A figure or a table with its number, its files and its drawings."""

    label: str
    anchor: str
    file: str
    figure: Figure | None = None
    table: Table | None = None
    panels: tuple[tuple[Markup, Markup, float], ...] = ()  # SVG, Vega-Lite, width in pixels

    @property
    def wide(self) -> int:
        assert self.figure and self.figure.kind == "images"
        return self.figure.columns  # type: ignore[return-value]

    @property
    def narrow(self) -> int:
        return min(self.wide, _NARROW_COLUMNS if self.wide <= 6 else 5)


def sections_of(results: Findings) -> list[Section]:
    """Make the sections of a page that have something to show, in its order.

    Raises
    ------
    InputError : as `build`
    """
    return [section for make in SECTIONS if (section := make(results))]


def build(results: Findings) -> Path:
    """Write `OUT/report` from the results of a study; needs no model and no network.

    Returns
    -------
    Path : the page, `OUT/report/index.html`; beside it `figures/*.{svg,png,pdf}` and
        `tables/*.{csv,md,tex}`

    Raises
    ------
    InputError : a file of images or of published curves is damaged
    """
    sections = sections_of(results)
    folder = results.out / "report"
    stems = FileNames()
    written: list[Path] = []
    numbers = {"Figure": 0, "Table": 0}

    def place(block: Block) -> _Item:
        word = "Table" if isinstance(block, Table) else "Figure"
        numbers[word] += block.numbered
        label = f"{word} {numbers[word]}." if block.numbered else ""
        stem = stems.unique(word, block.name)
        anchor = f"{word.lower()}-{stem}"
        if isinstance(block, Table):
            written.extend(_write_table(block, folder / "tables", stem))
            return _Item(label, anchor, stem, table=block)
        charts = isinstance(block, ChartFigure)
        specs = [specification(panel) for panel in (block.panels if charts else [block.chart])]
        svgs = [to_svg(spec) for spec in specs]
        joined = svgs[0] if len(svgs) == 1 else to_svg(join(specs, block.columns))
        written.extend(_write_figure(joined, folder / "figures", stem))
        panels = tuple(map(_panel, svgs, specs)) if charts else ()
        return _Item(label, anchor, stem, figure=block, panels=panels)

    shown = [_shown(section, place) for section in sections]
    _remove_stale(folder, written)
    page = folder / "index.html"
    text = _render(results, shown)
    _write(page, text.encode("utf-8", "replace"))  # folders may have names that are no UTF-8
    return page


def _shown(section: Section, place: Callable[[Block], _Item]) -> dict[str, Any]:
    """Number and write what stands in a section, in the order of reading."""
    parts = [
        {"title": part.title, "folded": part.folded, "paragraphs": part.paragraphs}
        | {"anchor": file_stem(part.anchor) if part.anchor else ""}
        | {"items": [place(block) for block in part.shown]}
        for part in section.parts
    ]
    return {"anchor": file_stem(section.anchor), "title": section.title, "parts": parts}


def _render(results: Findings, sections: list[dict[str, Any]]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_url"] = data_url
    vega, upgrade = _vega_bundle(), (_HERE / "page.js").read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(
        record=results.record,
        summary=summarise(results),
        sections=sections,
        study_text=yaml.safe_dump(results.study, sort_keys=False, allow_unicode=True),
        css=Markup((_HERE / "page.css").read_text(encoding="utf-8")),
        vega=Markup(vega),
        upgrade=Markup(upgrade),
        script_hashes=Markup(" ".join(_hash(script) for script in (vega, upgrade))),
    )


@functools.cache
def _vega_bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script that loads nothing."""
    # Making it takes most of a second, and only another version of the library makes another.
    version = getattr(vlc, "__version__", None)
    script = kept("vega", version, lambda: vlc.javascript_bundle())  # type: ignore[call-arg]
    # Either would end or distort the script element that the bundle is put into.
    assert "</script" not in script.lower() and "<!--" not in script
    return script


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _panel(svg: str, spec: dict[str, Any]) -> tuple[Markup, Markup, float]:
    """Prepare both forms of a panel for the page: SVG, and Vega-Lite for scripts."""
    width = float(re.search(r'width="([\d.]+)"', svg)[1])  # type: ignore[index]
    # Within HTML the namespaces are implied; without them the page names no address at all.
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg, count=2)
    return Markup(svg), _script_json(spec), width


def _script_json(value: object) -> Markup:
    """Write JSON that cannot end its script element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return Markup(text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026"))


def _write_figure(svg: str, folder: Path, stem: str) -> list[Path]:
    forms = {"svg": svg.encode(), "png": to_png(svg), "pdf": to_pdf(svg)}
    return [_write(folder / f"{stem}.{ending}", content) for ending, content in forms.items()]


def _write_table(table: Table, folder: Path, stem: str) -> list[Path]:
    forms = {"csv": to_csv(table), "md": to_markdown(table), "tex": to_latex(table)}
    return [_write(folder / f"{stem}.{end}", text.encode()) for end, text in forms.items()]


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.partial")
    beside.write_bytes(content)
    beside.replace(path)
    return path


def _remove_stale(folder: Path, written: list[Path]) -> None:
    """Remove figures and tables of an earlier report that this one does not have."""
    for kind, endings in (("figures", "svg png pdf"), ("tables", "csv md tex")):
        for ending in endings.split():
            for path in (folder / kind).glob(f"*.{ending}"):
                if path not in written:
                    path.unlink()


class FileNames:
    """Name every figure and table by a file of its own, also when names look alike."""

    def __init__(self):
        self._taken: set[str] = set()

    def unique(self, kind: str, name: str) -> str:
        """Return the file's name, without ending, of a block of a kind: "Figure" or "Table"."""
        base = stem = file_stem(name)
        number = 2
        while f"{kind}/{stem.lower()}" in self._taken:
            stem = f"{base}-{number}"
            number += 1
        self._taken.add(f"{kind}/{stem.lower()}")
        return stem

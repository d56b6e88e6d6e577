"""A section of the page: its sentences, tables and figures, for one cell or for several."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from priorscope.report.wording import cell_title

if TYPE_CHECKING:  # tables of a plan are printed without the libraries of figures
    from priorscope.analysis import Findings
    from priorscope.report.figure import Figure
    from priorscope.report.table import Table

Block: TypeAlias = "Figure | Table"
Blocks: TypeAlias = "Sequence[Block | None]"  # None where there is nothing of one
Paragraph = tuple[str, str]  # what it is about, and the text


@dataclass(frozen=True)
class Part:
    """Paragraphs and blocks of a section, under a title of their own where they have one.

    Attributes
    ----------
    folded : whether they are folded away under the title
    anchor : by which links lead here
    """

    blocks: Blocks = ()
    paragraphs: Sequence[Paragraph] = ()
    title: str = ""
    folded: bool = False
    anchor: str = ""

    @property
    def shown(self) -> list[Block]:
        """List the blocks that there are."""
        return [block for block in self.blocks if block is not None]


@dataclass(frozen=True)
class Section:
    """One heading of the page with what stands under it."""

    anchor: str
    title: str
    parts: Sequence[Part]


def section_of(anchor: str, title: str, *parts: Part | None) -> Section | None:
    """Make a section of the parts that have something in them; without any there is none."""
    there = [part for part in parts if part and (part.shown or part.paragraphs)]
    return Section(anchor, title, there) if there else None


def in_cells(
    results: "Findings",
    make: "Callable[[Findings], Blocks]",
    *,
    title: str = "",
    folded: bool = False,
) -> list[Part]:
    """Make the blocks of every cell: as they are where there is one, else folded away by cell.

    With several cells, each block is named after its cell, in its files and in its caption.

    Parameters
    ----------
    make : blocks of the results of one cell; None is left out
    title, folded : of the part
    """
    if not results.factors:
        return [Part(make(results), title=title, folded=folded)]
    parts = []
    for cell in results.cells:
        blocks = [named_after(cell, block) for block in Part(make(results.at(cell))).shown]
        at = f"{title}, at {cell_title(cell)}" if title else f"At {cell_title(cell)}"
        parts.append(Part(blocks, title=at, folded=True))
    return parts


def named_after(cell: str, block: Block) -> Block:
    """Name a block after its cell, in its files and at the head of its caption."""
    title = cell_title(cell)
    caption = f"{title[0].upper()}{title[1:]}. {block.caption}"
    return replace(block, name=f"{block.name}-{cell}", caption=caption, numbered=False)

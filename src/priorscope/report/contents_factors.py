"""What stands on the page of a study with factors: every number belongs to one cell, or says how
cells were compared.
"""

from dataclasses import replace

from priorscope.report.artefacts import Artefacts
from priorscope.report.cells import at_cell, cells
from priorscope.report.contents import (
    Section,
    attention_section,
    comparisons_section,
    fairness_section,
    main_columns,
    matched_section,
    present,
    probe_section,
    verdicts_section,
)
from priorscope.report.error_consistency import error_consistency
from priorscope.report.factors import cell_title, dials
from priorscope.report.figures import Figure
from priorscope.report.figures_factors import dial_plots, interaction_plots, learning_curves
from priorscope.report.figures_images import class_images
from priorscope.report.figures_training import training_curves
from priorscope.report.tables import Table
from priorscope.report.tables_control_models import control_model_table
from priorscope.report.tables_factors import (
    cell_data_table,
    cell_table,
    crossing_table,
    interaction_table,
    multiplier_table,
    variance_table,
)
from priorscope.report.tables_results import overview_table
from priorscope.report.tables_study import environment_table, model_table, recipe_table, run_table

Block = Figure | Table


def contents_of_factors(artefacts: Artefacts) -> list[Section]:
    """Lay out the page: verdicts, what the factors do, then each cell folded away."""
    names = cells(artefacts)
    of_cell = {cell: at_cell(artefacts, cell) for cell in names}
    columns = main_columns(of_cell[names[0]])
    others = tuple(cell_table(artefacts, column) for column in columns[1:])
    sections = [
        verdicts_section(artefacts),
        Section(
            "glance",
            "Results at a glance",
            (),
            present(cell_table(artefacts, columns[0]), control_model_table(artefacts)),
            "The probes" if others else "",
            others,
        ),
        Section(
            "factors",
            "What the factors do",
            (),
            present(
                interaction_plots(artefacts, columns[0]),
                interaction_table(artefacts),
                crossing_table(artefacts),
                learning_curves(artefacts, columns[0]),
                multiplier_table(artefacts),
                *(dial_plots(artefacts, d, columns[0]) for d in dials(artefacts.study["models"])),
                variance_table(artefacts),
            ),
        ),
        _fairness(artefacts),
        Section("images", "What the models saw", (), _pictures(artefacts, of_cell)),
        Section("recipe", "Training", (), (recipe_table(artefacts),)),
    ]
    sections += [_cell_section(cell, of_cell[cell]) for cell in names]
    sections.append(
        Section(
            "runs",
            "Data, runs and versions",
            (),
            (
                cell_data_table(artefacts),
                model_table(artefacts),
                run_table(artefacts),
                environment_table(artefacts),
            ),
        )
    )
    return [section for section in sections if section.blocks or section.paragraphs]


def _fairness(artefacts: Artefacts) -> Section:
    section = fairness_section(artefacts)
    within = (
        "Factors",
        "Runs are compared with those at the same level of every factor. What a factor sets is "
        "the same for all models there, and differs between cells on purpose.",
    )
    return replace(section, paragraphs=(*section.paragraphs, within))


def _pictures(artefacts: Artefacts, of_cell: dict[str, Artefacts]) -> tuple[Block, ...]:
    """Show one image a class for each cell whose images look different."""
    looks = {entry["samples"]: entry["cell"] for entry in artefacts.record.get("cells", [])[::-1]}
    shown = [cell for cell in of_cell if cell in looks.values()]
    return present(*(_named(class_images(of_cell[cell]), cell) for cell in shown))


def _cell_section(cell: str, artefacts: Artefacts) -> Section:
    columns = main_columns(artefacts)
    folded: list[Block | None] = [
        training_curves(artefacts),
        *(b for probe in artefacts.probes for b in _probe_blocks(artefacts, probe)),
    ]
    comparisons = comparisons_section(artefacts, columns)
    # As tables only: a picture of every pair in every cell is more than anyone looks at.
    folded += [
        each for each in (*comparisons.blocks, *comparisons.folded) if isinstance(each, Table)
    ]
    if artefacts.probes and len(artefacts.models) > 1:
        folded += matched_section(artefacts).blocks
    folded += error_consistency(artefacts)[1]
    folded += attention_section(artefacts).blocks
    return Section(
        f"cell-{cell}",
        f"At {cell_title(cell)}",
        (),
        present(_named(overview_table(artefacts, columns), cell)),
        "Training, probes, differences, consistency of errors and attention",
        present(*(_named(block, cell) for block in folded)),
    )


def _probe_blocks(artefacts: Artefacts, probe: str) -> tuple[Block, ...]:
    return probe_section(artefacts, probe, with_samples=True).blocks


def _named(block: Block | None, cell: str) -> Block | None:
    """Name a block after its cell, in its files and at the head of its caption."""
    if block is None:
        return None
    title = cell_title(cell)
    caption = f"{title[0].upper()}{title[1:]}. {block.caption}"
    return replace(block, name=f"{block.name}-{cell}", caption=caption, numbered=False)

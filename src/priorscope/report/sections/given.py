"""Networks that were trained elsewhere: from which files, how they see images, what is assumed."""

from typing import TYPE_CHECKING

from priorscope.report.section import Paragraph, Part, Section, section_of
from priorscope.report.table import Table, table_of
from priorscope.report.wording import APOSTROPHE, Row, capital, listed
from priorscope.study.given import given_models, initial_models, single_networks

if TYPE_CHECKING:
    from priorscope.analysis import Findings


def given(results: "Findings") -> Section | None:
    """List the files of weights that a study names; nothing where it names none."""
    return section_of("given", "Trained elsewhere", _shown(results))


def given_sentences(results: "Findings") -> list[str]:
    """Say which models are evaluated as given, and which only began elsewhere."""
    study, sentences = results.study, []
    named = [name for name in results.models if name in given_models(study)]
    if named:
        one = len(named) == 1
        sentences.append(
            f"{listed(named)} {'is' if one else 'are'} evaluated as given: "
            f"{'its' if one else 'their'} training (data, recipe, budget, seeds) is not known to "
            "priorscope, and a difference from another model is not that of the architectures "
            "alone."
        )
    for name in single_networks(study):
        sentences.append(
            f"{name} is one network, given for all {len(study['seeds'])} seeds: it counts once, "
            "and its intervals speak of this network alone."
        )
    begun = [name for name in results.models if name in initial_models(study)]
    if begun:
        one = len(begun) == 1
        sentences.append(
            f"Training of {listed(begun)} began at weights that were trained elsewhere, by what is "
            f"not known: a difference from a model that was trained from scratch is also that of "
            f"{'this' if one else 'these'} earlier training{'' if one else 's'}."
        )
    return sentences


def _shown(results: "Findings") -> Part | None:
    runs = [run for run in results.runs if "weights" in run]
    if not runs:
        return None
    paragraphs: list[Paragraph] = [("", " ".join(given_sentences(results)))]
    for model in dict.fromkeys(run["model"] for run in runs):
        notes = [n for run in runs if run["model"] == model for n in run["weights"]["notes"]]
        if notes:
            paragraphs.append((model, f"{capital('; '.join(dict.fromkeys(notes)))}."))
    return Part([_table(runs)], paragraphs)


def _table(runs: list[Row]) -> Table:
    columns = {
        "Model": lambda row: row["model"],
        "Seed": lambda row: str(row["seed"]),
        "File": lambda row: row["file"],
        "SHA-256": lambda row: row["sha256"][:16],
        "Used": lambda row: "as given" if row["given"] else "where training began",
        "Image size, px": lambda row: str(row["image_px"]),
    }
    caption = (
        f"Files of weights that were trained elsewhere, with the first 16 digits of each file"
        f"{APOSTROPHE}s SHA-256 (all in the CSV file). Another file makes another run."
    )
    keys = ("file", "sha256", "given")
    records = [
        {key: run[key] for key in ("run_id", "model", "seed")}
        | {key: run["weights"][key] for key in keys}
        | {"image_px": run["image_px"]}
        for run in runs
    ]
    return table_of("weights", caption, records, columns, numeric={1, 5}, numbered=False)

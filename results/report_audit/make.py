"""Put the outputs that the 2021 report published through priorscope's statistics.

    python results/report_audit/make.py --data-root DIR

DIR holds `paper/`. Writes README.md, tables/*.csv and figures/*.svg beside this file. The same
outputs give the same files, but for the last section of README.md, which says where it was made.
"""

import argparse
import sys
from pathlib import Path

import background
import claims
import combined
import curves
import figures
import hypotheses
import polars as pl
from exact import Row
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from priorscope.data import data_root
from priorscope.errors import InputError
from priorscope.metrics import decimal
from priorscope.report.wording import listed, p_value
from priorscope.runs.environment import describe

HERE = Path(__file__).parent


def main() -> int:
    """Read the arguments, compute everything, then write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-root", type=Path, help="the folder that holds paper/")
    parser.add_argument("--out", type=Path, default=HERE, help="where to write")
    arguments = parser.parse_args()
    try:
        tables = compute(data_root(arguments.data_root) / "paper")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    files = {f"tables/{name}.csv": to_csv(rows) for name, rows in tables.items()}
    files |= draw(tables)
    files["README.md"] = page(tables)
    for name, text in files.items():
        write(arguments.out / name, text)
    return 0


def compute(paper: Path) -> dict[str, list[Row]]:
    """Compute every table from the folder of raw outputs.

    Raises
    ------
    InputError : a file is missing or damaged
    """
    found = background.read_background(paper)
    means, histogram = combined.means(paper)
    epochs = curves.read_curves(paper)
    accuracies = curves.accuracies(epochs)
    tables = {
        "test_accuracy": accuracies,
        "test_pairs": curves.pairs(accuracies),
        "curves": epochs,
        "combined": means,
        "combined_histogram": histogram,
        "combined_pairs": combined.pairs(means),
        "background": background.against_chance(found),
        "background_pairs": background.pairs(found),
        "background_equivalence": background.equivalence(found),
        "background_answers": background.answered_classes(found),
        "background_by_class": background.by_class(found),
        "background_by_background": background.by_background(found),
        "verdicts": hypotheses.verdicts(paper, found, epochs),
    }
    return {"claims": claims.judge(tables), **tables}


def draw(tables: dict[str, list[Row]]) -> dict[str, str]:
    """Draw the figures, SVG by file name."""
    accuracy, pairs = tables["background"], tables["background_pairs"]
    return {
        "figures/background.svg": figures.intervals(accuracy, pairs, background.MARGINS),
        "figures/combined.svg": figures.histogram(tables["combined_histogram"], tables["combined"]),
        "figures/training.svg": figures.training(tables["curves"], curves.EPOCH),
    }


def page(tables: dict[str, list[Row]]) -> str:
    """Write the page from the numbers."""
    environment = Environment(
        loader=FileSystemLoader(HERE), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {
        "pct": lambda value, decimals=1: decimal(100 * value, decimals),
        "points": lambda value, decimals=1: decimal(100 * value, decimals, signed=True),
        "num": decimal,
        "signed": lambda value, decimals=2: decimal(value, decimals, signed=True),
        "p": p_value,
        "p_equals": claims.p_equals,
        "listed": listed,
    }
    template = environment.get_template("README.md.j2")
    return template.render(tables, made_with=describe(), files=background.FILES)


def to_csv(rows: list[Row]) -> str:
    """Write rows with six significant digits, beyond which libraries may differ."""
    cut = [
        {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in row.items()}
        for row in rows
    ]
    return pl.DataFrame(cut, infer_schema_length=None).write_csv()


def write(path: Path, text: str) -> None:
    """Write beside the place and rename into it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.partial")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


if __name__ == "__main__":
    sys.exit(main())

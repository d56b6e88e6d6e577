"""`priorscope score`: statistics on predictions that any other tool made."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from priorscope.errors import InputError


def score(
    labels: Annotated[
        Path,
        typer.Option(
            help="Class ids or names, or multi-hot rows, one row an example.", metavar="FILE"
        ),
    ],
    predictions: Annotated[
        list[str],
        typer.Option(
            help="Probability or logit rows, or predicted class ids or names; any number of "
            "NAME=FILE.",
            metavar="NAME=FILE ...",
        ),
    ],
    metric: Annotated[
        str,
        typer.Option(help="A name of `priorscope list metrics`, or ./file.py:callable."),
    ],
    more: Annotated[
        list[str] | None, typer.Argument(help="More predictions.", metavar="[NAME=FILE ...]")
    ] = None,
    k: Annotated[
        int | None,
        typer.Option(help="For top_k_matching.  [default: each row's number of present classes]"),
    ] = None,
    probabilities: Annotated[
        bool | None,
        typer.Option(
            help="Every row of predictions is probabilities (in [0, 1], summing to one within "
            "1e-3), or none need be.  [default: refuse a file of which only some rows are]"
        ),
    ] = None,
    header: Annotated[
        bool | None,
        typer.Option(
            help="Whether a first line of numbers names the columns.  [default: as the files show, "
            "or refuse]"
        ),
    ] = None,
    skip_columns: Annotated[
        str | None,
        typer.Option(
            help="Columns that hold no class: names, first, last, or none (no other).  [default: "
            "as the files show, or refuse]",
            metavar="LIST",
        ),
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(help="Decimals have a point or a comma.", metavar="point|comma")
    ] = None,
    match_rows: Annotated[
        str | None,
        typer.Option(
            help="Rows of several files belong together by their ids (a column id, or an index) or "
            "by their order.",
            metavar="ids|order",
        ),
    ] = None,
    num_classes: Annotated[
        int | None, typer.Option(help="How many classes there are, where all files are ids.")
    ] = None,
    first_class: Annotated[int | None, typer.Option(help="The lowest class id, 0 or 1.")] = None,
    class_names: Annotated[
        str | None,
        typer.Option(
            help="The classes in the order of their ids or columns: a file with one a line, or a "
            "list.",
            metavar="FILE|LIST",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Score predictions that any tool made: estimates, intervals and comparisons in pairs.

    Files are CSV (commas, semicolons, tabs or blanks, with or without a header), NPY or Parquet,
    all with the same examples in the same order, or with a column id. An index and columns called
    id, label or target are told from classes; what is open is refused, with the option that says.
    """
    from priorscope.api.score import score as score_predictions

    result = score_predictions(
        labels,
        _named_files([*predictions, *(more or [])]),
        metric=metric,
        k=k,
        probabilities=probabilities,
        header=header,
        skip_columns=skip_columns or (),
        decimal=decimal,
        match_rows=match_rows,
        num_classes=num_classes,
        first_class=first_class,
        class_names=class_names,
    ).record
    if as_json:
        typer.echo(json.dumps(result, indent=1, ensure_ascii=False))
    else:
        _print(result)


def _print(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    histogram = any("histogram" in model for model in result["models"].values())
    examples = f"{result['num_examples']:,} examples, {result['num_classes']} classes"
    console.print(Text(f"{result['metric']} on {examples}"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("model")
    balanced = result["unequal_classes"] and result["metric"] == "top1"
    more = ["balanced"] * balanced + ["examples with score 0, 1, ..."] * histogram
    for column in ("mean", "95 % interval", *more):
        table.add_column(column, justify="right")
    for name, model in result["models"].items():
        counts = ", ".join(map(str, model.get("histogram", ())))
        interval = f"[{model['low']:.4f}, {model['high']:.4f}]"
        cells = [name, f"{model['estimate']:.4f}", interval]
        cells += [f"{model['balanced_accuracy']:.4f}"] if balanced else []
        cells += [counts] * histogram
        table.add_row(*map(Text, cells))
    if chance := result["chance"]:
        counts = [f"{share * result['num_examples']:.1f}" for share in chance.get("pmf", ())]
        cells = ["chance", f"{chance['expected']:.4f}", "", *([""] * balanced)]
        cells += [", ".join(counts)] * histogram
        table.add_row(*map(Text, cells), style="dim")
    console.print(table)
    for note in result["notes"]:
        console.print(Text(f"note: {note}"), style="dim")
    methods = dict.fromkeys(model["method"] for model in result["models"].values())
    console.print(Text(f"intervals: {', '.join(methods)}"), style="dim")
    console.print(Text(f"chance: {result['chance']['answer']}"), style="dim")
    for name, model in result["models"].items():
        if tied := model.get("num_tied"):
            text = f"{name}: several classes share the first place in {tied:,} rows; each counts "
            console.print(Text(f"{text}by its share"), style="bold yellow")
    if not result["pairs"]:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("pair")
    for column in ("difference", "95 % interval", "p", "p (Holm)"):
        table.add_column(column, justify="right")
    for pair in result["pairs"]:
        table.add_row(
            Text(f"{pair['a']} - {pair['b']}"),
            f"{pair['difference']:+.4f}",
            Text(f"[{pair['low']:+.4f}, {pair['high']:+.4f}]"),
            *(
                f"{p:.4f}" if p >= 1e-4 else "< 0.0001"
                for p in (pair["p_value"], pair["p_adjusted"])
            ),
        )
    console.print()
    console.print(table)
    tests = dict.fromkeys(pair["test"] for pair in result["pairs"])
    console.print(Text(f"p: {', '.join(tests)}; Holm over all pairs"), style="dim")


def _named_files(arguments: Sequence[str]) -> dict[str, Path]:
    """Read NAME=FILE arguments."""
    files: dict[str, Path] = {}
    for argument in arguments:
        name, equals, file = argument.partition("=")
        if not (name and equals and file):
            raise InputError(
                "predictions need a name",
                where="--predictions",
                found=argument,
                allowed="NAME=FILE",
            )
        if name in files:
            raise InputError("a name is given twice", where="--predictions", found=name)
        if name == "chance":
            raise InputError("chance is no model's name", where="--predictions", found=argument)
        files[name] = Path(file)
    if not files:
        raise InputError("no predictions", where="--predictions", allowed="NAME=FILE")
    return files

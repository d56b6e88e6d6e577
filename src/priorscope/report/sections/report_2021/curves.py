"""The learning curves that the 2021 report published, kept beside a study's results.

Their files are somebody else's and come with no licence to copy, so a user points to them:
`<data root>/paper/curve_<arm>_{train_loss,test_acc}.csv`, one value an epoch. What was read is
kept in `OUT/published/curves.parquet`, and the page is built from there.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from priorscope.errors import InputError
from priorscope.report.wording import Row
from priorscope.study.spec import REPORT_ARMS
from priorscope.tables import Reading, read_table

FOLDER = "paper"  # in the data root
_FILES = {"train_loss": "train_loss", "test_accuracy": "test_acc"}
_HIGHEST = {"train_loss": np.inf, "test_accuracy": 1.0}
_SCHEMA = {"arm": pl.String, "epoch": pl.Int64} | dict.fromkeys(_FILES, pl.Float64)


def curve_files(arm: str) -> dict[str, str]:
    """Name an arm's files, by column."""
    return {column: f"curve_{arm}_{file}.csv" for column, file in _FILES.items()}


def read_curves(root: Path) -> list[Row]:
    """Read the curves of every arm that has a file in the data root.

    Returns
    -------
    rows of `arm, epoch, train_loss, test_accuracy`; none where there are no files

    Raises
    ------
    InputError : as `read_arm`
    """
    folder, rows = root / FOLDER, []
    for arm in REPORT_ARMS:
        if any((folder / file).is_file() for file in curve_files(arm).values()):
            rows += [{"arm": arm} | row for row in read_arm(folder, arm)]
    return rows


def read_arm(folder: Path, arm: str) -> list[Row]:
    """Read the two curves of one arm, rows of `epoch, train_loss, test_accuracy`.

    Raises
    ------
    InputError : a file is missing, empty or no single column of finite numbers, a loss is negative,
        an accuracy is not in 0 .. 1, or the two files have different lengths
    """
    files = curve_files(arm)
    curves = {column: _read_curve(folder / file, column) for column, file in files.items()}
    lengths = {files[column]: len(curve) for column, curve in curves.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(
            "the two curves of an arm have different lengths",
            where=folder,
            found=", ".join(f"{file} {n} epochs" for file, n in lengths.items()),
        )
    return [
        {"epoch": epoch, "train_loss": loss, "test_accuracy": accuracy}
        for epoch, (loss, accuracy) in enumerate(zip(*curves.values(), strict=True), start=1)
    ]


def _read_curve(path: Path, column: str) -> list[float]:
    table = read_table(path, reading=Reading(header=False))
    if table.values.shape[1] != 1:
        found = f"{table.values.shape[1]} columns of numbers"
        raise InputError("a learning curve has one number a line", where=path, found=found)
    curve = table.values[:, 0]
    outside = (curve < 0) | (curve > _HIGHEST[column])
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(
            f"no {column.replace('_', ' ')}",
            where=table.row(row),
            found=f"{curve[row]:g}",
            allowed="0 or more" if column == "train_loss" else "0 to 1",
        )
    return curve.tolist()


def keep_curves(out: Path, curves: Sequence[Row]) -> None:
    """Write curves to `out/published`; none leaves there what was kept before."""
    if not curves:
        return
    path = _kept(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".partial")
    with beside.open("wb") as file:
        pl.DataFrame(curves, schema=_SCHEMA).write_parquet(file)
    beside.replace(path)


def kept_curves(out: Path) -> list[Row]:
    """Read the curves that were kept; none where none were.

    Raises
    ------
    InputError : the file is damaged
    """
    path = _kept(out)
    if not path.is_file():
        return []
    try:
        table = pl.read_parquet(path.read_bytes())
    except pl.exceptions.PolarsError as error:
        raise InputError("file is not Parquet", where=path, found=error) from None
    if table.schema != _SCHEMA:
        raise InputError(
            "not what priorscope writes", where=path, found=table.columns, allowed=_SCHEMA
        )
    return table.to_dicts()


def _kept(out: Path) -> Path:
    return out / "published" / "curves.parquet"

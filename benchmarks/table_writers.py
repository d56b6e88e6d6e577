"""How other tools put tables down: pandas, NumPy, polars, Arrow, and people by hand."""

import csv
import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

KNOWN = {"id", "label", "target", "image"}  # to every reader: by name, or as names of the rows
Rng = np.random.Generator


class NotWritten(Exception):
    """A tool cannot write this part."""


@dataclass
class Part:
    """One file to be written.

    Attributes
    ----------
    values : numbers [n, k], or one column of ids or names [n]
    names : of the columns, or None for pandas' numbers
    index : what is written before them, or None
    extra : name -> column beside them, of which none is a class
    front : those of them that are written before the values
    named : whether the names matter, so that a tool that writes none will not do
    truth : what a user would say about this file, by option
    """

    values: np.ndarray
    names: list[str] | None
    index: pd.Index | None = None
    extra: dict[str, np.ndarray] = field(default_factory=dict)
    front: tuple[str, ...] = ()
    named: bool = False
    truth: dict[str, Any] = field(default_factory=dict)

    def frame(self) -> pd.DataFrame:
        """Lay all columns side by side; the index is the frame's own."""
        values = self.values.reshape(len(self.values), -1)
        made = pd.DataFrame(values, columns=self.names, index=self.index)
        for name, column in self.extra.items():
            made.insert(0 if name in self.front else made.shape[1], name, column)
        return made


def pick(rng: Rng, *options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def rows_of(rng: Rng, n: int, k: int) -> tuple[str, np.ndarray]:
    """Draw rows of one number a class, and a format in which text holds them exactly."""
    kind = pick(rng, "softmax", "softmax", "logits", "whole", "one-hot", "sharp")
    form = pick(rng, "%r", "%.4f", "%.6e", "%g", "%.18e")
    values = rng.normal(0, 2, (n, k))
    if kind in {"softmax", "sharp"}:
        values = np.exp(values * (20 if kind == "sharp" else 1))
        values /= values.sum(axis=1, keepdims=True)
    elif kind == "whole":
        values, form = np.round(values * pick(rng, 1, 10)), pick(rng, "%r", "%d", "%g")
    elif kind == "one-hot":
        values, form = np.eye(k)[rng.integers(k, size=n)], pick(rng, "%r", "%d", "%.18e")
    if form not in {"%r", "%d"}:
        values = np.array([[float(form % x) for x in row] for row in values])
    return form, values


def index_of(rng: Rng, n: int) -> pd.Index | None:
    kind = pick(
        rng, "none", "none", "default", "filtered", "shuffled", "words", "from 1", "repeated"
    )
    if kind == "none":
        return None
    if kind == "words":
        return pd.Index([f"{rng.integers(1000):03}_{i}.png" for i in range(n)])
    numbers = {
        "default": np.arange(n),
        "filtered": np.sort(rng.choice(10 * n, n, replace=False)),
        "shuffled": rng.permutation(n),
        "from 1": np.arange(1, n + 1),
        "repeated": np.arange(n) % (n // 2 + 1),
    }
    return pd.Index(numbers[kind])


# Writers: each puts a part into a file of its suffix, and notes what a user would say about it.


def by_pandas(part: Part, path: Path, rng: Rng, form: str) -> None:
    frame = part.frame()
    header, index = part.named or bool(rng.random() < 0.7), part.index is not None
    separator = pick(rng, ",", ",", ";", "\t", " ")
    decimal = pick(rng, ".", ",") if separator != "," else "."
    quoting = pick(rng, csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)
    if form == "%d" and part.values.dtype.kind != "U":
        kept = [name for name in frame.columns if name not in part.extra]
        frame = frame.astype(dict.fromkeys(kept, int))
    reset = index and header and rng.random() < 0.2
    if reset:
        frame, index = frame.reset_index(), False
    if index and header and rng.random() < 0.2:
        frame.index.name = "image"
    text = frame.to_csv(
        sep=separator,
        decimal=decimal,
        header=header,
        index=index,
        quoting=quoting,
        float_format=None if form in {"%r", "%d"} else form,
    )
    part.truth |= {"header": header, "decimal": "comma" if decimal == "," else "point"}
    part.truth["skip"] = ["first"] * reset + skipped(part, header, index, frame)
    write(text, path, rng)


def skipped(part: Part, header: bool, index: bool, frame: pd.DataFrame) -> list[str]:
    """List what a user would leave out, by name where there are names that mean nothing."""
    found: list[str] = []
    if index and frame.index.dtype.kind in "if":
        found.append(str(frame.index.name) if header and frame.index.name else "first")
    for name in part.extra:
        place = "last" if name not in part.front else "2" if index else "first"
        if not header or name not in KNOWN:
            found.append(name if header else place)
    return found


def by_numpy(part: Part, path: Path, rng: Rng, form: str) -> None:
    columns = numeric_columns(part)
    text, separator = io.StringIO(), pick(rng, " ", ",", ";", "\t", ", ")
    comments, header = pick(rng, "# ", ""), ""
    if len(columns) == len(part.names or ()) and rng.random() < 0.5:
        header = separator.join(part.names or ())
    form = pick(rng, "%.18e", "%r") if form in {"%r", "%d"} else "%.18e"
    form = {"%r": "%.17g"}.get(form, form)
    np.savetxt(
        text, np.stack(columns, 1), fmt=form, delimiter=separator, header=header, comments=comments
    )
    part.truth |= {"header": bool(header and not comments), "decimal": "point"}
    part.truth["skip"] = skipped(part, False, part.index is not None, part.frame())
    write(text.getvalue(), path, rng)


def numeric_columns(part: Part) -> list[np.ndarray]:
    words = part.index is not None and part.index.dtype.kind not in "if"
    if words or part.named or part.values.dtype.kind == "U":
        raise NotWritten
    frame = part.frame()
    columns = [frame.iloc[:, i].to_numpy(dtype=float) for i in range(frame.shape[1])]
    return [part.index.to_numpy(dtype=float), *columns] if part.index is not None else columns


def by_hand(part: Part, path: Path, rng: Rng, form: str) -> None:
    """Write what people and spreadsheets do."""
    frame = part.frame()
    separator = pick(rng, ";", "\t", ",", "  ")
    decimal = pick(rng, ".", ",") if separator != "," else "."
    header = part.named or rng.random() < 0.6
    rows = [[cell(x, form) for x in row] for row in frame.itertuples(index=part.index is not None)]
    if decimal == ",":
        rows = [[x.replace(".", ",") if x[-1:].isdigit() else x for x in row] for row in rows]
    if header:
        names = [str(name) for name in frame.columns]
        rows.insert(0, [""] * (part.index is not None and separator != "  ") + names)
    ends = separator if separator in ";,\t" and rng.random() < 0.15 else ""
    lines = [separator.join(row) + ends for row in rows]
    if rng.random() < 0.2 and frame.shape[1] > 1:
        lines = [x for line in lines for x in ([line, ""] if rng.random() < 0.2 else [line])]
    if rng.random() < 0.15:
        lines.insert(0, "# made by hand")
    if separator == ";" and rng.random() < 0.15:
        lines.insert(0, "sep=;")
    part.truth |= {"header": header, "decimal": "comma" if decimal == "," else "point"}
    part.truth["skip"] = skipped(part, header, part.index is not None, frame)
    write("\n".join(lines) + pick(rng, "", "\n"), path, rng)


def cell(value: Any, form: str) -> str:
    if isinstance(value, float):
        return (
            f"{value:.0f}" if form == "%d" else repr(float(value)) if form == "%r" else form % value
        )
    return str(value)


def write(text: str, path: Path, rng: Rng) -> None:
    encodings = ["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"]
    content = text.replace("\n", pick(rng, "\n", "\n", "\r\n", "\r")).encode(pick(rng, *encodings))
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def by_save(part: Part, path: Path, rng: Rng, _: str) -> None:
    part.truth["skip"] = skipped(part, False, part.index is not None, part.frame())
    if part.values.dtype.kind == "U":
        if part.extra or part.index is not None or part.named:
            raise NotWritten
        np.save(path, part.values)
        return
    array = np.stack(numeric_columns(part), 1)
    if array.shape[1] == 1 and rng.random() < 0.5:
        array = array[:, 0]
    whole = (array == np.round(array)).all()
    np.save(path, array.astype(pick(rng, ">i4", "<i8", "f4") if whole else pick(rng, "<f8", ">f8")))


def by_parquet(part: Part, path: Path, rng: Rng, _: str) -> None:
    frame = part.frame()
    frame.columns = [str(name) for name in frame.columns]
    part.truth["skip"] = [name for name in part.extra if name not in KNOWN]
    if part.index is not None and rng.random() < 0.3:
        frame = frame.reset_index()
        part.truth["skip"].append("first")
    if rng.random() < 0.3 and part.index is None:
        pl.from_pandas(frame).write_parquet(path)
    elif rng.random() < 0.2 and part.values.ndim == 2 and not part.named:
        lists = frame[[name for name in frame.columns if name not in part.extra]]
        if "index" not in lists:
            frame = frame[[*part.extra]].assign(p=lists.to_numpy().tolist())
        frame.to_parquet(path)
    else:
        frame.to_parquet(path)


WRITERS: dict[str, tuple[Callable[[Part, Path, Rng, str], None], tuple[str, ...]]] = {
    "pandas": (by_pandas, ("csv", "tsv", "txt", "csv.gz")),
    "NumPy text": (by_numpy, ("csv", "txt")),
    "by hand": (by_hand, ("csv", "tsv", "txt.gz")),
    "NPY": (by_save, ("npy",)),
    "Parquet": (by_parquet, ("parquet",)),
}

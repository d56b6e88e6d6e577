"""Statistics on predictions that any other tool made, in files or arrays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from priorscope.analysis.external import score_files
from priorscope.api.callables import name_callable
from priorscope.api.tables import as_html
from priorscope.errors import InputError
from priorscope.tables import NamedArray, Reading, read_names

_MODELS = {"model": pl.String, "estimate": pl.Float64, "low": pl.Float64, "high": pl.Float64}
_MODELS |= {"method": pl.String}
_PAIRS = {"a": pl.String, "b": pl.String, "difference": pl.Float64, "low": pl.Float64}
_PAIRS |= {"high": pl.Float64, "p_value": pl.Float64, "p_adjusted": pl.Float64, "test": pl.String}


@dataclass(frozen=True, eq=False)
class Scored:
    """Estimates of models, and their comparisons in pairs.

    Attributes
    ----------
    record : the object that `priorscope score --json` prints
    """

    record: dict[str, Any]

    @property
    def models(self) -> pl.DataFrame:
        """Return one row a model: `estimate, low, high` (95 %) in the metric's units."""
        rows = [{"model": name} | row for name, row in self.record["models"].items()]
        return pl.DataFrame([{key: row[key] for key in _MODELS} for row in rows], schema=_MODELS)

    @property
    def pairs(self) -> pl.DataFrame:
        """Return one row a pair: `difference` (a minus b), its interval, and p; Holm over all."""
        return pl.DataFrame(self.record["pairs"], schema=_PAIRS)

    def __repr__(self) -> str:
        record, chance = self.record, self.record["chance"]["expected"]
        means = ", ".join(f"{name} {row['estimate']:.4f}" for name, row in record["models"].items())
        examples = f"{record['num_examples']:,} examples"
        return f"<Scored by {record['metric']} on {examples}: {means}; chance {chance:.4f}>"

    def _repr_html_(self) -> str:
        tables = {"models": self.models, "pairs": self.pairs}
        return as_html(repr(self), tables, self.record["notes"])


def score(
    labels: Any,
    predictions: Mapping[str, Any],
    *,
    metric: str | Callable[..., np.ndarray],
    k: int | None = None,
    probabilities: bool | None = None,
    header: bool | None = None,
    skip_columns: Sequence[str] = (),
    decimal: str | None = None,
    match_rows: str | None = None,
    num_classes: int | None = None,
    first_class: int | None = None,
    class_names: str | Path | Sequence[str] | None = None,
) -> Scored:
    """Score predictions that any tool made: estimates, intervals and comparisons in pairs.

    Parameters
    ----------
    labels : a file (CSV, NPY, Parquet) or an array: class ids or names [n], or multi-hot rows
        [n, num_classes]
    predictions : name -> file or array: probability or logit rows [n, num_classes], or predicted
        class ids or names [n]; the same examples in the same order, or files with a column id
    metric : a name of `priorscope list metrics`, ./file.py:callable, or a callable
    k : for top_k_matching; by default each row's number of present classes
    probabilities : every row is probabilities, or none need be; by default a file of which only
        some rows are is refused
    header : whether a first line of numbers names the columns
    skip_columns : columns that hold no class: names, first, last, or none
    decimal : point or comma
    match_rows : rows of files belong together by their ids, or by their order
    num_classes : how many classes there are, where all are ids
    first_class : the lowest class id, 0 or 1
    class_names : the classes in the order of their ids or columns: a file with one a line, or names

    Raises
    ------
    InputError : what cannot be read, or does not fit together or to the metric
    """
    if isinstance(skip_columns, str):
        skip_columns = skip_columns.split(",")
    if isinstance(class_names, str | Path):
        class_names = read_names(str(class_names))
    if not isinstance(predictions, Mapping) or not predictions:
        raise InputError(
            "predictions need a name",
            where="--predictions",
            found="none" if isinstance(predictions, Mapping) else type(predictions).__name__,
            allowed="{name: file or array}",
        )
    if not isinstance(metric, str):
        metric, given = name_callable(metric, Path.cwd(), relative=False, where="--metric")
        if given:
            raise InputError("a metric is a callable alone", where="--metric", found=given)
    reading = Reading(
        header=header,
        skip_columns=tuple(skip_columns),
        decimal=decimal,
        match_rows=match_rows,
        num_classes=num_classes,
        first_class=first_class,
        class_names=None if class_names is None else tuple(class_names),
    )
    found = {str(name): _source(each, str(name)) for name, each in predictions.items()}
    record = score_files(
        _source(labels, "labels"),
        found,
        metric=metric,
        k=k,
        probabilities=probabilities,
        reading=reading,
    )
    return Scored(record)


def _source(given: Any, name: str) -> Path | NamedArray:
    """Tell a file from an array.

    Raises
    ------
    InputError : no array; a data frame, whose columns may be other things than classes
    """
    if isinstance(given, str | Path):
        return Path(given)
    if hasattr(given, "columns"):
        raise InputError(
            "a data frame, whose columns need not be classes",
            where=name,
            found=f"{type(given).__module__}.{type(given).__qualname__}",
            allowed="a file or an array",
            hint="give the columns of the classes alone: frame[columns].to_numpy()",
        )
    if hasattr(given, "detach"):  # a tensor, on whatever device
        given = given.detach().cpu()
    try:
        array = np.asarray(given)
        values = np.array(array.tolist()) if array.dtype == object else array
    except (ValueError, TypeError) as error:
        allowed = "a file or an array, one row an example"
        raise InputError("no array", where=name, found=error, allowed=allowed) from None
    return NamedArray(name, values)

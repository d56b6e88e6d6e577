"""What a user says about files of numbers that they do not say themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from priorscope.errors import InputError, unknown_name
from priorscope.tables._encoding import read_lines

_MOST_CLASSES = 1_000_000  # each costs memory, whether it occurs or not
_CHOICES = {"decimal": ("point", "comma"), "match_rows": ("ids", "order")}


@dataclass(frozen=True)
class Reading:
    """How to read what is open. None leaves it to the files, refused where they do not say.

    Attributes
    ----------
    header : whether a first line of numbers that could be names of columns is such
    skip_columns : the columns that hold no class, such as an index or a copy of the labels: names;
        `first`, `last` or places from 1 where such a column is in doubt; `none` where no other is.
        With a file's name and a colon before it, a column of that file, in doubt or not
    decimal : "point" or "comma", where a comma may be a decimal one, or either a sign of thousands
    match_rows : whether rows of several files belong together by their ids, or by their order
    num_classes : how many classes there are, where the files hold only ids
    first_class : the lowest class id
    class_names : the classes in the order of their ids
    """

    header: bool | None = None
    skip_columns: tuple[str, ...] = ()
    decimal: str | None = None
    match_rows: str | None = None
    num_classes: int | None = None
    first_class: int | None = None
    class_names: tuple[str, ...] | None = None

    def skipped_in(self, path: Path) -> frozenset[str]:
        """Return what is said of one file's columns."""
        return frozenset(column_in(path, column) for column in self.skip_columns)

    def __post_init__(self):
        for name, choices in _CHOICES.items():
            if (value := getattr(self, name)) not in {None, *choices}:
                option = f"--{name.replace('_', '-')}"
                raise unknown_name("choice", str(value), choices, where=option)
        if self.num_classes is not None and not 0 < self.num_classes <= _MOST_CLASSES:
            raise InputError(
                "no number of classes",
                where="--num-classes",
                found=self.num_classes,
                allowed=f"1 .. {_MOST_CLASSES:,}",
            )
        if self.first_class is not None and self.first_class < 0:
            raise InputError("a negative class id", where="--first-class", found=self.first_class)
        if names := self.class_names:
            _check_names(names)
            if self.num_classes not in {None, len(names)}:
                raise InputError(
                    "the number of classes is said twice",
                    where="--num-classes, --class-names",
                    found=f"{self.num_classes}, and {len(names)} names",
                )


def column_in(path: Path, column: str) -> str:
    """Return the column that `--skip-columns` names, without the file's name before it."""
    file, colon, name = column.rpartition(":")
    return name if colon and file in {str(path), path.name} else column


def read_names(text: str) -> tuple[str, ...]:
    """Read names of classes: a file with one a line, or a list with commas."""
    path = Path(text)
    names = read_lines(path) if path.is_file() else text.split(",")
    while len(names) > 1 and not names[-1].strip():  # the end of a file
        names.pop()
    return tuple(name.strip() for name in names)


def _check_names(names: Sequence[str]) -> None:
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice or not all(names):
        what = f"{twice[0]!r} twice" if twice else "an empty name"
        raise InputError("not one name a class", where="--class-names", found=what)

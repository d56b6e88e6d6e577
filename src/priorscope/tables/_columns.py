"""A sheet of cells -> a table: what each column holds."""

import numpy as np
import polars as pl

from priorscope.errors import InputError
from priorscope.tables import _cells
from priorscope.tables._doubts import odd_columns, option_of, two_readings, words_beside
from priorscope.tables._first_line import STRUCTURE, is_index_name
from priorscope.tables._no_class import leads_as_index
from priorscope.tables._sheet import Sheet
from priorscope.tables.reading import Reading, column_in
from priorscope.tables.table import Table


def table_of(sheet: Sheet, reading: Reading, allowed: str) -> Table:
    """Tell the columns with names of their own from those of numbers, and read both."""
    roles = _roles(sheet, reading)
    columns: dict[str, np.ndarray] = {}
    for place, name in roles.items():
        if name in columns:
            if name == "index":  # pandas' outermost is enough
                continue
            raise _two_of(name, sheet, roles)
        if name == "label":
            columns[name] = _cells.labels(sheet, place, reading.decimal)
        elif name:
            columns[name] = _cells.keys(sheet, place)
    columns |= _perhaps_index(sheet, {place for place, name in roles.items() if name is None})
    rest = [place for place in range(sheet.frame.width) if place not in roles]
    try:
        return _with_the_rest(sheet, reading, columns, rest, allowed)
    except InputError as doubt:
        if "label" not in columns:
            raise
        empty = np.empty((len(sheet), 0))
        return Table(sheet.path, columns, empty, lines=sheet.lines, doubt=doubt)


def _roles(sheet: Sheet, reading: Reading) -> dict[int, str | None]:
    """Name the columns that have a meaning by their name, by place; None for those left out."""
    roles: dict[int, str | None] = {}
    leading = True  # pandas leaves the names of an index empty, and no others
    said = {column_in(sheet.path, each) for each in reading.skip_columns}
    here = said - {*reading.skip_columns}  # of this file, and so whether it is in doubt or not
    for place, name in enumerate(sheet.names or ("?",) * sheet.frame.width):
        leading = leading and not name
        reset = not place and name.lower() == "index" and _cells.name_rows(sheet, 0)
        places = {option_of(place, sheet), str(place + 1)} - {*(sheet.names or ())}
        if (sheet.names and name in said) or here & places:
            roles[place] = None
        elif name.lower() in STRUCTURE:
            roles[place] = "label" if name.lower() == "target" else name.lower()
        elif place in sheet.index or leading or reset or is_index_name(name):
            roles[place] = "index"
    return roles


def _two_of(name: str, sheet: Sheet, roles: dict[int, str | None]) -> InputError:
    places = [place for place, role in roles.items() if role == name]
    return InputError(
        f"two columns of one meaning: {name}",
        where=sheet.path,
        found=", ".join(map(sheet.column, places)),
        hint=f"say --skip-columns {sheet.path}:{option_of(places[-1], sheet)} to leave it out",
    )


def _with_the_rest(
    sheet: Sheet, reading: Reading, columns: dict[str, np.ndarray], rest: list[int], allowed: str
) -> Table:
    """Read the columns that have no meaning by their name: an index, numbers, words."""
    skipped = reading.skipped_in(sheet.path)
    read = _cells.read_columns(sheet, rest, reading.decimal, allowed)
    words = {place for place in rest if read[place].dtype == pl.String}
    columns, rest = _without_row_names(sheet, columns, rest, words)
    if words & {*rest} and len(rest) > 1:
        left = [place for place in rest if option_of(place, sheet) not in skipped]
        columns = columns | _perhaps_index(sheet, {*rest} - {*left})
        columns, rest = _without_row_names(sheet, columns, left, words)
    numeric = [place for place in rest if place not in words]
    spoken = [place for place in rest if place in words]
    if numeric and "label" in columns:
        columns = columns | _perhaps_index(sheet, {numeric[0]})
    values = _cells.finite(sheet, numeric, read, allowed)
    notes = []
    if leads_as_index(values, sheet.names_of(numeric)):
        columns = {"index": values[:, 0].astype(int).astype(str)} | columns
        notes.append(f"{sheet.path}: its first column counts the rows, and is their index")
        numeric, values = numeric[1:], values[:, 1:]
    doubt = words_beside(sheet, spoken, numeric)
    if doubt is None and not skipped and reading.decimal is None:
        doubt = two_readings(sheet, numeric)
    while doubt is None:
        odd, question = odd_columns(sheet, numeric, values, reading.decimal)
        left_out = [i for i in odd if option_of(numeric[i], sheet) in skipped]
        if not left_out:
            doubt = None if "none" in skipped else question
            break
        columns = columns | _perhaps_index(sheet, {numeric[i] for i in left_out})
        numeric = [place for i, place in enumerate(numeric) if i not in left_out]
        values = np.delete(values, left_out, axis=1)
    return Table(
        sheet.path,
        columns,
        values,
        sheet.names_of([*numeric, *spoken]),
        words=read[spoken[0]].to_numpy().astype(str) if spoken else None,
        lines=sheet.lines,
        notes=tuple(notes),
        skipped=frozenset(
            name
            for place in {*range(sheet.frame.width)} - {*numeric, *spoken}
            for name in (option_of(place, sheet), str(place + 1), *(sheet.names_of([place]) or ()))
        ),
        doubt=doubt,
    )


def _without_row_names(
    sheet: Sheet, columns: dict[str, np.ndarray], rest: list[int], words: set[int]
) -> tuple[dict[str, np.ndarray], list[int]]:
    """Take leading words, no two alike, for the index; if they stand alone, they may be answers."""
    if not rest or rest[0] not in words or not _cells.name_rows(sheet, rest[0]):
        return columns, rest
    index = {"index": _cells.keys(sheet, rest[0])}
    if len(rest) == 1:
        return (index | columns if "label" in columns else columns), rest
    return index | columns, rest[1:]


def _perhaps_index(sheet: Sheet, places: set[int]) -> dict[str, np.ndarray]:
    """Keep the first column, where it holds no class: it may still name the rows."""
    named = 0 in places and _cells.name_rows(sheet, 0)
    return {"perhaps index": _cells.keys(sheet, 0)} if named else {}

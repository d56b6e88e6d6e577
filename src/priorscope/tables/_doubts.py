"""What is asked about columns of which it is open whether they hold a class."""

from collections.abc import Sequence

import numpy as np

from priorscope.errors import InputError
from priorscope.tables._decimals import are_whole, commas_may_be_decimal
from priorscope.tables._first_line import STRUCTURE
from priorscope.tables._no_class import unlike_classes
from priorscope.tables._sheet import Sheet

_ALLOWED = (
    f"one column a class (or multi-hot rows of labels), beside {', '.join(sorted(STRUCTURE))}"
)


def option_of(place: int, sheet: Sheet) -> str:
    """Name a column as `--skip-columns` does."""
    if place in {0, sheet.frame.width - 1}:
        return "last" if place else "first"
    return sheet.names[place] if sheet.names else str(place + 1)


def odd_columns(
    sheet: Sheet, places: Sequence[int], values: np.ndarray, decimal: str | None
) -> tuple[Sequence[int], InputError | None]:
    """Find columns of numbers that may hold no class, and ask about them.

    Parameters
    ----------
    places : where the columns stand in the sheet
    values : float [n, columns]

    Returns
    -------
    the indices of such columns among these, and the question; none and None where all hold a class
    """
    commas = sheet.separator == "," and sheet.names is None and decimal is None
    commas = commas and len(places) == 2 and are_whole(sheet.frame[:, [*places]])
    odd = unlike_classes(values, sheet.names_of(places), commas=commas)
    if not odd:
        return (), None
    cells = "; ".join(
        f"{sheet.column(places[i])}: {', '.join(f'{x:g}' for x in values[:3, i])}, ... ({why})"
        for i, why in odd.items()
    )
    options = ",".join(f"{sheet.path}:{option_of(places[i], sheet)}" for i in odd)
    hint = f"say --skip-columns {options} if so, --skip-columns none if all columns hold a class"
    if commas:
        hint += ", --decimal comma if commas separate no columns"
    question = InputError(
        "columns that may hold no class, such as an index or a label",
        where=sheet.cell(0, places[next(iter(odd))]),
        found=cells,
        allowed=_ALLOWED,
        hint=hint,
    )
    return tuple(odd), question


def words_beside(sheet: Sheet, words: Sequence[int], numeric: Sequence[int]) -> InputError | None:
    """Ask about a column of words that does not stand alone; None where there is none."""
    if not words or len(words) + len(numeric) < 2:
        return None
    options = [f"{sheet.path}:{option_of(place, sheet)}" for place in (*words, *numeric[:2])]
    first = str(sheet.frame.to_series(words[0])[0])
    if not first[:1].isalpha():
        return InputError(
            "not a number",
            where=sheet.cell(0, words[0]),
            found=repr(first),
            allowed="plain numbers, without units or signs of thousands",
            hint=f"say --skip-columns {options[0]} if the column holds no class",
        )
    return InputError(
        "a column of words beside others",
        where=sheet.cell(0, words[0]),
        found=repr(first),
        allowed=_ALLOWED,
        hint=f"say --skip-columns, with those of {', '.join(options)} that hold no class",
    )


def two_readings(sheet: Sheet, places: Sequence[int]) -> InputError | None:
    """Ask about whole numbers between commas that may be decimals; None where they may not."""
    if sheet.separator != "," or sheet.names or len(places) < 3:
        return None
    frame = sheet.frame[:, [*places]]
    if not commas_may_be_decimal(frame):
        return None
    return InputError(
        "whole numbers between commas, or the two parts of decimals",
        where=sheet.row(0),
        found=",".join(frame.row(0)),
        hint="say --decimal comma or --decimal point",
    )

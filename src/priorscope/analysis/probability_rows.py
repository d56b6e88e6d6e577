"""Tell whether rows of predictions are probabilities, and refuse those that only look so."""

import numpy as np

from priorscope.errors import InputError
from priorscope.tables import SUM_TOLERANCE, Table

_ROUNDING = 1e-6  # of a value: a float32 softmax that was averaged may end just above 1
_ALLOWED = f"values in [0, 1] whose sum is within {SUM_TOLERANCE:g} of 1"


def check_probability_rows(table: Table, *, claimed: bool | None) -> bool:
    """Tell whether rows are probabilities, and refuse those that are none where they should be.

    Without a claim, a file is taken for damaged probabilities where at least half of its rows lie
    in [0, 1] and sum to one, but not all: logits practically never look so.

    Parameters
    ----------
    table : of one column a class, or of predicted class ids
    claimed : whether the user says that they are probabilities; None where nothing is said

    Returns
    -------
    whether every row is one of probabilities

    Raises
    ------
    InputError : names the file and its first wrong row
    """
    if claimed is False:
        return False
    numbers = table.values
    if numbers.shape[1] < 2:
        if claimed:
            raise InputError(
                "predicted class ids are no probabilities",
                where=table.path,
                found="one number a row",
                allowed="one column a class",
                hint="leave out --probabilities",
            )
        return False
    is_outside = (numbers < -_ROUNDING) | (numbers > 1 + _ROUNDING)
    outside = is_outside.any(axis=1)
    sums = numbers.sum(axis=1)
    off = np.abs(sums - 1) > SUM_TOLERANCE
    if claimed and outside.any():
        row = int(np.argmax(outside))
        wrong = numbers[row][is_outside[row]][0]
        raise InputError(
            "not a probability", where=table.row(row), found=f"{wrong:g}", allowed=_ALLOWED
        )
    wrong = off | outside
    looks_damaged = 2 * int(wrong.sum()) <= len(wrong)
    if wrong.any() and (claimed or looks_damaged):
        row = int(np.argmax(wrong))
        hint = None
        if not claimed:
            hint = (
                f"{len(wrong) - wrong.sum():,} of the {len(off):,} rows are probabilities: if they "
                "are scores of another kind nevertheless, say --no-probabilities"
            )
        raise InputError(
            "a row of probabilities does not sum to one"
            if off[row]
            else "a row of probabilities has a value outside of [0, 1]",
            where=table.row(row),
            found=f"a sum of {sums[row]:.6g}" if off[row] else numbers[row].tolist(),
            allowed=_ALLOWED,
            hint=hint,
        )
    return not (outside.any() or off.any())

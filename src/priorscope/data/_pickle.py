"""Read a pickle as data: nothing that it names is imported or called, but what makes an array."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from priorscope.errors import InputError

# Whatever NumPy wrote the pickle, and whichever reads it.
_RECONSTRUCT = np.zeros(0).__reduce__()[0]
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


def read_pickle(data: bytes, *, where: Path) -> dict[str, Any]:
    """Read a pickled dictionary of numbers, strings, lists and arrays.

    Strings that Python 2 wrote stay `bytes`; keys become `str`. What a damaged pickle claims may be
    allocated: know its digest first.
    """
    try:
        content = _DataOnly(io.BytesIO(data), encoding="bytes").load()
        return {key.decode() if type(key) is bytes else key: content[key] for key in content}
    except Exception as error:  # a damaged pickle makes its reader raise almost anything
        raise InputError(
            "pickle cannot be read as data",
            where=where,
            found=f"{type(error).__name__}: {error}",
            allowed="a dictionary of numbers, strings, lists and arrays",
        ) from None


class _DataOnly(pickle.Unpickler):
    """Refuse all other names, see "Restricting Globals" in Python's documentation of pickle."""

    def find_class(self, module_name: str, global_name: str, /) -> object:
        if (module_name, global_name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module_name}.{global_name}")
        return _ALLOWED[module_name, global_name]

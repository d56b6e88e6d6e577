"""Read a pickle as data: nothing in it is imported or called."""

import io
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from priorscope.errors import InputError

_DTYPE = re.compile(r"[iuf][1248]")
# Instructions that make objects of classes, or allocate a size before they have read it.
_REFUSED = (
    *(pickle.INST, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX, pickle.PERSID, pickle.BINPERSID),
    *(pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.BYTEARRAY8),
    *(pickle.NEXT_BUFFER, pickle.READONLY_BUFFER),
)


def read_pickle(data: bytes, *, where: Path) -> dict[str, Any]:
    """Read a pickled dictionary of numbers, strings, lists and numeric arrays.

    Strings that Python 2 wrote stay `bytes`; keys become `str`.

    Raises
    ------
    InputError : truncated or damaged; no dictionary; or it names anything but a plain array
    """
    try:
        content = _DataOnly(io.BytesIO(data), encoding="bytes").load()
        if not isinstance(content, dict):
            raise pickle.UnpicklingError(f"{type(content).__name__}, not a dictionary")
        return {_text(key): _plain(value) for key, value in content.items()}
    # A damaged pickle makes the interpreter of pickles raise almost anything.
    except Exception as error:
        raise InputError(
            "pickle cannot be read as data",
            where=where,
            found=f"{type(error).__name__}: {error}",
            allowed="a dictionary of numbers, strings, lists and numeric arrays",
        ) from None


class _Array:
    """Stands in for an array until its state arrives; only checked bytes become one."""

    __slots__ = ("values",)

    def __init__(self):
        self.values = np.zeros(0, np.uint8)

    def __setstate__(self, state: tuple[Any, ...]):
        _version, shape, dtype, fortran, data = state
        if not isinstance(dtype, _DType) or not isinstance(data, bytes):
            raise pickle.UnpicklingError("array without plain bytes")
        # The bytes are there already, so that a shape can claim no memory beyond them.
        flat = np.frombuffer(data, dtype.name)
        self.values = flat.reshape(shape, order="F" if fortran else "C")


class _DType:
    """Stands in for a dtype: a kind, a size and a byte order."""

    __slots__ = ("name",)

    def __init__(self, name: object):
        text = _text(name)
        if not _DTYPE.fullmatch(text):
            raise pickle.UnpicklingError(f"array of type {text}")
        self.name = text

    def __setstate__(self, state: tuple[Any, ...]):
        order = _text(state[1])
        if order not in {"<", ">", "=", "|"}:
            raise pickle.UnpicklingError(f"array of byte order {order}")
        self.name = order + self.name[-2:]


class _Named:
    """What a name in the pickle stands for: it can be called, and not be changed."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., object]):
        self._call = call

    def __call__(self, *args: object) -> object:
        return self._call(*args)

    def __setstate__(self, state: object):
        raise pickle.UnpicklingError("a name cannot be given a state")


def _no_call(*_args: object) -> object:
    raise pickle.UnpicklingError("an array is made by _reconstruct only")


_STAND_INS = {
    ("numpy.core.multiarray", "_reconstruct"): _Named(lambda *_: _Array()),
    ("numpy._core.multiarray", "_reconstruct"): _Named(lambda *_: _Array()),
    ("numpy", "ndarray"): _Named(_no_call),
    ("numpy", "dtype"): _Named(lambda name, *_: _DType(name)),
}


class _DataOnly(pickle._Unpickler):
    """Python's own reader of pickles, less what makes objects.

    It is the one written in Python: the one written in C allocates what a pickle claims (a memo of
    64 GiB, in seven bytes) before it looks at what is there.
    """

    dispatch: ClassVar = {  # the reader stops with a KeyError at any other instruction
        code: method
        for code, method in pickle._Unpickler.dispatch.items()  # type: ignore[attr-defined]
        if code not in {instruction[0] for instruction in _REFUSED}
    }

    def find_class(self, module_name: str, global_name: str, /) -> object:
        if (module_name, global_name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it names {module_name}.{global_name}")
        return _STAND_INS[module_name, global_name]


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, str):
        return value
    raise pickle.UnpicklingError(f"{type(value).__name__} where a name is due")


def _plain(value: object) -> object:
    return value.values if isinstance(value, _Array) else value

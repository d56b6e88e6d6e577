"""Pickles are read as data: what Python's own reader gives for harmless ones, and no more."""

import builtins
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from priorscope.data._pickle import read_pickle
from priorscope.errors import InputError

WHERE = Path("some_batch")
# As Python 2 and its numpy wrote an array of bytes [2, 3]: strings are 8-bit strings.
PYTHON2_ARRAY = (
    b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    b"(I1\n(I2\nI3\ntcnumpy\ndtype\n(S'u1'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\n"
    b"S'\\x00\\x01\\x02\\x03\\x04\\xff'\ntb"
)


class Calls:
    """Pickles as a call of `function` with `args`."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


@pytest.mark.parametrize("dtype", ["u1", "i8", "<f4", ">i2"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_come_back_as_written(dtype, order, protocol):
    array = np.asarray(np.arange(12).reshape(3, 4), dtype=dtype, order=order)
    content = {"data": array, "labels": [3, 1], "filenames": [b"a.png"], "note": "text"}
    found = read_pickle(pickle.dumps(content, protocol), where=WHERE)
    np.testing.assert_array_equal(found["data"], array)
    assert found["data"].dtype == array.dtype.newbyteorder("=")  # as NumPy reads it
    assert {key: found[key] for key in ("labels", "filenames", "note")} == {
        "labels": [3, 1],
        "filenames": [b"a.png"],
        "note": "text",
    }


def test_pickle_of_python_2():
    data = b"(dS'data'\n" + PYTHON2_ARRAY + b"sS'labels'\n(lI7\nasS'batch_label'\nS'one'\ns."
    found = read_pickle(data, where=WHERE)
    expected = pickle.loads(data, encoding="bytes")  # our own bytes: safe to execute
    assert found.keys() == {key.decode() for key in expected}
    np.testing.assert_array_equal(found["data"], expected[b"data"])
    assert found["labels"] == [7] and found["batch_label"] == b"one"


def test_code_is_not_executed(tmp_path):
    mark = tmp_path / "executed"
    command = f"touch {mark}"
    nested = Calls(getattr, Calls(__import__, "os"), "system")
    for payload in [
        Calls(os.system, command),
        Calls(builtins.eval, f"open({str(mark)!r}, 'w')"),
        Calls(builtins.exec, f"open({str(mark)!r}, 'w')"),
        nested,
        [{"deep": (Calls(os.system, command),)}],
    ]:
        for content in (payload, {"data": payload}):
            for protocol in (2, 4):
                with pytest.raises(InputError) as caught:
                    read_pickle(pickle.dumps(content, protocol), where=WHERE)
                assert caught.value.where == str(WHERE)
    assert not mark.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"cnumpy\nload\n(S'x'\ntR.",
        b"\x80\x04\x8c\x05numpy\x8c\x0edtype.__class__\x93.",
        b"cnumpy\ndtype\n}S'name'\nS'x'\nsb.",
        b"\x80\x02cnumpy\nndarray\n)\x81.",  # __new__ of an array
        b"Pother\n.",  # a persistent id
        b"(ios\nsystem\n.",
        b"]S'list'\na.",
        b"",
        b"}",
        b"not a pickle",
    ],
)
def test_anything_but_data_is_refused(data):
    with pytest.raises(InputError, match="pickle cannot be read as data") as caught:
        read_pickle(data, where=WHERE)
    assert "some_batch" in str(caught.value)


def test_every_truncation_is_refused():
    whole = b"(dS'data'\n" + PYTHON2_ARRAY + b"sS'labels'\n(lI7\nas."
    for length in range(len(whole)):
        with pytest.raises(InputError):
            read_pickle(whole[:length], where=WHERE)

"""The random streams that a process has only one of: Python's, NumPy's and PyTorch's.

priorscope draws from explicit generators. Other people's modules draw from these: dropout from
PyTorch's, a `forward` with `random.random()` or `numpy.random` in it from the others. A run seeds
all of them, keeps them in its checkpoints, and leaves them to others as it found them.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def seed_streams(seed: int) -> None:
    """Seed all streams, those of every device included; `seed` is 0 or above."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  # the stream that others draw from
    torch.manual_seed(seed)


@contextmanager
def seeded_streams(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Seed all streams, and put them back as they were at the end.

    Parameters
    ----------
    device : whose stream is put back beside that of the CPU
    """
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    devices = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        seed_streams(seed)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])  # noqa: NPY002


def stream_states(device: torch.device) -> tuple[Any, ...]:
    """Return the state of all streams, as tensors and plain values that a checkpoint can hold."""
    legacy: Any = np.random.get_state()  # noqa: NPY002
    key = torch.from_numpy(legacy[1].astype(np.int64))
    on_device = None
    if device.type != "cpu":
        on_device = torch.get_device_module(device).get_rng_state(device)
    return random.getstate(), (key, *legacy[2:]), torch.get_rng_state(), on_device


def restore_streams(states: tuple[Any, ...], device: torch.device) -> None:
    """Bring all streams to where `stream_states` found them."""
    python, (key, *rest), on_cpu, on_device = states
    random.setstate(python)
    np.random.set_state(("MT19937", key.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(on_cpu)
    if on_device is not None:
        torch.get_device_module(device).set_rng_state(on_device, device)

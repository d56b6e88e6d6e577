"""Checkpoints of a training in progress, and interruptions that wait for one.

A checkpoint holds all that the rest of a training depends on, so that a run that was killed ends
in the same bits as one that was not. It is written beside its place and renamed into it, behind a
digest of its bytes; two are kept, and a damaged newest one falls back to the one before.
"""

import hashlib
import io
import os
import shutil
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from priorscope.errors import PriorscopeWarning
from priorscope.training import distributed

KEPT = 2
_DIGEST_BYTES = 32
_LATER_SECONDS = 10.0  # between signals that are not the same one, passed on twice


class DamagedCheckpoint(PriorscopeWarning):
    """A checkpoint could not be used; training continues from an older one or from the start."""


@dataclass
class Checkpoints:
    """Where and how often the state of one training is kept.

    Attributes
    ----------
    folder : created when the first checkpoint is written
    every_seconds : between two checkpoints
    owner : the run's id: a checkpoint of another run is whole too, and must not be continued
    """

    folder: Path
    every_seconds: float = 300.0
    owner: str = ""
    _last: float = field(default_factory=time.monotonic, repr=False)

    def due(self) -> bool:
        """Tell whether it is time for the next one; a clock that jumps does not matter."""
        return time.monotonic() - self._last >= self.every_seconds

    def save(self, state: dict[str, Any], step: int) -> None:
        """Write the state after `step` optimizer steps, and drop all but the newest two."""
        self.folder.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getbuffer()
        path = self.folder / f"step-{step:09d}.ckpt"
        beside = path.with_suffix(".partial")
        with beside.open("wb") as file:
            file.write(self._digest_of(content))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # the older ones are removed: a power cut must not take this
        beside.replace(path)
        for old in self._newest_first()[KEPT:]:
            old.unlink()
        self._last = time.monotonic()

    def latest(self) -> dict[str, Any] | None:
        """Read the newest checkpoint that is whole, onto the CPU; None where there is none.

        Warns
        -----
        DamagedCheckpoint : names each file that had to be passed over
        """
        for path in self._newest_first():
            try:
                content = path.read_bytes()
                if self._digest_of(content[_DIGEST_BYTES:]) != content[:_DIGEST_BYTES]:
                    raise ValueError("its digest does not match its contents and run")
                file = io.BytesIO(content[_DIGEST_BYTES:])
                return torch.load(file, map_location="cpu", weights_only=True)
            except Exception as error:  # whatever a damaged file makes a reader say
                warnings.warn(
                    DamagedCheckpoint(f"checkpoint {path} is damaged and not used: {error}"),
                    stacklevel=2,
                )
        return None

    def remove(self) -> None:
        """Remove what a finished training no longer needs."""
        if self.folder.is_dir():
            shutil.rmtree(self.folder)

    def _digest_of(self, content: bytes | memoryview) -> bytes:
        digest = hashlib.sha256(self.owner.encode())
        digest.update(content)
        return digest.digest()

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.ckpt"), reverse=True)


@contextmanager
def interruption() -> Iterator[threading.Event]:
    """Turn SIGINT and SIGTERM into an event while training, so that a step is never cut in two.

    A second signal interrupts at once, unless several processes train together: there a scheduler
    and torchrun may both pass on the first one, so that it must come somewhat later. A signal that
    comes after the last step was asked about it interrupts behind the training. Outside the main
    thread signals keep their meaning and the event is never set.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    first = 0.0

    def on_signal(*_: object) -> None:
        nonlocal first
        later = _LATER_SECONDS if distributed.world_size() > 1 else 0.0
        if stop.is_set() and time.monotonic() - first >= later:
            raise KeyboardInterrupt
        if not stop.is_set():
            first = time.monotonic()
            stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, on_signal) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    if stop.is_set():
        raise KeyboardInterrupt

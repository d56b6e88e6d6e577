"""Versions and hardware: what a number depends on beside the study.

PyTorch is imported by what asks it; versions can be told without.
"""

import ctypes
import math
import os
import platform
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from priorscope.errors import InputError, unknown_name
from priorscope.version import __version__

if TYPE_CHECKING:
    import torch

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_LARGEST_KEPT = 2**30


def choose_device(name: str, precision: str) -> "torch.device":
    """Find a device by name; `auto` takes the accelerator that PyTorch sees, else the CPU.

    Raises
    ------
    InputError : no such device here, or it cannot compute in the recipe's precision
    """
    device = _device(name)
    if precision == "fp16" and device.type == "cpu":
        raise InputError(
            "fp16 needs a GPU",
            where="recipe.precision",
            found=f"{precision} on {device}",
            allowed="fp32, bf16",
        )
    return device


def _device(name: str) -> "torch.device":
    import torch

    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if name == "auto":
        return torch.device("cpu") if accelerator is None else torch.device(accelerator.type)
    present = ["auto", "cpu"]
    if accelerator is not None:
        count = torch.accelerator.device_count()
        present += [accelerator.type, *(f"{accelerator.type}:{i}" for i in range(count))]
    if name not in present:
        raise unknown_name("device", name, present, where="--device")
    return torch.device(name)


def check_num_devices(
    device: "torch.device", number: int, batch_size: int, *, num_here: int | None = None
) -> None:
    """Refuse a number of devices, one process each, on which a recipe cannot be trained.

    `num_here` are those of this machine where others have some of them.

    Raises
    ------
    InputError : more than there are, or they do not divide the batch
    """
    if number == 1:
        return
    import torch

    num_here = num_here or number
    on_cpu = device.type == "cpu"
    present = num_processors() if on_cpu else torch.accelerator.device_count()
    if not 1 <= num_here <= present:
        what = "processors (one process each)" if on_cpu else f"{device.type} devices"
        raise InputError(
            "not as many devices here",
            where="--devices",
            found=num_here,
            allowed=f"1 .. {present} {what}",
        )
    if device.index is not None:
        raise InputError(
            "several devices cannot be one",
            where="--device",
            found=f"{device}, and {number} devices",
            allowed=device.type,
        )
    check_batch(number, batch_size)


def check_batch(number: int, batch_size: int) -> None:
    """Refuse a number of devices that does not divide the batch.

    Raises
    ------
    InputError : it does not
    """
    if batch_size % number:
        raise InputError(
            "the devices must divide the batch, which is global",
            where="recipe.batch_size",
            found=f"batch of {batch_size}, {number} devices",
            allowed=f"multiples of {number}",
        )


def num_processors() -> int:
    """Count the processors that this process may use; where no system call tells, all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose_threads() -> int:
    """Let PyTorch use as many threads as the process has processors for; give their number.

    What the user says by OMP_NUM_THREADS or MKL_NUM_THREADS stands. PyTorch counts the machine's
    cores, of which a container or a scheduler may have granted fewer; threads that share a core
    wait for each other at every operation.
    """
    import torch

    threads = torch.get_num_threads()
    if not {"OMP_NUM_THREADS", "MKL_NUM_THREADS"} & set(os.environ):
        quota = _quota(Path("/sys/fs/cgroup/cpu.max"))
        threads = max(1, min([threads, num_processors(), *quota]))
        torch.set_num_threads(threads)
    return threads


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees, for its next step.

    glibc gives large arrays back to the system at once, which then has to hand out clean pages for
    the same arrays again: a quarter of a small network's training step on a CPU. What the user says
    by MALLOC_TRIM_THRESHOLD_ and the like stands; other systems are left alone.
    """
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        for parameter in (_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD):
            mallopt(parameter, _LARGEST_KEPT)


def give_back_freed_memory() -> None:
    """Return what `keep_freed_memory` kept to the system, between two kinds of work."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _quota(path: Path) -> list[int]:
    """Read how many processors' time a control group may use: `max 100000`, `150000 100000`."""
    try:
        granted, _, period = path.read_text().partition(" ")
        return [] if granted == "max" else [math.ceil(int(granted) / int(period))]
    except (OSError, ValueError):
        return []


def versions() -> dict[str, str]:
    """Return the versions of what the numbers depend on."""
    packages = ("torch", "torchvision", "timm", "numpy", "scipy", "statsmodels", "pillow")
    return {
        "priorscope": __version__,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in packages},
    }


def hardware(device: "torch.device") -> dict[str, Any]:
    """Say on what machine the numbers were made; a device elsewhere has no name here."""
    import torch

    on_cuda = device.type == "cuda" and torch.cuda.is_available()
    return {
        "cpu": cpu_name(),
        "num_cores": torch.get_num_threads(),
        "memory_gib": _memory_gib(),
        "gpu": torch.cuda.get_device_name(device) if on_cuda else None,
        "platform": platform.platform(terse=True),
    }


def describe() -> str:
    """Say in three lines on what machine, with which versions and when: a benchmark's foot."""
    import torch

    machine = hardware(torch.device("cpu"))
    words = [f"{machine['cpu']}", f"{machine['num_cores']} threads", machine["platform"]]
    if machine["memory_gib"]:
        words.insert(2, f"{machine['memory_gib']} GiB")
    numbers = ", ".join(f"{name} {number}" for name, number in versions().items())
    return f"{', '.join(words)}\n{numbers}\n{datetime.now(UTC):%Y-%m-%d}"


def cpu_name() -> str:
    """Name the processor as the system does."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float | None:
    meminfo = Path("/proc/meminfo")
    if not meminfo.is_file():
        return None
    return round(int(meminfo.read_text().split()[1]) / 2**20, 1)

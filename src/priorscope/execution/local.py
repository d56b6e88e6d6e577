"""On this machine: in this process, or in several with threads or devices of their own."""

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch

from priorscope.errors import InputError, RunFailed
from priorscope.execution._group import Group
from priorscope.execution._job import Job
from priorscope.execution._pool import (
    Asked,
    Event,
    Losses,
    OnEvent,
    Pool,
    after_loss,
    check_threads,
    refuse_torchrun,
    started_by_torchrun,
    stopped_by,
    work_of_lost,
)
from priorscope.runs.environment import (
    check_num_devices,
    choose_device,
    choose_threads,
    keep_freed_memory,
)
from priorscope.training import distributed
from priorscope.training.recipe import Recipe


@contextmanager
def local(asked: Asked, recipe: Recipe) -> Iterator[Pool]:
    """Runs on this machine, one after another, or `--jobs` at once.

    Raises
    ------
    InputError : not so many processors or devices here, or they do not divide the batch
    """
    if asked.address is not None:
        raise InputError(
            "a cluster has an address, this machine has none",
            where="--address",
            found=asked.address,
            hint="--executor ray",
        )
    device = choose_device(asked.device, recipe.precision)
    num_jobs, started = asked.num_jobs or 1, started_by_torchrun()
    num_devices = asked.num_devices or started
    if num_devices != started:
        refuse_torchrun("--devices", num_devices)
    if num_jobs > 1:
        refuse_torchrun("--jobs", num_jobs)
    # torchrun may have started processes on other machines too.
    num_here = int(os.environ.get("LOCAL_WORLD_SIZE", num_devices)) if started > 1 else num_devices
    check_num_devices(device, num_devices, recipe.batch_size, num_here=num_here)
    if num_jobs > 1:
        _check_jobs(device, num_jobs, num_devices)
    before = torch.get_num_threads()
    choose_threads()
    keep_freed_memory()
    if num_jobs == 1 and num_devices == started:
        if asked.num_threads is not None:
            torch.set_num_threads(check_threads(asked, 1))
        device = distributed.join(device)
        each = f"{num_devices} x {device.type}" if num_devices > 1 else str(device)
        about = f"one after another on {each}, {torch.get_num_threads()} threads a process"
        try:
            yield Pool(device, 1, about, _one_after_another)
        finally:
            torch.set_num_threads(before)
        return
    threads = check_threads(asked, num_jobs * num_devices)
    of_each = f"{num_devices} processes of " if num_devices > 1 else ""
    about = f"{num_jobs} at once, each with {of_each}{threads} threads"
    if device.type != "cpu":
        about = f"{num_jobs} at once, each on {num_devices} {device.type} device(s) of its own"
    slots = [_environment(device, threads, num_devices, slot) for slot in range(num_jobs)]
    groups = [partial(Group, num_devices, environment) for environment in slots]
    yield Pool(device, num_jobs, about, partial(_at_once, groups))


def _check_jobs(device: torch.device, num_jobs: int, num_devices: int) -> None:
    """Refuse more jobs than have processors or devices of their own.

    Raises
    ------
    InputError : there are not so many
    """
    on_cpu = device.type == "cpu"
    present = len(os.sched_getaffinity(0)) if on_cpu else torch.accelerator.device_count()
    if device.index is not None:
        present = 1
    if num_jobs * num_devices > present:
        what = "processors" if on_cpu else f"{device} devices"
        raise InputError(
            "not as many devices here as runs at once would need",
            where="--jobs",
            found=f"{num_jobs} runs at once, {num_devices} each",
            allowed=f"1 .. {present // num_devices} (there are {present} {what})",
        )


def _environment(
    device: torch.device, num_threads: int, num_devices: int, slot: int
) -> dict[str, str]:
    """Return a worker its share of the threads and of the devices that this process may use."""
    shared = {"OMP_NUM_THREADS": str(num_threads)}
    if device.type == "cuda":
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        ids = visible.split(",") if visible else [*map(str, range(torch.cuda.device_count()))]
        own = ids[slot * num_devices : (slot + 1) * num_devices]
        shared["CUDA_VISIBLE_DEVICES"] = ",".join(own)
    return shared


def _one_after_another(
    jobs: Sequence[Job], here: Callable[[Job, OnEvent], None], on_event: OnEvent
) -> tuple[Job, ...]:
    """Execute jobs in order, in this process; one that fails does not stop the others."""
    failed = []
    for job in jobs:
        try:
            here(job, on_event)
        except RunFailed as failure:
            failed.append(job)
            on_event(job, {"event": "failed", "text": str(failure)})
    return tuple(failed)


def _at_once(
    groups: Sequence[Callable[[], Group]],
    jobs: Sequence[Job],
    _: Callable[[Job, OnEvent], None],
    on_event: OnEvent,
) -> tuple[Job, ...]:
    """Let workers take job after job; events reach the caller's thread."""
    waiting = deque(jobs)
    heard: queue.SimpleQueue[tuple[Job | None, Event]] = queue.SimpleQueue()
    working: dict[int, Group] = {}
    stopping = threading.Event()

    def serve(slot: int) -> None:
        try:
            while waiting and not stopping.is_set():
                _to_its_end(waiting.popleft(), slot)
        except IndexError:  # another worker was faster
            pass
        except Exception as error:  # a worker cannot be started at all
            text = f"{type(error).__name__}: {error}"
            heard.put((None, {"event": "error", "text": text, "exit_code": 3}))
        finally:
            heard.put((None, {"event": "done"}))

    def _to_its_end(job: Job, slot: int) -> None:
        losses = Losses()
        while not stopping.is_set():
            if slot not in working or not working[slot].alive:
                working[slot] = groups[slot]()
            for event in working[slot].execute(job.as_dict()):
                if event["event"] == "lost":
                    event = after_loss(job, event, losses)
                heard.put((job, event))
            if event["event"] != "again":
                return
            job = work_of_lost(job)

    threads = [
        threading.Thread(target=serve, args=(slot,), daemon=True)
        for slot in range(min(len(groups), len(jobs)))
    ]
    failed = []
    for thread in threads:
        thread.start()
    num_serving = len(threads)
    try:
        while num_serving:
            job, event = heard.get()
            if event["event"] == "done":
                num_serving -= 1
            elif event["event"] == "error":
                raise stopped_by(event)
            elif job is not None:
                if event["event"] == "failed":
                    failed.append(job)
                on_event(job, event)
        for group in working.values():
            group.close()
    finally:
        stopping.set()
        for group in [*working.values()]:
            group.ask_to_stop()
        for group in [*working.values()]:
            group.stop()
    return tuple(failed)

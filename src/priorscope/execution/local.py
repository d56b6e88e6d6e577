"""On this machine: in this process, or in several with threads or devices of their own."""

import os
import queue
import sys
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
    num_processors,
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
            environment = _environment(device, torch.get_num_threads(), 1, 0)
            alone = partial(Group, 1, environment)
            yield Pool(device, 1, about, partial(_one_after_another, alone))
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
    present = num_processors() if on_cpu else torch.accelerator.device_count()
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
    """Return a worker its share of the threads and of the devices that this process may use.

    It imports from where this process does, and hashes strings alike in every command.
    """
    shared = {"OMP_NUM_THREADS": str(num_threads), "PYTHONPATH": os.pathsep.join(sys.path)}
    if device.type == "cuda":
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        ids = visible.split(",") if visible else [*map(str, range(torch.cuda.device_count()))]
        own = ids[slot * num_devices : (slot + 1) * num_devices]
        if device.index is not None:
            own = [ids[device.index]]
        shared["CUDA_VISIBLE_DEVICES"] = ",".join(own)
    return shared


def _one_after_another(
    make_group: Callable[[], Group],
    jobs: Sequence[Job],
    here: Callable[[Job, OnEvent], None],
    on_event: OnEvent,
) -> tuple[Job, ...]:
    """Execute jobs in order; one that fails does not stop the others.

    They are executed in this process, but for those whose model is other people's: what it does to
    its process must not end the runs that follow.
    """
    failed = []
    worker = _Worker(make_group)
    try:
        for job in jobs:
            if job.foreign and not distributed.world_size() > 1:
                for event in worker.execute(job):
                    if event["event"] == "error":
                        raise stopped_by(event)
                    if event["event"] == "failed":
                        failed.append(job)
                    on_event(job, event)
                continue
            try:
                here(job, on_event)
            except RunFailed as failure:
                failed.append(job)
                on_event(job, {"event": "failed", "text": str(failure)})
        worker.close()
    finally:
        worker.stop()
    return tuple(failed)


class _Worker:
    """A group of processes that is started when there is a job for it, and anew when it is lost."""

    def __init__(self, make_group: Callable[[], Group]):
        self.make_group = make_group
        self.group: Group | None = None

    def execute(self, job: Job) -> Iterator[Event]:
        """Give a job to the group, and its events; another one goes on with it where it may."""
        losses = Losses()
        while True:
            if self.group is None or not self.group.alive:
                self.group = self.make_group()
            event: Event = {}
            for event in self.group.execute(job.as_dict()):
                if event["event"] == "lost":
                    event = after_loss(job, event, losses)
                yield event
            if event["event"] != "again":
                return
            job = work_of_lost(job)

    def close(self) -> None:
        """End processes that have nothing to do."""
        if self.group is not None:
            self.group.close()

    def ask_to_stop(self) -> None:
        """Let the processes keep their checkpoints and end."""
        if self.group is not None:
            self.group.ask_to_stop()

    def stop(self) -> None:
        """Let the processes keep their checkpoints, and wait until they have ended."""
        if self.group is not None:
            self.group.stop()


def _at_once(
    groups: Sequence[Callable[[], Group]],
    jobs: Sequence[Job],
    _: Callable[[Job, OnEvent], None],
    on_event: OnEvent,
) -> tuple[Job, ...]:
    """Let workers take job after job; events reach the caller's thread."""
    waiting = deque(jobs)
    heard: queue.SimpleQueue[tuple[Job | None, Event]] = queue.SimpleQueue()
    workers = [_Worker(make_group) for make_group in groups]
    stopping = threading.Event()

    def serve(worker: _Worker) -> None:
        try:
            while waiting and not stopping.is_set():
                job = waiting.popleft()
                for event in worker.execute(job):
                    heard.put((job, event))
                    if event["event"] == "again" and stopping.is_set():
                        return
        except IndexError:  # another worker was faster
            pass
        except Exception as error:  # a worker cannot be started at all
            text = f"{type(error).__name__}: {error}"
            heard.put((None, {"event": "error", "text": text, "exit_code": 3}))
        finally:
            heard.put((None, {"event": "done"}))

    threads = [
        threading.Thread(target=serve, args=(worker,), daemon=True)
        for worker in workers[: len(jobs)]
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
        for worker in workers:
            worker.close()
    finally:
        stopping.set()
        for worker in workers:
            worker.ask_to_stop()
        for worker in workers:
            worker.stop()
    return tuple(failed)

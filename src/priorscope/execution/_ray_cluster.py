"""What the Ray executor does with Ray: connect, check what is there, give tasks, hear of them."""

import os
import signal
import socket
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

# Before Ray is imported: nothing is told to anyone.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
import torch
from ray.exceptions import RayError, RayTaskError, RuntimeEnvSetupError, TaskCancelledError

import priorscope
from priorscope.errors import InputError, PriorscopeWarning
from priorscope.execution._job import Job
from priorscope.execution._pool import (
    Asked,
    Event,
    Losses,
    OnEvent,
    Pool,
    after_loss,
    stopped_by,
    work_of_lost,
)
from priorscope.execution._ray_task import relay
from priorscope.runs.environment import check_batch, choose_device, num_processors
from priorscope.training.recipe import Recipe

_ANSWER_SECONDS = 5.0
_STOP_SECONDS = 90.0
_LOOK_SECONDS = 30.0  # without news, before it is seen whether there is still a node for the runs
_STORE_BYTES = 100 * 2**20  # only events pass through Ray's object store
_LONGEST_TEMPORARY = 35  # bytes: Ray adds 70 of its own to them
_CARRIED = ("PRIORSCOPE_CACHE",)


@contextmanager
def cluster(asked: Asked, recipe: Recipe) -> Iterator[Pool]:
    """Connect to Ray, and see that one run has room.

    Raises
    ------
    InputError : no cluster answers, or no node has the devices or processors that one run needs
    """
    num_devices, num_threads = asked.num_devices or 1, asked.num_threads or 1
    check_batch(num_devices, recipe.batch_size)
    with _connected(asked.address or os.environ.get("RAY_ADDRESS")):
        nodes = _nodes()
        device = _device(asked.device, recipe.precision, nodes)
        needed = {"CPU": float(num_threads * num_devices)}
        if device.type == "cuda":
            needed["GPU"] = float(num_devices)
        _check_room(needed, nodes)
        room = sum(min(int(node.get(k, 0) // n) for k, n in needed.items()) for node in nodes)
        num_jobs = min(room, asked.num_jobs or room)
        each = f"{num_devices} GPU(s)" if device.type == "cuda" else f"{num_threads} thread(s)"
        if device.type != "cuda" and num_devices > 1:
            each = f"{num_devices} processes of {each}"
        about = f"Ray with {len(nodes)} node(s), {num_jobs} at once, each with {each}"
        environment = {"OMP_NUM_THREADS": str(num_threads)}
        environment |= {name: os.environ[name] for name in _CARRIED if name in os.environ}
        remote: Any = ray.remote  # its types know no keyword arguments
        task = remote(relay).options(
            num_cpus=needed["CPU"], num_gpus=needed.get("GPU", 0.0), max_retries=0
        )
        submit = partial(task.remote, num_processes=num_devices, environment=environment)
        # Without a limit of the user's, Ray has all of them, for a cluster that grows.
        yield Pool(device, num_jobs, about, partial(_execute, submit, asked.num_jobs, needed))


@contextmanager
def _connected(address: str | None) -> Iterator[None]:
    """Connect to the cluster, or start Ray on this machine.

    Raises
    ------
    InputError : no cluster answers there
    """
    package = Path(priorscope.__file__).parent
    environment = {"py_modules": [str(package)], "excludes": ["__pycache__"]}
    options: dict[str, Any] = {
        "runtime_env": environment,
        "log_to_driver": False,
        "logging_level": "ERROR",
    }
    if address is None:
        options |= {"address": "local", "num_cpus": num_processors()}
        options |= {"include_dashboard": False, "object_store_memory": _STORE_BYTES}
        options |= _place_of_sockets()
    else:
        _check_address(address)
        options |= {"address": address}
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**options)
    except (OSError, RuntimeError, ValueError) as error:
        raise _no_cluster(address, str(error).partition("\n")[0]) from None
    finally:
        # Ray takes SIGTERM for itself, and would end the command without a word.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        ray.shutdown()


def _place_of_sockets() -> dict[str, str]:
    """Return where Ray puts its sockets, if not where it would: a path of at most 107 bytes."""
    given = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR")
    if given is None or len(os.fsencode(given)) <= _LONGEST_TEMPORARY:
        return {}
    short = f"/tmp/ray-{os.getuid()}"
    said = f"the path of {given} is too long for Ray's sockets, which lie in {short} instead"
    warnings.warn(PriorscopeWarning(said), stacklevel=2)
    return {"_temp_dir": short}


def _check_address(address: str) -> None:
    """Refuse an address at which nobody listens; Ray itself would wait for long.

    Raises
    ------
    InputError : that, or an address of another kind
    """
    if address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if "://" in address or not colon or not port.isdigit():
        raise InputError(
            "not the address of a Ray cluster",
            where="--address",
            found=address,
            allowed="HOST:PORT of the head node, or auto on a node of the cluster",
            hint="from outside of a cluster: ray job submit -- priorscope run ...",
        )
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, str(error)) from None


def _no_cluster(address: str | None, found: str) -> InputError:
    return InputError(
        "no Ray cluster answers",
        where="--address" if address else "--executor ray",
        found=f"{address}: {found}" if address else found,
        hint="ray start --head on one machine, ray start --address=HOST:6379 on the others"
        if address
        else None,
    )


def _device(name: str, precision: str, nodes: Sequence[dict[str, float]]) -> torch.device:
    """Find out on what the cluster trains.

    Raises
    ------
    InputError : a device that Ray does not give, or none that computes in the precision
    """
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(
            "Ray gives each run devices of its own",
            where="--device",
            found=name,
            allowed="auto, cpu, cuda",
        )
    has_gpus = any(node.get("GPU", 0) for node in nodes)
    if name == "cuda" or (name == "auto" and has_gpus):
        return torch.device("cuda")
    return choose_device("cpu", precision)


def _nodes() -> list[dict[str, float]]:
    """Return the resources of every node that is alive."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _has_room(needed: dict[str, float], nodes: Sequence[dict[str, float]]) -> bool:
    """Tell whether a node has what one run needs, be it busy or not."""
    return any(all(node.get(key, 0) >= number for key, number in needed.items()) for node in nodes)


def _check_room(needed: dict[str, float], nodes: Sequence[dict[str, float]]) -> None:
    """Refuse a run that no node has room for: it would wait for ever.

    Raises
    ------
    InputError : names what is missing
    """
    if _has_room(needed, nodes):
        return
    having = "; ".join(
        ", ".join(f"{node.get(key, 0):g} {key}s" for key in ("CPU", "GPU")) for node in nodes
    )
    raise InputError(
        "no node of the Ray cluster has room for one run",
        where="--devices" if "GPU" in needed else "--threads",
        found=", ".join(f"{number:g} {key}s needed" for key, number in needed.items()),
        allowed=f"nodes with {having}",
    )


def _execute(
    submit: Callable[[dict[str, Any]], Any],
    most: int | None,
    needed: dict[str, float],
    jobs: Sequence[Job],
    _: Callable[[Job, OnEvent], None],
    on_event: OnEvent,
) -> tuple[Job, ...]:
    """Keep so many tasks going, at most, until every job has come to its end.

    Where the last node that has room for a run is lost, the runs wait for another one, and say so.
    """
    waiting, losses, told_to_wait = deque(jobs), Losses(), False
    running: dict[Any, Job] = {}
    failed = []
    try:
        while waiting or running:
            while waiting and (most is None or len(running) < most):
                job = waiting.popleft()
                running[submit(job.as_dict())] = job
            ready, unready = ray.wait([*running], num_returns=1, timeout=_LOOK_SECONDS)
            if not ready and not _has_room(needed, _nodes()) and not told_to_wait:
                what = ", ".join(f"{number:g} {key}s" for key, number in needed.items())
                text = f"no node of the Ray cluster has {what} any more: the runs wait for one"
                on_event(running[unready[0]], {"event": "warning", "text": text})
                told_to_wait = True
            for task in ready:
                job = running[task]
                event = _next_event(task)
                if event is None:
                    running.pop(task, None)
                    continue
                if event["event"] == "lost":
                    del running[task]
                    event = after_loss(job, event, losses)
                if event["event"] == "again":
                    waiting.appendleft(work_of_lost(job))
                if event["event"] == "failed":
                    failed.append(job)
                if event["event"] == "error":
                    raise stopped_by(event)
                on_event(job, event)
    except BaseException:
        _cancel([*running])
        raise
    return tuple(failed)


def _next_event(task: Any) -> Event | None:
    """Take a task's next event; None after the last.

    Raises
    ------
    InputError : priorscope cannot be brought to a node
    """
    try:
        event: Any = ray.get(next(task))
        return event
    except StopIteration:
        return None
    except RuntimeEnvSetupError as error:
        raise InputError(
            "a node of the Ray cluster cannot be set up", where="--address", found=error
        ) from None
    except RayTaskError as error:  # not a lost worker, but something that it does not have
        text = f"{error.cause}" if error.cause else str(error)
        return {"event": "error", "text": f"a Ray worker failed: {text}", "exit_code": 3}
    except RayError as error:
        return {"event": "lost", "code": None, "text": str(error).partition("\n")[0]}


def _cancel(tasks: Sequence[Any]) -> None:
    """Let every run keep its checkpoint, and wait for that."""
    for task in tasks:
        ray.cancel(task, force=False)
    for task in tasks:
        with suppress(StopIteration, TaskCancelledError, RayError):
            while ray.wait([task], timeout=_STOP_SECONDS)[0]:
                ray.get(next(task))

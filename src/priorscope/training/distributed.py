"""Several processes that train one model, one device each: DistributedDataParallel.

`priorscope run --devices N` starts them, or `torchrun`; without either, a process is alone and
every function here does nothing. What a run computes does not depend on their number, but for
dropout and the order in which floats are added: batches are global, every process draws for the
whole batch, and batch norm takes its moments over all of them.
"""

import copy
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.overrides import TorchFunctionMode

from priorscope.training.outputs import answers_of
from priorscope.training.streams import seed_streams

_TIMEOUT = timedelta(minutes=30)  # of a collective, whose processes are all at the same step
_LOOK_SECONDS = 0.1  # between two looks whether the others are there
_num_waits = 0  # so far: each has a name of its own, the same in every process


def join(device: torch.device) -> torch.device:
    """Join the processes that the environment announces; give this process's own device."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return device
    if device.type != "cpu":
        device = torch.device(device.type, int(os.environ.get("LOCAL_RANK", "0")))
        torch.accelerator.set_device_index(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_TIMEOUT)
    return device


def leave() -> None:
    """Leave the other processes, after the last common work."""
    if dist.is_initialized():
        dist.destroy_process_group()


def rank() -> int:
    """Number this process, 0 .. world_size() - 1."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """Count the processes that train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_main() -> bool:
    """Tell whether this process is the one that writes files and speaks to the user."""
    return rank() == 0


def wait_for_all() -> None:
    """Wait until every process is here, however long one of them prepares.

    A collective would give up after its limit; here the processes count themselves in the store in
    which they met, and look. Whoever started them ends those that wait for one that is lost.
    """
    global _num_waits
    if not dist.is_initialized():
        return
    _num_waits += 1
    store, key, seconds = dist.distributed_c10d._get_default_store(), f"wait-{_num_waits}", 0.001
    store.add(key, 1)
    while store.add(key, 0) < world_size():
        time.sleep(seconds)
        seconds = min(2 * seconds, _LOOK_SECONDS)


def said_by_main(value: Any) -> Any:
    """Give every process what the first one has; the others wait for it as long as it takes."""
    if world_size() == 1:
        return value
    wait_for_all()
    box = [value]
    dist.broadcast_object_list(box)
    return box[0]


def own_rows(num_rows: int) -> slice:
    """Give this process's contiguous share of rows; the first processes have one more at most."""
    size, more = divmod(num_rows, world_size())
    start = rank() * size + min(rank(), more)
    return slice(start, start + size + (rank() < more))


def gather_rows(rows: np.ndarray) -> np.ndarray:
    """Join every process's rows in order: the inverse of `own_rows`, nothing padded."""
    return rows if world_size() == 1 else np.concatenate(gathered(rows))


def own_examples(batch_size: int) -> tuple[slice, int]:
    """Give this process's share of a batch, and 1.

    A batch may have fewer examples than there are processes. All of them must take part in its
    step all the same: those without an example pass the first one, and count it 0 times.
    """
    own = own_rows(batch_size)
    return (own, 1) if own.start < own.stop else (slice(0, 1), 0)


def summed(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Add up every process's values."""
    if dist.is_initialized():
        tensors = tuple(tensor.clone() for tensor in tensors)
        for tensor in tensors:
            dist.all_reduce(tensor)
    return tensors


def largest(values: torch.Tensor) -> torch.Tensor:
    """Take every process's largest value, element by element, in place."""
    if dist.is_initialized():
        dist.all_reduce(values, dist.ReduceOp.MAX)
    return values


def gathered(value: Any) -> list[Any]:
    """Give every process what each of them has, by their numbers; values are pickled."""
    values: list[Any] = [value] * world_size()
    if world_size() > 1:
        dist.all_gather_object(values, value)
    return values


def seed_dropout(seed: int, epoch: int) -> None:
    """Let each process draw its own dropout; a process that is alone keeps its stream."""
    if world_size() > 1:
        mixed = np.random.SeedSequence([seed, 2, epoch, rank()])
        seed_streams(int(mixed.generate_state(1)[0]))


def replicate(model: nn.Module, device: torch.device, image_px: int) -> nn.Module:
    """Wrap a model so that its gradients are averaged over the processes; alone, give it back.

    Weights become those of the first process. On CUDA, batch norms are replaced by those that
    synchronise; elsewhere `synced_batch_norm` must be around the forward pass.
    """
    if world_size() == 1:
        return model
    # Looking for them in every step costs a pass over the graph.
    some_unused = _has_unused_parameters(model, device, image_px)
    if device.type == "cuda":
        # timm's knows its own norms with an activation too.
        from timm.layers.norm_act import convert_sync_batchnorm

        model = convert_sync_batchnorm(model)
    device_ids = [device.index] if device.type == "cuda" else None
    return DistributedDataParallel(model, device_ids=device_ids, find_unused_parameters=some_unused)


def _has_unused_parameters(model: nn.Module, device: torch.device, image_px: int) -> bool:
    """Tell whether some parameters get no gradient from two blank images; on a copy."""
    twin = copy.deepcopy(model).train()
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.enable_grad():
        images = torch.zeros(2, 3, image_px, image_px, device=device)
        answers = answers_of(twin.forward(images))
        sum(each.sum() for each in (answers.logits, *answers.auxiliary)).backward()  # type: ignore[union-attr]
    return any(each.requires_grad and each.grad is None for each in twin.parameters())


def gradients_kept(replica: nn.Module, *, unless: bool) -> AbstractContextManager[None]:
    """Let a micro-batch keep its gradients to this process, unless it is the last of its step."""
    if unless or world_size() == 1:
        return nullcontext()
    return replica.no_sync()  # type: ignore[operator]


@contextmanager
def synced_batch_norm(device: torch.device) -> Iterator[None]:
    """Take batch norm's moments over all processes where PyTorch's own layer cannot (CPUs)."""
    if world_size() == 1 or device.type == "cuda":
        yield
    else:
        with _SyncedBatchNorm():
            yield


class _SyncedBatchNorm(TorchFunctionMode):
    """Replace `F.batch_norm` in training by one whose moments are over all processes."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is not F.batch_norm:
            return func(*args, **kwargs)
        names = ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum")
        given = dict(zip((*names, "eps"), args, strict=False)) | kwargs
        if not given.get("training", False):
            return func(*args, **kwargs)
        return _batch_norm_over_processes(**given)


def _batch_norm_over_processes(
    input: torch.Tensor,
    running_mean: torch.Tensor | None,
    running_var: torch.Tensor | None,
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    training: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> torch.Tensor:
    """Normalise [batch, channels, ...] by moments over all processes; gradients cross them too."""
    assert training
    axes = (0, *range(2, input.ndim))
    shape = (1, -1, *[1] * (input.ndim - 2))
    values = input.float()
    (count,) = summed(torch.tensor(float(values.numel() // values.shape[1])))
    mean = _Summed.apply(values.sum(axes)) / count
    centred = values - mean.view(shape)
    var = _Summed.apply(centred.square().sum(axes)) / count
    if running_mean is not None and running_var is not None:
        unbiased = var.detach() * count / (count - 1).clamp(min=1)
        running_mean.lerp_(mean.detach().to(running_mean.dtype), momentum)
        running_var.lerp_(unbiased.to(running_var.dtype), momentum)
    normal = centred * torch.rsqrt(var + eps).view(shape)
    if weight is not None:
        normal = normal * weight.view(shape)
    if bias is not None:
        normal = normal + bias.view(shape)
    return normal.to(input.dtype)


class _Summed(torch.autograd.Function):
    """Add up every process's tensor; its gradient is the sum of every process's too."""

    @staticmethod
    def forward(_: object, own: torch.Tensor) -> torch.Tensor:
        return summed(own)[0]

    @staticmethod
    def backward(_: object, gradient: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return summed(gradient)[0]

"""CUDA streams and graphs as a CPU can have them: for a dry run of what captures and launches.

A capture records the operations below autograd. As on a GPU it executes none of them: what it
changed is put back, and what it made holds NaN until the graph is launched. A launch executes the
recorded operations again, on the memory that they had, with the numbers that they were given, and
without any Python of the model. It fails where the memory of an input is gone.
"""

import typing
import warnings
import weakref
from contextlib import contextmanager, nullcontext

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

READS = {"aten::_local_scalar_dense", "aten::nonzero", "aten::equal", "aten::is_nonzero"}
NOT_PERMITTED = "CUDA error: operation not permitted when stream is capturing"


def tensors_in(value):
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, torch.Tensor)]


def storage_of(tensor):
    return tensor.untyped_storage()._cdata


class Graph:
    """Stands for torch.cuda.CUDAGraph."""

    alive: typing.ClassVar = weakref.WeakSet()

    def __init__(self):
        self.calls, self.inputs, self.generators, self.num_launches = [], [], [], 0
        Graph.alive.add(self)

    def register_generator_state(self, generator):
        self.generators.append(generator)

    def replay(self):
        assert self.calls, "nothing was captured"
        assert all(each() is not None for each in self.inputs), "an input of the graph is freed"
        self.num_launches += 1
        with torch.no_grad():
            for func, args, kwargs, made in self.calls:
                results = tensors_in(func(*args, **kwargs))
                for own, result in zip(made, results, strict=True):
                    if own is not None:
                        own.copy_(result)


class Capture(TorchDispatchMode):
    """Records into a graph what is asked for, and takes it back at the end."""

    def __init__(self, graph):
        super().__init__()
        self.graph, self.own, self.outside, self.keep = graph, set(), {}, []
        self.is_valid = True

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func._schema.name in READS:
            self.is_valid = False
            raise RuntimeError(NOT_PERMITTED)
        generator = kwargs.get("generator")
        known = [each.get_state().tolist() for each in self.graph.generators]
        if generator is not None and generator.get_state().tolist() not in known:
            raise RuntimeError("a generator that is not registered draws in a capture")
        operands = tensors_in((args, kwargs))
        for each in operands:
            if storage_of(each) not in self.own | self.outside.keys():
                self.outside[storage_of(each)] = each.detach(), each.detach().clone()
                self.graph.inputs.append(weakref.ref(each))
        result = func(*args, **kwargs)
        known = {storage_of(each) for each in operands}
        made = []
        for each in tensors_in(result):
            is_new = storage_of(each) not in known
            made.append(each.detach() if is_new else None)
            if is_new:
                self.own.add(storage_of(each))
                self.keep.append(each.detach())
        # Aliases: the tensors themselves may be freed by those who made them, which is looked at.
        args, kwargs = tree_map(
            lambda leaf: leaf.detach() if isinstance(leaf, torch.Tensor) else leaf, (args, kwargs)
        )
        self.graph.calls.append((func, args, kwargs, made))
        return result

    def take_back(self):
        with torch.no_grad():
            for tensor, before in self.outside.values():
                tensor.copy_(before)
            for tensor in self.keep:
                tensor.fill_(float("nan") if tensor.is_floating_point() else 1)


class Watch(TorchDispatchMode):
    """Warns of what a GPU would have to be waited for."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func._schema.name in READS:
            warnings.warn("called a synchronizing CUDA operation", stacklevel=2)
        return func(*args, **(kwargs or {}))


class Stream:
    def __init__(self, log, name):
        self.log, self.name = log, name

    def wait_stream(self, other):
        self.log.append(f"{self.name} waits for {other.name}")


class CudaOnCpu:
    """What of torch.cuda a graphed step uses. `log` is the order of its calls."""

    def __init__(self):
        self.log, self.graphs, self.mode, self.watch = [], [], "default", None
        self.main = self.current = Stream(self.log, "main")
        self.fail_captures = iter(())  # what the next captures end with, None for none
        self.pools = []

    def Stream(self, _device=None):
        return Stream(self.log, "side")

    def current_stream(self, _device=None):
        return self.current

    def set_stream(self, stream):
        self.current = stream

    @contextmanager
    def stream(self, stream):
        before, self.current = self.current, stream
        yield
        self.current = before

    def graph_pool_handle(self):
        self.pools.append(object())
        return self.pools[-1]

    def CUDAGraph(self):
        self.graphs.append(weakref.ref(graph := Graph()))
        return graph

    @contextmanager
    def graph(self, graph, pool=None, stream=None):
        self.log.append(f"capture on {stream.name}")
        assert pool is self.pools[-1]
        drawn = torch.get_rng_state(), [each.get_state() for each in graph.generators]
        capture, before, self.current = Capture(graph), self.current, stream
        try:
            with capture:
                yield
        finally:
            capture.take_back()
            torch.set_rng_state(drawn[0])
            for each, state in zip(graph.generators, drawn[1], strict=True):
                each.set_state(state)
            if (failure := next(self.fail_captures, None)) is not None:
                raise failure  # and stays on the stream, as PyTorch does
            if not capture.is_valid:
                raise RuntimeError("CUDA error: operation failed due to a previous error")
            self.current = before

    def get_sync_debug_mode(self):
        return self.mode

    def set_sync_debug_mode(self, mode):
        if self.watch is not None:
            self.watch.__exit__(None, None, None)
            self.watch = None
        if mode == "warn":
            self.watch = Watch().__enter__()
        self.mode = mode

    def install(self, monkeypatch):
        """Let steps on the CPU be captured by this."""
        for name in ("Stream", "stream", "current_stream", "graph_pool_handle", "CUDAGraph"):
            monkeypatch.setattr(torch.cuda, name, getattr(self, name))
        for name in ("graph", "set_stream", "get_sync_debug_mode", "set_sync_debug_mode"):
            monkeypatch.setattr(torch.cuda, name, getattr(self, name))
        monkeypatch.setattr(torch.cuda, "device", lambda _: nullcontext())
        monkeypatch.setattr("priorscope.training.graph.captures", lambda _: True)
        return self

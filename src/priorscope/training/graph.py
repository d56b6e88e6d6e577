"""A step as one CUDA graph: captured once for each shape of a batch, then launched as a whole.

A host needs about 10 us to ask a GPU for an operation, of which a small network has hundreds in a
step. A graph holds them all, with the addresses they work on; launching it takes as long as one.

What follows from how PyTorch captures (its notes on CUDA graphs; NVIDIA's "CUDA Graph for
PyTorch"): what is not yet there is made in eager steps before, on the stream that captures; inputs
are copied into the memory that was captured; the gradients are memory of the graph, and are handed
to the optimizer whenever another graph, or an eager step, has put its own there; the generator of
the device draws anew at each launch, and others if they are registered; memory that graphs free
within them is shared, as no two are launched at a time.
"""

import warnings
from collections import Counter
from dataclasses import dataclass

import torch
from torch import nn

from priorscope.data import Preprocess
from priorscope.errors import PriorscopeWarning, out_of_memory
from priorscope.training import distributed
from priorscope.training.capturable import generators_in, what_a_graph_would_freeze
from priorscope.training.memory import smaller
from priorscope.training.recipe import Recipe
from priorscope.training.state import TrainingState
from priorscope.training.step import EagerStep, Step

WARM_UP_STEPS = 3  # of each shape, executed eagerly: steps of the training like all others


class NotCaptured(PriorscopeWarning):
    """The steps of a model cannot be captured in a CUDA graph."""


def training_step(
    replica: nn.Module,
    state: TrainingState,
    recipe: Recipe,
    preprocess: Preprocess,
    *,
    graphs: bool,
) -> Step:
    """Return the step of a training: graphed where `graphs` says so and the device can, else eager.

    Several processes stay eager, and so does fp16, of which the host asks after each step whether
    it counts.
    """
    eager = EagerStep(replica, state, recipe, preprocess)
    if not (graphs and captures(state.device)):
        return eager
    if distributed.world_size() > 1:
        eager.how = "eager: several devices"
    elif recipe.precision == "fp16":
        eager.how = "eager: fp16"
    else:
        return GraphedStep(eager)
    return eager


def captures(device: torch.device) -> bool:
    """Tell whether steps on a device can be captured."""
    return device.type == "cuda"


def renew_generator(device: torch.device) -> None:
    """Return a device's default generator a state of its own, equal to the one that it has.

    PyTorch before 2.12 leaves the state in a capture that failed, where it refuses to draw.
    """
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        default = torch.cuda.default_generators[index]
        default.graphsafe_set_state(default.clone_state())


@dataclass(frozen=True, eq=False)
class _Captured:
    """A graph, and the memory that it reads and writes.

    `gradients` are those of the optimizer's parameters, None where the model gives none.
    """

    graph: torch.cuda.CUDAGraph
    pixels: torch.Tensor
    target: torch.Tensor
    loss: torch.Tensor
    num_correct: torch.Tensor
    gradients: list[torch.Tensor | None]


class GraphedStep:
    """A `Step` that launches a CUDA graph, once it has one for the shape of its batch.

    A model whose steps a graph would not repeat, or that cannot be captured, trains eagerly, as it
    would have without the attempt; `how` says why.
    """

    def __init__(self, eager: EagerStep):
        self.eager, self.state = eager, eager.state
        self._parameters = [
            p for group in self.state.optimizer.param_groups for p in group["params"]
        ]
        self._reason: str | None = None  # not to capture anything any more
        self._forget()

    @property
    def how(self) -> str:
        """Say how steps are executed."""
        if self._reason is not None:
            return f"eager: {self._reason}"
        return "graphed" if self._captured else "eager: too few steps to capture one"

    def __call__(self, pixels: torch.Tensor, target: torch.Tensor) -> None:
        """Take a batch by its graph, or eagerly as long as it has none."""
        shape = tuple(pixels.shape)
        if self._reason is None and shape not in self._captured:
            if self._num_warmed[shape] < WARM_UP_STEPS:
                return self._warm_up(pixels, target)
            with torch.cuda.device(self.state.device):  # the current one, while PyTorch captures
                self._capture(pixels, target)
        if shape in self._captured:
            return self._launch(self._captured[shape], pixels, target)
        return self.eager(pixels, target)

    def _forget(self) -> None:
        """Drop all graphs with their memory, and the stream, which may be in a broken capture."""
        self._stream = torch.cuda.Stream(self.state.device)
        self._captured: dict[tuple[int, ...], _Captured] = {}
        self._num_warmed: Counter[tuple[int, ...]] = Counter()
        self._pool = torch.cuda.graph_pool_handle()
        self._current: _Captured | None = None  # whose gradients the parameters have

    def _warm_up(self, pixels: torch.Tensor, target: torch.Tensor) -> None:
        """Execute a step eagerly, on the stream that captures; watch the last one before that."""
        size, reason = self.state.micro_batch_size, None
        here = torch.cuda.current_stream(self.state.device)
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            if self._num_warmed[pixels.shape] < WARM_UP_STEPS - 1:
                self.eager(pixels, target)
            else:
                model, device = self.state.model, self.state.device
                reason = what_a_graph_would_freeze(
                    model, device, lambda: self.eager(pixels, target)
                )
        here.wait_stream(self._stream)
        self._current = None
        if self.state.micro_batch_size < size:
            self._forget()  # memory ran out: all graphs would be of other parts
        elif reason is not None:
            self._give_up(reason)
        else:
            self._num_warmed[pixels.shape] += 1

    def _capture(self, pixels: torch.Tensor, target: torch.Tensor) -> None:
        """Capture the step of a shape; where that fails, leave everything as it was."""
        eager, state, here = self.eager, self.state, torch.cuda.current_stream(self.state.device)
        eager.undo.remember()
        own = pixels.clone(), target.clone()
        graph = torch.cuda.CUDAGraph()
        for generator in generators_in(state.model, state.device):
            graph.register_generator_state(generator)
        state.optimizer.zero_grad(set_to_none=True)  # their memory can serve the graph
        self._current = None
        try:
            with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
                sums = eager.backward(*own)
                eager.clip()
        except Exception as error:
            state.optimizer.zero_grad(set_to_none=True)
            del graph
            # PyTorch stays on the other stream where a capture cannot be ended.
            torch.cuda.set_stream(here)
            renew_generator(state.device)
            eager.undo.back()
            self._after_failure(error)
            return
        gradients = [parameter.grad for parameter in self._parameters]
        self._captured[pixels.shape] = _Captured(graph, *own, *sums, gradients)

    def _after_failure(self, error: Exception) -> None:
        """Try smaller parts where memory ran out; train eagerly after any other failure."""
        chain = [error, error.__context__]  # leaving a broken capture fails in its turn
        no_memory = next((e for e in chain if isinstance(e, Exception) and out_of_memory(e)), None)
        if no_memory is None:
            first = chain[1] or error
            self._give_up(f"{type(first).__name__}: {str(first).partition(chr(10))[0]}")
        elif self.state.micro_batch_size == 1:
            self._give_up("memory does not suffice for a graph")
        else:
            self.state.micro_batch_size = smaller(self.state.micro_batch_size, no_memory)
            self._forget()

    def _give_up(self, reason: str) -> None:
        """Train eagerly from here on, and say why."""
        self._forget()
        self._reason = reason
        warnings.warn(
            NotCaptured(
                f"steps are not captured in a CUDA graph, as {reason}: the training is the same, "
                "but waits for the host in each of its operations"
            ),
            stacklevel=5,
        )

    def _launch(self, captured: _Captured, pixels: torch.Tensor, target: torch.Tensor) -> None:
        captured.pixels.copy_(pixels)
        captured.target.copy_(target)
        captured.graph.replay()
        if captured is not self._current:
            for parameter, gradient in zip(self._parameters, captured.gradients, strict=True):
                parameter.grad = gradient
            self._current = captured
        self.state.add(captured.loss, captured.num_correct)

"""Keep PyTorch's compiler out of processes that compile nothing.

PyTorch's optimizers and dispatch modes tell `torch.compile` to leave them alone, and for that they
import the whole compiler at their first call: it takes nearly as long as the import of all the rest
of PyTorch. Where nothing is compiled nothing has to be told.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import torch

_MARK = "__dynamo_disable"  # where torch/_compile.py looks for what it made of a function


def leave_compiler_out(*functions: Callable[..., Any] | None) -> None:
    """Let functions that PyTorch shields from its compiler be called as they are.

    Functions that another version of PyTorch does not wrap, or does not have, and those that were
    called before stay as they are: nothing but time depends on this.
    """
    for function in functions:
        plain = getattr(function, "__wrapped__", None)
        if plain is not None and not hasattr(plain, _MARK):
            setattr(plain, _MARK, plain)


@functools.cache
def uncompiled(kind: type[torch.optim.Optimizer]) -> Callable[..., torch.optim.Optimizer]:
    """Return an optimizer that does what `kind` does, without the compiler.

    Between the hooks of a step and its arithmetic PyTorch has a layer that turns gradients off and
    breaks the compiler's graph; here it only turns gradients off. Hooks and state are those of
    `kind`.
    """
    leave_compiler_out(kind.add_param_group, kind.zero_grad, kind.state_dict, kind.load_state_dict)
    arithmetic = inspect.unwrap(kind.step)

    def step(self: torch.optim.Optimizer, closure: Callable[[], float] | None = None) -> Any:
        with torch.no_grad():
            return arithmetic(self, closure)

    return type(kind.__name__, (kind,), {"step": step, "__module__": kind.__module__})

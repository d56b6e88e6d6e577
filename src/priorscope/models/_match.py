"""Solve one width of a network so that it has a given number of parameters."""

from collections.abc import Callable

from priorscope.errors import InputError

TOLERANCE = 0.02  # of the wanted number


def match_hidden(count: Callable[[int], int], num_parameters: int) -> int:
    """Find the hidden width of the MLPs whose network has `num_parameters`, within 2 %.

    Parameters
    ----------
    count : parameters of the network for a hidden width (1, 2, ...); linear in it

    Raises
    ------
    InputError : the network without its MLPs is too large already, or one unit more is too much
        and one less too little
    """
    smallest = count(1)
    step = count(2) - smallest
    hidden = max(1, 1 + round((num_parameters - smallest) / step))
    reached = count(hidden)
    if abs(reached - num_parameters) > TOLERANCE * num_parameters:
        too_small = hidden == 1
        raise InputError(
            "no hidden width of the MLPs gives so many parameters",
            where="num_parameters",
            found=f"{num_parameters:,}; nearest possible {reached:,}",
            allowed=f"{smallest:,} or more" if too_small else f"steps of {step:,}",
            hint="reduce embed_dim, the depth or what the mixer needs (window_size)"
            if too_small
            else "reduce embed_dim or the depth",
        )
    return hidden

"""Measure the inductive biases of vision architectures.

A study trains architectures from scratch under one recipe, tests them on probes, and says, with
the uncertainty that the data allow, what the comparison shows.
"""

__version__ = "0.1.0"

"""Executors: one file each, a context manager `def x(asked, recipe)` that gives a `Pool`."""

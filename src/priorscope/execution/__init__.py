"""Executors: one file each, `def x(runs, execute, *, on_event) -> failures`."""

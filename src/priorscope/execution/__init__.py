"""Executors: one file each, a context manager `def x(asked, recipe)` that gives a `Pool`."""

from priorscope.execution._bring import bring_to_end
from priorscope.execution._job import Job, named_files
from priorscope.execution._pool import Asked, Event, OnEvent, Pool

__all__ = ["Asked", "Event", "Job", "OnEvent", "Pool", "bring_to_end", "named_files"]

"""A notebook without Jupyter."""

import itertools
import linecache
from types import ModuleType


class Notebook:
    """A user's namespace, whose cells leave their source where IPython leaves it."""

    numbers = itertools.count()

    def __init__(self):
        self.main = ModuleType("__main__")

    def cell(self, source: str):
        """Execute a cell, and return the namespace."""
        name = f"<ipython-input-{next(self.numbers)}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec"), vars(self.main))
        return self.main

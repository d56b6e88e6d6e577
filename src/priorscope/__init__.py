"""Measure the inductive biases of vision architectures.

A study trains architectures from scratch under one recipe, tests them on probes, and says, with
the uncertainty that the data allow, what the comparison shows.

    import priorscope as ps

    study = ps.load_study("quickstart")     # or ps.Study(name=..., data=..., models=..., ...)
    results = ps.run(study, out="outputs/quickstart")
    results.verdicts                        # also .scores, .estimates, .comparisons, ...
    results.report()                        # writes the page

What users do wrong raises `priorscope.errors.InputError`, in the words of the command line.
"""

from typing import TYPE_CHECKING, Any

from priorscope.version import __version__ as __version__

if TYPE_CHECKING:
    from priorscope.api.results import Results as Results
    from priorscope.api.results import open_results as open
    from priorscope.api.run import run as run
    from priorscope.api.score import score as score
    from priorscope.api.study import Study as Study
    from priorscope.api.study import load_study as load_study

__all__ = ["Results", "Study", "load_study", "open", "run", "score"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562): importing the package costs nothing."""
    match name:
        case "Results":
            from priorscope.api.results import Results as found
        case "Study":
            from priorscope.api.study import Study as found
        case "load_study":
            from priorscope.api.study import load_study as found
        case "open":
            from priorscope.api.results import open_results as found
        case "run":
            from priorscope.api.run import run as found
        case "score":
            from priorscope.api.score import score as found
        case _:
            raise AttributeError(f"module 'priorscope' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

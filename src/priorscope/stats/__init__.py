"""Statistics: arrays in, a small frozen result out. NumPy, SciPy and statsmodels only."""

from priorscope.stats._result import Distribution, Estimate, PairedTest
from priorscope.stats.crossed_bootstrap import crossed_bootstrap, percentile_interval
from priorscope.stats.holm import holm
from priorscope.stats.hypergeometric import top_k_chance
from priorscope.stats.mcnemar import mcnemar
from priorscope.stats.permutation import sign_flip_test
from priorscope.stats.wilson import wilson

__all__ = [
    "Distribution",
    "Estimate",
    "PairedTest",
    "crossed_bootstrap",
    "holm",
    "mcnemar",
    "percentile_interval",
    "sign_flip_test",
    "top_k_chance",
    "wilson",
]

"""Statistics: arrays in, a small frozen result out. NumPy, SciPy and statsmodels only."""

from priorscope.stats._result import (
    CrossedContrast,
    Distribution,
    EquivalenceTest,
    Estimate,
    PairedTest,
    VarianceComponents,
)
from priorscope.stats.crossed_bootstrap import crossed_bootstrap, percentile_interval
from priorscope.stats.crossed_contrast import crossed_contrast
from priorscope.stats.equivalence import equivalence, one_sided
from priorscope.stats.factorial import Term, balanced_anova
from priorscope.stats.holm import holm
from priorscope.stats.hypergeometric import top_k_chance
from priorscope.stats.interaction import Interaction, independent_difference, interaction
from priorscope.stats.learning_curve import Bounded, DataMultiplier, data_multiplier
from priorscope.stats.mcnemar import mcnemar
from priorscope.stats.permutation import sign_flip_test
from priorscope.stats.power import (
    detection_power,
    equivalence_power,
    images_needed,
    minimum_detectable_effect,
    minimum_equivalence_margin,
    seeds_needed,
)
from priorscope.stats.wilson import wilson
from priorscope.stats.zero_crossing import ZeroCrossing, zero_crossing

__all__ = [
    "Bounded",
    "CrossedContrast",
    "DataMultiplier",
    "Distribution",
    "EquivalenceTest",
    "Estimate",
    "Interaction",
    "PairedTest",
    "Term",
    "VarianceComponents",
    "ZeroCrossing",
    "balanced_anova",
    "crossed_bootstrap",
    "crossed_contrast",
    "data_multiplier",
    "detection_power",
    "equivalence",
    "equivalence_power",
    "holm",
    "images_needed",
    "independent_difference",
    "interaction",
    "mcnemar",
    "minimum_detectable_effect",
    "minimum_equivalence_margin",
    "one_sided",
    "percentile_interval",
    "seeds_needed",
    "sign_flip_test",
    "top_k_chance",
    "wilson",
    "zero_crossing",
]

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
from priorscope.stats.equivalence import equivalence
from priorscope.stats.factorial import Term, balanced_anova
from priorscope.stats.holm import holm, holm_steps
from priorscope.stats.hypergeometric import top_k_chance
from priorscope.stats.interaction import Interaction, independent_sum, interaction, negated
from priorscope.stats.learning_curve import Bounded, DataMultiplier, data_multiplier
from priorscope.stats.matched import MatchedContrast, Trajectory, matched_contrast
from priorscope.stats.network_shares import NetworkShares, network_shares
from priorscope.stats.permutation import sign_flip_test
from priorscope.stats.power import (
    detection_power,
    equivalence_power,
    images_needed,
    minimum_detectable_effect,
    minimum_equivalence_margin,
    seeds_needed,
)
from priorscope.stats.proportions import (
    PairedProportions,
    SingleProportion,
    paired_proportions,
    single_proportion,
)
from priorscope.stats.retained_share import retained_share
from priorscope.stats.seed_contrast import seed_contrast
from priorscope.stats.split_seeds import SplitSeeds, split_seeds
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
    "MatchedContrast",
    "NetworkShares",
    "PairedProportions",
    "PairedTest",
    "SingleProportion",
    "SplitSeeds",
    "Term",
    "Trajectory",
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
    "holm_steps",
    "images_needed",
    "independent_sum",
    "interaction",
    "matched_contrast",
    "minimum_detectable_effect",
    "minimum_equivalence_margin",
    "negated",
    "network_shares",
    "paired_proportions",
    "percentile_interval",
    "retained_share",
    "seed_contrast",
    "seeds_needed",
    "sign_flip_test",
    "single_proportion",
    "split_seeds",
    "top_k_chance",
    "wilson",
    "zero_crossing",
]

"""What is claimed, and what the scores say of it: terms, scores, evidence, verdicts, power."""

from priorscope.claims.arm_scores import CHANCE, ArmScores
from priorscope.claims.claim_scores import ClaimScores, claim_scores
from priorscope.claims.inference import Inference, Settings, infer
from priorscope.claims.terms import Claim, Term, claim_of

__all__ = [
    "CHANCE",
    "ArmScores",
    "Claim",
    "ClaimScores",
    "Inference",
    "Settings",
    "Term",
    "claim_of",
    "claim_scores",
    "infer",
]

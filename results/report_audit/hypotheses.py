"""The report's hypotheses H1 to H6 by the verdict rules of a study, on what it published."""

from pathlib import Path

import numpy as np
from background import SETTINGS, Background
from combined import FILE, WITH_OUTPUTS, K
from combined import LABELS as COMBINED_LABELS
from curves import EPOCH
from exact import Row

from priorscope.analysis.number_files import read_numbers
from priorscope.claims import ArmScores
from priorscope.claims.training import Training, judge_training
from priorscope.claims.verdicts import judge
from priorscope.evaluation import Predictions
from priorscope.metrics import Chance, scale_of, share
from priorscope.metrics.top_k_matching import chance, top_k_matching

CNN, VIT, LOCAL = "ResNet50", "ViT", "Local ViT"
MODELS = (CNN, VIT, LOCAL)
# Read off the published code, as the page says under "Context".
RECIPES = {CNN: "batch 64, AutoAugment", VIT: "batch 64, AutoAugment, not shuffled"}
RECIPES |= {LOCAL: "batch 16, RandAugment, MixUp, CutMix"}
NUM_TRAIN = 50_000  # CIFAR-10
TOP1 = {"metric": "top1"}
TEST = TOP1 | {"probe": "test"}
BACKGROUND = TOP1 | {"probe": "background"}
COMBINED = {"metric": "top_k_matching", "probe": "combined"}
LIKE_CNN = {"contrast": {"a": LOCAL, "b": CNN}, "expect": "equivalent"}
DECLARED = (
    {"id": "H1", "statement": "The CNN learns well from little data (above 90 % on test images)"}
    | TEST
    | {"contrast": {"a": CNN, "level": 0.9}, "expect": "greater"},
    {"id": "H2", "statement": "The ViT is worse than the CNN on test images"}
    | TEST
    | {"contrast": {"a": VIT, "b": CNN}, "expect": "less"},
    {"id": "H3", "statement": "The Local ViT is like the CNN on test images (within 2 points)"}
    | TEST
    | LIKE_CNN
    | {"margin": 0.02},
    {"id": "H4", "statement": "On Combined, the Local ViT is like the CNN (within 0.08)"}
    | COMBINED
    | LIKE_CNN
    | {"margin": 0.08},
    {"id": "H4_cnn", "statement": "On Combined, the CNN is above the ViT"}
    | COMBINED
    | {"contrast": {"a": CNN, "b": VIT}, "expect": "greater"},
    {"id": "H4_local", "statement": "On Combined, the Local ViT is above the ViT"}
    | COMBINED
    | {"contrast": {"a": LOCAL, "b": VIT}, "expect": "greater"},
    {"id": "H5", "statement": "On Background, the ViT is above the CNN"}
    | BACKGROUND
    | {"contrast": {"a": VIT, "b": CNN}, "expect": "greater"},
    {"id": "H5_like", "statement": "On Background, the Local ViT is like the CNN (within 2 points)"}
    | BACKGROUND
    | LIKE_CNN
    | {"margin": 0.02},
    *(
        {"id": f"H6_{probe['probe']}_{number}"}
        | {"statement": f"On {probe['probe'].capitalize()}, {model} is above chance"}
        | probe
        | {"contrast": {"a": model, "b": "chance"}, "expect": "greater"}
        for probe in (COMBINED, BACKGROUND)
        for number, model in enumerate(MODELS, start=1)
    ),
)


def verdicts(paper: Path, found: Background, epochs: list[Row]) -> list[Row]:
    """Judge every hypothesis twice: by the numbers alone, and by all rules of a study.

    The rules withhold a verdict where a network has not gone through its schedule, as the Local ViT
    had not at epoch 80, and where recipes differ without being declared, which the report's do.

    Raises
    ------
    InputError : a file is missing or damaged
    """
    arms = [_combined(paper), _background(found)]
    plan = [{"run_id": model, "model": model, "seed": 0} for model in MODELS]
    published = {(arm.probe, model) for arm in arms for model in arm.scores}
    missing = [
        f"runs/{model}/predictions/{probe}.parquet"
        for probe in ("test", "combined", "background")
        for model in MODELS
        if (probe, model) not in published
    ]
    record = {"study": {"hypotheses": DECLARED}, "plan": plan}
    recipe = {"property": "recipe", "severity": "error", "values": RECIPES}
    alone = judge(record, arms, missing, {}, SETTINGS)
    ruled = judge(record | {"fairness": [recipe]}, arms, missing, _training(epochs), SETTINGS)
    keys = ("estimate", "low", "high", "confidence", "p_value", "p_adjusted", "n", "method")
    ends = ("low", "high", "confidence")
    return [
        {key: declared[key] for key in ("id", "statement")}
        | {key: by_numbers[key] for key in keys}
        | {f"{key}_alone": by_numbers["unadjusted"][key] for key in ends}
        | {"by_numbers": by_numbers["verdict"], "reason_by_numbers": by_numbers["reason"]}
        | {"verdict": by_rules["verdict"], "reason": by_rules["reason"]}
        for declared, by_numbers, by_rules in zip(DECLARED, alone, ruled, strict=True)
    ]


def _training(epochs: list[Row]) -> dict[str, Training]:
    """Judge the networks of epoch 80; how many training images they answered is not published."""
    losses = {
        model: [row["train_loss"] for row in epochs if row["model"] == model] for model in MODELS
    }
    return {
        model: judge_training(
            [(0, [(each, 1.0) for each in loss[:EPOCH]])],
            num_epochs=len(loss),
            num_images=NUM_TRAIN,
            constant_accuracy=None,
        )
        for model, loss in losses.items()
    }


def _background(found: Background) -> ArmScores:
    right = {model: right[None] for model, right in found.right.items()}
    n = len(found.labels)
    pictures = np.array([f"picture {number}" for number in found.pictures])
    name = "background"
    level = Chance(found.scored["chance"]["expected"])
    seeds: dict[str, tuple[int, ...]] = dict.fromkeys(right, (0,))
    scale = share("Top-1 accuracy")
    return ArmScores(name, name, "top1", np.arange(n), pictures, level, scale, right, seeds)


def _combined(paper: Path) -> ArmScores:
    targets = read_numbers(paper / COMBINED_LABELS) > 0
    logits = read_numbers(paper / FILE).astype(np.float32)
    n = len(targets)
    arm = {"arm": np.full(n, "mosaic")}
    names = tuple(map(str, range(targets.shape[1])))
    answers = Predictions(logits, targets, np.arange(n), arm, names)
    scores = {WITH_OUTPUTS: top_k_matching(answers, k=K)[None]}
    level = chance(answers, k=K)
    seeds = {WITH_OUTPUTS: (0,)}
    scale = scale_of(top_k_matching, answers, "top_k_matching", k=K)
    return ArmScores(
        "combined", "mosaic", "top_k_matching", answers.ids, None, level, scale, scores, seeds
    )

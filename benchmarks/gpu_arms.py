"""The arms that `gpu.py` trains, and what it finds out about them and about the card."""

from dataclasses import dataclass, field, replace

import torch
from gpu_checks import Agreement, GraphAgreement
from gpu_rates import DATA_PX, NUM_CLASSES, Rate
from torch import nn

from priorscope.runs.model_size import ModelSize
from priorscope.runs.prepare_models import build_model, measure_model
from priorscope.study.load import load_study
from priorscope.study.spec import Component
from priorscope.training.recipe import Recipe

STUDIES = ("cifar10", "paper")


@dataclass
class Arm:
    """A model with its study's recipe, and what is found out about it."""

    name: str
    component: Component
    recipe: Recipe
    image_px: int
    size: ModelSize | None = None
    agrees: Agreement | None = None
    rates: dict[str, Rate] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def build(self, device: torch.device) -> nn.Module:
        """Build the model with the weights of seed 0, drawn where they are to lie."""
        study = load_study("paper")  # packaged arms name no file: any base will do
        with device:
            return build_model(
                self.component,
                num_classes=NUM_CLASSES,
                image_px=self.image_px,
                seed=0,
                base=study.base,
                where=self.name,
            )

    def measure_size(self) -> None:
        """Count parameters and operations, on tensors that have a shape and nothing else."""
        meta = torch.device("meta")
        with meta:
            model = self.build(meta)
            shape = {"num_classes": NUM_CLASSES, "image_px": self.image_px}
            self.size = measure_model(model, **shape, where=self.name)


@dataclass
class Card:
    """What is found out about the device; None until then."""

    differing_bytes: int | None = None
    graphs: GraphAgreement | None = None
    peak: float | None = None
    bandwidth: float | None = None


def list_arms(dry: bool, only: list[str] | None) -> list[Arm]:
    """List the arms of both studies; in a dry run with two images of at most 64 px a step."""
    arms = []
    for study in map(load_study, STUDIES):
        image_px, recipe = study.recipe.image_px or DATA_PX, study.recipe
        if dry:
            image_px = min(64, image_px)
            recipe = replace(recipe, batch_size=2)
            recipe = replace(recipe, image_px=recipe.image_px and image_px)
        for name, component in study.models.items():
            if only is None or name in only:
                arms.append(Arm(name, component, recipe, image_px))
    return arms

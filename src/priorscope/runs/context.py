"""What all runs of a study share, and how one network of it answers its probes."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from priorscope.data import LabeledImages
from priorscope.probes import ProbeSet
from priorscope.runs.answers import fingerprint_of, logits_of, write_answers
from priorscope.runs.model_size import ModelSize
from priorscope.runs.prepare import StudyData
from priorscope.runs.rehearsed import Rehearsed
from priorscope.study.plan import Run
from priorscope.study.spec import Study
from priorscope.training.streams import seeded_streams


@dataclass(frozen=True, eq=False)
class Context:
    """What all runs of a study share."""

    study: Study
    data: StudyData
    probes: Mapping[str, ProbeSet]
    sizes: Mapping[str, ModelSize]
    device: torch.device
    out: Path
    checkpoint_seconds: float = 300.0
    rehearsed: Mapping[str, Rehearsed] = field(default_factory=dict)


def answer(model: nn.Module, names: list[str], context: Context, folder: Path) -> dict[str, str]:
    """Store the predictions on these probes; return the fingerprints of what was answered."""
    for name in names:
        probe = context.probes[name]
        path = folder / "predictions" / f"{name}.parquet"
        write_answers(logits_on(model, probe, name, context), name, probe, path)
    return {name: fingerprint_of(context.probes[name]) for name in names}


def logits_on(
    model: nn.Module,
    examples: LabeledImages | ProbeSet,
    name: str,
    context: Context,
    rows: np.ndarray | None = None,
) -> np.ndarray:
    """Compute the logits of a network on images as it sees them, float32 [n, num_classes].

    Parameters
    ----------
    name : of the probe, for the random numbers of a model that draws when it answers
    rows : int64 [n], of these images; all where it is None
    """
    # A model that draws when it answers draws the same each time, and takes nothing from training.
    with seeded_streams(zlib.crc32(name.encode()), context.device):
        return logits_of(
            model,
            examples.images,
            preprocess=context.data.preprocess,
            device=context.device,
            precision=context.study.recipe.precision,
            rows=rows,
        )


def rehearsed_of(run: Run, context: Context) -> Rehearsed:
    """Return what a rehearsal of a run's training showed."""
    return context.rehearsed.get(run.model, Rehearsed())

"""What is asked of a trained network before its answers are believed."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from priorscope.data import Preprocess, autocast_for
from priorscope.errors import RunFailed
from priorscope.evaluation import read_predictions
from priorscope.evaluation.company import answers_depend_on_company
from priorscope.training.recipe import Recipe
from priorscope.training.single_images import single_image_note
from priorscope.training.streams import seeded_streams

_NUM_COMPANY = 64  # test images that are shown in two batches
_NUM_ASKED_AGAIN = 64  # rows of a probe that stored weights must answer as they did
_SKIPPED_SHARE = 0.01  # of updates: a scale of gradients that is found anew skips some
_TOLERANCE = 0.05  # of a logit, by their standard deviation: above what another machine changes


def training_warnings(
    model: nn.Module, recipe: Recipe, num_images: int, epochs: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Warn of a training that was another one than the recipe says, a line each.

    Parameters
    ----------
    num_images : of an epoch
    epochs : the rows of `metrics.jsonl`
    """
    alone = single_image_note(model, recipe, num_images)
    skipped = sum(epoch.get("num_skipped_updates", 0) for epoch in epochs)
    said = (
        f"{skipped:,} of {epochs[-1]['step']:,} updates were skipped, as gradients were not finite "
        f"in {recipe.precision}: the weights moved less often than the recipe says"
    )
    is_another = skipped > _SKIPPED_SHARE * epochs[-1]["step"]
    return ([alone] if alone else []) + ([said] if is_another else [])


def company_warnings(
    model: nn.Module,
    images: np.ndarray,
    preprocess: Preprocess,
    device: torch.device,
    precision: str,
) -> list[str]:
    """Warn where the answer to an image depends on the others of its batch.

    Parameters
    ----------
    images : uint8 [n, height, width, 3]
    """
    few = np.random.default_rng(0).choice(len(images), _NUM_COMPANY)
    model.eval()
    with seeded_streams(0, device), autocast_for(precision, device):
        inputs = preprocess(torch.from_numpy(images[few]).to(device))
        change = answers_depend_on_company(model, inputs)
    if change is None:
        return []
    return [
        f"answers depend on the other images of a batch: a logit changes by up to {change:.2g} "
        "standard deviations when its neighbours do, so scores hang on how test images are "
        "batched; a batch norm without running statistics does that, or noise in the model"
    ]


def refuse_other_answers(
    answer: Callable[[np.ndarray], np.ndarray], path: Path, wanted: Sequence[str]
) -> None:
    """Refuse stored weights that do not answer a stored probe as it is stored.

    Parameters
    ----------
    answer : rows of that probe, int64 [n] -> what the weights answer to them, float32 [n, classes]
    path : its predictions, those of the run's
    wanted : the probes and measures that the weights were to answer

    Raises
    ------
    RunFailed : they answer otherwise
    """
    stored = read_predictions(path, in_place=True).logits
    few = np.random.default_rng(0).permutation(len(stored))[:_NUM_ASKED_AGAIN]
    change = float(np.abs(answer(few) - stored[few]).max())
    if change > _TOLERANCE * (float(stored.std()) or 1.0):
        raise RunFailed(
            f"its stored weights do not give the answers on {path.stem} that are stored, so that "
            f"another network would answer {', '.join(wanted)}: it keeps state outside of its "
            f"weights; remove {path.parents[1]} to train it again with all probes at once"
        )

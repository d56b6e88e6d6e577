"""Augmentation and training on an accelerator do not let the host wait for it."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.optim.optimizer import register_optimizer_step_post_hook

from priorscope.data._preprocess import preprocess_for
from priorscope.runs.prepare_models import build_model
from priorscope.study.load import load_study
from priorscope.training._pixel_ops import count_without_waiting
from priorscope.training.augment import AUGMENTATIONS, augment
from priorscope.training.loop import train
from priorscope.training.recipe import Recipe

EVERY = tuple(AUGMENTATIONS)


@pytest.mark.parametrize("names", [*((name,) for name in EVERY), EVERY])
@pytest.mark.parametrize("image_px", [32, 48])
def test_augmentation_reads_nothing_back(names, image_px):
    # Tensors on the meta device have no values: whatever would read one raises.
    images = torch.empty(300, image_px, image_px, 3, dtype=torch.uint8, device="meta")
    for seed in range(3):
        augmented = augment(images, names, torch.Generator().manual_seed(seed))
        assert augmented.device.type == "meta"
        assert augmented.shape == images.shape
        assert augmented.dtype == torch.uint8
    with pytest.raises((RuntimeError, NotImplementedError)):
        torch.bincount(images.flatten().int())  # as the host would wait for


def test_counts_that_do_not_wait_are_those_of_numpy():
    entries = np.random.default_rng(0).integers(0, 500, 4000).astype(np.int32)
    counts = count_without_waiting(torch.from_numpy(entries), 600)
    assert np.array_equal(counts.numpy(), np.bincount(entries, minlength=600))


@pytest.mark.parametrize("name", ["paper", "cifar10"])
def test_no_step_of_a_packaged_arm_reads_the_device(name):
    study = load_study(name)
    image_px = study.recipe.image_px or 32
    for arm, component in study.models.items():
        if arm.endswith("_22m"):
            continue  # the same as at 5 M, but larger
        with torch.device("meta"):
            shape = {"num_classes": 10, "image_px": image_px, "seed": 0, "base": study.base}
            model = build_model(component, **shape, where=arm).train()
            logits = model(torch.empty(2, 3, image_px, image_px))
            F.cross_entropy(logits, torch.zeros(2, dtype=torch.int64)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        with pytest.raises(RuntimeError):
            float(logits.detach().sum())  # as a step that reads would do


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("names", [(), EVERY])
def test_an_epoch_on_cuda_waits_only_at_its_end(names):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (256, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, 10, 256)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 10))
    steps = []

    def step_done(*_):
        steps.append(1)
        # From the second epoch's first step to its last, all tables are kept and nothing waits.
        mode = "error" if 4 < len(steps) < 8 else "default"
        torch.cuda.set_sync_debug_mode(mode)

    hook = register_optimizer_step_post_hook(step_done)
    try:
        train(
            model,
            Recipe(batch_size=64, epochs=2, augment=names),
            images,
            labels,
            preprocess=preprocess_for(images, None),
            seed=0,
            device=torch.device("cuda"),
            accuracies=lambda _: {"test_accuracy": 0.0},
            on_epoch=lambda _: None,
        )
    finally:
        hook.remove()
        torch.cuda.set_sync_debug_mode("default")
    assert len(steps) == 8

"""The loop, its batches and its step against the same training written in one piece, bit by bit."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from priorscope.data._preprocess import Preprocess, resize
from priorscope.training.augment import augment
from priorscope.training.loop import train
from priorscope.training.recipe import Recipe

CPU = torch.device("cpu")
RECIPES = {
    "adam": Recipe(augment=("random_crop", "horizontal_flip")),
    "clipped": Recipe(
        optimizer="adamw", schedule="cosine", clip_grad_norm=0.5, label_smoothing=0.1,
        augment=("horizontal_flip", "random_crop"),
    ),
    "in_parts": Recipe(optimizer="sgd", micro_batch_size=5, precision="bf16"),
    "resized": Recipe(
        schedule="constant", image_px=14, resize="before_augment", augment=("autoaugment_cifar10",)
    ),
    "resized_after": Recipe(image_px=14, augment=("autoaugment_cifar10", "random_crop")),
}  # fmt: skip
OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
EPOCHS, BATCH, NUM_IMAGES = 3, 16, 50


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(3),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(72, 4),
    )  # fmt: skip


def schedule_of(optimizer, recipe, num_steps):
    if recipe.schedule == "one_cycle":
        peak, warmup = recipe.learning_rate, recipe.warmup_fraction
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, peak, total_steps=num_steps, pct_start=warmup
        )
    if recipe.schedule == "constant":
        return torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)
    warmup = round(recipe.warmup_fraction * num_steps)
    rise = torch.arange(1, warmup + 1, dtype=torch.float64) / (warmup + 1)
    rest = num_steps - warmup
    fall = 0.5 * (1 + np.cos(np.pi * np.arange(rest) / rest))
    factors = [*rise.tolist(), *fall.tolist(), 0.0]
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: factors[step])


def in_one_piece(model, recipe, images, labels, preprocess, seed):
    """Train batch by batch, with everything where it is used; give each epoch's loss and hits."""
    order, augmentation = (
        torch.Generator().manual_seed(int(stream.generate_state(1, np.uint64)[0] >> 1))
        for stream in np.random.SeedSequence([seed, 1]).spawn(2)
    )
    model.to(memory_format=torch.channels_last)
    momentum = {"momentum": recipe.momentum} if recipe.optimizer == "sgd" else {}
    optimizer = OPTIMIZERS[recipe.optimizer](
        model.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay, **momentum
    )
    schedule = schedule_of(optimizer, recipe, EPOCHS * -(-NUM_IMAGES // BATCH))
    curve = []
    for _ in range(EPOCHS):
        model.train()
        losses, num_correct = [], 0
        for rows in torch.randperm(NUM_IMAGES, generator=order).split(BATCH):
            pixels, target = torch.from_numpy(images)[rows], torch.from_numpy(labels)[rows]
            if recipe.resize == "before_augment":
                pixels = resize(pixels, preprocess.image_px).round().to(torch.uint8)
            pixels = augment(pixels, recipe.augment, augmentation)
            optimizer.zero_grad()
            loss_of_batch = torch.zeros(())
            most = min(recipe.micro_batch_size or BATCH, len(rows))
            parts = -(-len(rows) // most)
            for part, answer in zip(
                pixels.tensor_split(parts), target.tensor_split(parts), strict=True
            ):
                with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bf16"):
                    logits = model(preprocess(part)).float()
                share = len(answer) / len(rows)
                loss = share * F.cross_entropy(
                    logits, answer, label_smoothing=recipe.label_smoothing
                )
                loss.backward()
                loss_of_batch += loss.detach() * len(rows)
                num_correct += int((logits.argmax(1) == answer).sum())
            losses.append(loss_of_batch)
            if recipe.clip_grad_norm is not None:
                nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_grad_norm)
            optimizer.step()
            schedule.step()
        curve.append((float(torch.stack(losses).sum()) / NUM_IMAGES, num_correct / NUM_IMAGES))
    return curve


@pytest.mark.parametrize("name", RECIPES)
def test_the_loop_ends_in_the_bits_of_the_training_in_one_piece(name):
    recipe = RECIPES[name]
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (NUM_IMAGES, 10, 10, 3), dtype=np.uint8)
    labels = rng.integers(0, 4, NUM_IMAGES)
    preprocess = Preprocess(recipe.image_px or 10, (0.5, 0.4, 0.3), (0.25, 0.2, 0.3))
    expected, found, epochs = network(), network(), []
    torch.manual_seed(9)
    curve = in_one_piece(expected, recipe, images, labels, preprocess, seed=3)
    drawn = torch.get_rng_state()
    torch.manual_seed(9)
    train(
        found, Recipe(**{**vars(recipe), "epochs": EPOCHS, "batch_size": BATCH}), images, labels,
        preprocess=preprocess, seed=3, device=CPU, on_epoch=epochs.append,
        accuracies=lambda _: {"test_accuracy": 0.0},
    )  # fmt: skip
    state = found.state_dict()
    assert all(torch.equal(state[key], value) for key, value in expected.state_dict().items())
    assert torch.equal(torch.get_rng_state(), drawn)
    assert [(each.train_loss, each.train_accuracy) for each in epochs] == curve
    assert {each.how for each in epochs} == {"eager"}
